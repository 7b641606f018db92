"""Correct-n-Contrast: what is of one label and answered otherwise is brought together."""

from collections import Counter
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from itune.data.dataset import collate
from itune.errors import UserError
from itune.influence import cross_entropy
from itune.methods import CncConfig
from itune.methods.cnc import cnc, contrastive_losses
from itune.methods.finetuning import finetuning
from itune.methods.plans import RESTART, confounds_read, last_training
from itune.optimizers import bert_adam, warmup_linear
from tests.helpers.plans import SCHEDULE, SEEN, assert_same_plan, hide, plan_of, used
from tests.helpers.tiny_method import (
    LABEL,
    TRAIN,
    TinyMethod,
    assert_close,
    assert_updated,
    expected_update,
    initial_params,
    label_chunk,
    outputs,
)

CONFIG = CncConfig(epochs=2, weight=0.6, temperature=0.5)
CNC = TinyMethod(cnc, LABEL, CONFIG)
PLAN = CNC.method.plan()
SECOND = last_training(PLAN)
CHANCE = np.random.default_rng(1).integers(0, 3, 24).astype(np.int32)


def bare(plan):
    """The plan without what finetuning has no use for."""
    added = ("rows", "places")
    return [
        w._replace(step=0, arrays={k: v for k, v in w.arrays.items() if k not in added})
        for w in plan
    ]


def test_the_plan():
    """The first epochs, answers, and finetuning whose chunks are gone through twice."""
    plan = plan_of("cnc", label=SCHEDULE, cnc=CONFIG)
    whole, second = plan_of("finetuning", label=SCHEDULE), last_training(plan)
    own = ("vectors", "contrast")
    assert_same_plan(bare([w for w in second if w.kind not in own]), bare(whole))
    alike = [
        [w._replace(kind="", cost=0) for w in second if w.kind == k] for k in ("vectors", "label")
    ]
    assert_same_plan(*alike)
    kinds = [w.kind for w in second if w.step == 12][: 7 + 1 + 7 + 1]
    assert kinds == [*7 * ["vectors"], "contrast", *7 * ["label"], "label_update"]
    for step in (12, 29):
        chunks = [w for w in second if w.step == step and w.kind == "label"]
        places = np.concatenate([w.arrays["places"][w.arrays["is_real"]] for w in chunks])
        np.testing.assert_array_equal(places, np.arange(25))
    first = plan[: -len(second) - 1]
    assert Counter(w.kind for w in first) == {"first": 84, "label_update": 12, "answer": 38}
    assert sorted(used(first, "answer")) == list(range(150)) and first[-1].step == 12
    assert confounds_read(plan, SEEN) == 0
    assert_same_plan(plan, plan_of("cnc", hide(SEEN, np.arange(150)), label=SCHEDULE, cnc=CONFIG))


def test_answers_are_those_without_dropout():
    restart = next(n for n, work in enumerate(PLAN) if work.kind == RESTART)
    state = CNC.run_planned(PLAN[:restart])
    logits = outputs(state.params, collate(TRAIN, np.arange(24)), None).logits
    expected = np.array(logits).argmax(axis=1)
    assert 3 < np.sum(expected == TRAIN.label) < 21
    np.testing.assert_array_equal(state.answers, expected)
    np.testing.assert_array_equal(state.marked, expected != TRAIN.label)
    state, info = CNC.run(state, [(RESTART, {})])
    jax.tree.map(np.testing.assert_array_equal, state.params, initial_params())
    assert float(info["marked"]) == np.sum(expected != TRAIN.label)


def naive(vectors, labels, answers, temperature):
    """One anchor, one positive at a time."""
    unit = vectors / jnp.linalg.norm(vectors, axis=1, keepdims=True)
    losses = {}
    for i in range(len(labels)):
        similar = jnp.exp(unit @ unit[i] / temperature)
        positives, negatives = (
            [
                j
                for j in range(len(labels))
                if (labels[j] == labels[i]) is same and (answers[j] == answers[i]) is not same
            ]
            for same in (True, False)
        )
        if positives and negatives:
            total = sum(similar[j] for j in (*positives, *negatives))
            losses[i] = -sum(jnp.log(similar[j] / total) for j in positives) / len(positives)
    return losses


def test_a_vector_that_is_0_has_finite_slopes():
    """As one of a few entries may be, by dropout; its cosines are 0."""
    vectors = jnp.array([[0.0, 0.0], [0.0, 1.0], [1.0, 2.0]], jnp.float32)
    labels, answers = jnp.array([0, 0, 1]), jnp.array([0, 1, 0])

    def total(vectors):
        return jnp.sum(contrastive_losses(vectors, labels, answers, 1.0)[0])

    value, slopes = jax.jit(jax.value_and_grad(total))(vectors)
    assert value == pytest.approx(np.log(2)) and np.all(np.isfinite(slopes))


def test_contrastive_losses():
    rng = np.random.default_rng(0)
    vectors, labels, answers = rng.normal(size=(9, 4)), *rng.integers(0, 3, (2, 9)).tolist()
    expected = jax.jit(lambda of: naive(of, labels, answers, 0.5))(vectors)
    losses, is_anchor = contrastive_losses(*map(jnp.asarray, (vectors, labels, answers)), 0.5)
    assert 3 < len(expected) < 9 and np.flatnonzero(is_anchor).tolist() == list(expected)
    assert_close(losses[np.array(list(expected))], jnp.array(list(expected.values())))
    assert np.count_nonzero(losses) == len(expected)


def chunks_of(rows, seeds):
    """Chunks of four and two of a batch of six, the last filled up."""
    chunks = []
    for part, places, seed in (
        (rows[:4], [0, 1, 2, 3], seeds[0]),
        (rows[4:], [4, 5, 6, 7], seeds[1]),
    ):
        filled = [*part, *[part[0]] * (4 - len(part))]
        own = {"rows": np.array(filled, np.int32), "places": np.array(places, np.int32)}
        chunks.append(label_chunk(part, 4, seed) | own)
    return chunks


def test_an_update_by_hand():
    """By autodiff of the whole batch's loss, in two chunks with dropout, after another batch."""
    tx, rows = bert_adam(warmup_linear(0.1, 20)), [7, 8, 9, 10, 11, 12]
    answers = jnp.asarray(CHANCE)
    state = CNC.initial()._replace(answers=answers)
    for batch in ([0, 1, 2, 3, 4, 5], rows):
        chunks = chunks_of(batch, (3, 4))
        before, work = (
            state,
            [
                *(("vectors", chunk) for chunk in chunks),
                ("contrast", {}),
                *(("label", chunk) for chunk in chunks),
                ("label_update", {}),
            ],
        )
        state, info = CNC.run(state, work)
    labels, answers = (of[np.array(rows)].tolist() for of in (TRAIN.label, CHANCE))

    def loss(params):
        parts = [outputs(params, c["examples"], jax.random.key(c["dropout"])) for c in chunks]
        logits, pooled = (jnp.concatenate([parts[0][n], parts[1][n][:2]]) for n in (0, 1))
        contrastive = list(naive(pooled, labels, answers, 0.5).values())
        assert 1 < len(contrastive) < 6
        of_labels = cross_entropy(logits, jnp.array(labels)).mean()
        return 0.4 * of_labels + 0.6 * sum(contrastive) / len(contrastive)

    expected = expected_update(
        tx, before.label.optimizer, before.params, jax.jit(jax.value_and_grad(loss))(before.params)
    )
    assert_updated(state.params, state.label, info, "loss", expected)


def test_a_batch_without_positives_has_the_label_loss_alone():
    state = CNC.initial()._replace(answers=jnp.asarray(TRAIN.label))
    chunks = chunks_of([7, 8, 9, 10, 11, 12], (3, 4))
    state, _ = CNC.run(state, [*(("vectors", chunk) for chunk in chunks), ("contrast", {})])
    assert not np.any(state.losses) and not np.any(state.slopes) and np.any(state.vectors)


def test_no_weight_is_finetuning():
    none, alone = TinyMethod(cnc, LABEL, replace(CONFIG, weight=0.0)), TinyMethod(finetuning, LABEL)
    state, expected = (method.run_planned(method.method.plan()) for method in (none, alone))
    assert_close((state.params, state.label), (expected.params, expected.label))


def test_a_first_training_longer_than_the_second_is_refused():
    with pytest.raises(UserError, match=r"^cnc.epochs is 4 but .* 3; set cnc.epochs to 3 or less"):
        plan_of("cnc", label=SCHEDULE, cnc=replace(CONFIG, epochs=4))
