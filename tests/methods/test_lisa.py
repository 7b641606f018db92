"""LISA: mixtures of two examples that differ in their confound alone, or in their label alone."""

from collections import Counter
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from itune.data.dataset import Dataset, collate
from itune.errors import UserError
from itune.methods import LisaConfig
from itune.methods.lisa import lisa
from itune.methods.plans import confounds_read
from itune.optimizers import bert_adam, warmup_linear
from tests.helpers.plans import (
    SCHEDULE,
    SEEN,
    assert_as_many_steps_as_finetuning,
    label_batches,
    plan_of,
    used,
)
from tests.helpers.tiny_method import (
    EVEN,
    LABEL,
    TinyMethod,
    assert_updated,
    expected_update,
    label_chunk,
    outputs,
)

LISA = TinyMethod(lisa, LABEL, LisaConfig(), train=EVEN)


def steps_of(plan):
    """For each label step its pairs, ``(n, 2)``, and the shares of their examples."""
    steps = {}
    for work in plan:
        if work.kind == "label":
            is_real = work.arrays["is_real"]
            pair, share = work.examples[is_real], work.arrays["share"][is_real]
            steps.setdefault(work.step, []).append(np.stack([pair, share]).reshape(2, -1, 2))
    return [np.concatenate(chunks, axis=1) for chunks in steps.values()]


@pytest.mark.parametrize(("same_label", "few", "most"), [(1.0, 18, 18), (0.0, 0, 0), (0.5, 4, 14)])
def test_pairs_share_one_of_both(same_label, few, most):
    plan = plan_of("lisa", lisa=LisaConfig(same_label=same_label))
    assert_as_many_steps_as_finetuning(plan)
    count = 0
    for pairs, _ in steps_of(plan):
        pairs = pairs.astype(int)
        assert pairs.shape == (12, 2)  # of a batch of 25
        label, confound = SEEN.label[pairs], SEEN.confound[pairs]
        has_label, has_confound = (np.equal(*of.T) for of in (label, confound))
        assert np.all(has_label != has_confound) and len(set(has_label)) == 1
        count += has_label[0]
        firsts = Counter(zip(label[:, 0].tolist(), confound[:, 0].tolist(), strict=True))
        assert len(firsts) == 6 and set(firsts.values()) == {2}
    assert few <= count <= most
    assert confounds_read(plan, SEEN) == len(np.unique(used(plan)))


def test_no_example_twice_where_there_are_enough():
    train = Dataset(SEEN.input_ids, SEEN.label, np.arange(150, dtype=np.int32) % 2)
    batches = label_batches(plan_of("lisa", train))
    assert len(batches) == 18 and all(len(set(batch)) == 24 for batch in batches)


def test_shares():
    """Beta(a, a): mean 1/2 and variance 1 / (8 a + 4), whatever the chunks."""
    label = replace(SCHEDULE, epochs=30)
    for alpha in (0.5, 2.0):
        config = LisaConfig(alpha=alpha)
        steps = steps_of(plan_of("lisa", label=label, lisa=config))
        share = np.ravel([shares for _, shares in steps])
        assert len(share) == 30 * 6 * 24
        assert share.mean() == pytest.approx(0.5, abs=0.02)
        assert share.var() == pytest.approx(1 / (8 * alpha + 4), rel=0.05)
    one, two = (
        [np.sort(step.reshape(2, -1), axis=1) for step in steps_of(plan_of("lisa", label=part))]
        for part in (SCHEDULE, replace(SCHEDULE, chunk=25))
    )
    np.testing.assert_array_equal(one, two)


def test_an_update_by_hand():
    """By the head of mixed pooled vectors; the last pair is not real."""
    share = np.array([0.25, 0.5, 0.875, 0.0, 1.0, 0.75], np.float32)
    chunk = label_chunk([7, 8, 9, 10], 6, 5, data=EVEN) | {"share": share}
    state, _ = LISA.run(LISA.initial(), [("label", chunk), ("label_update", {})])
    after, info = LISA.run(state, [("label", chunk), ("label_update", {})])
    six = collate(EVEN, np.array([7, 8, 9, 10, 7, 7]))

    def mean_loss(params):
        vectors = outputs(params, six, jax.random.key(5)).pooled
        head = params["classifier"]
        total = 0.0
        for one, two in ((0, 1), (1, 0), (2, 3), (3, 2)):
            s = float(share[one])
            logits = (s * vectors[one] + (1 - s) * vectors[two]) @ head["kernel"] + head["bias"]
            target = s * jax.nn.one_hot(six["label"][one], 3) + (1 - s) * jax.nn.one_hot(
                six["label"][two], 3
            )
            total -= jnp.sum(target.astype(logits.dtype) * jax.nn.log_softmax(logits))
        return total / 4

    expected = expected_update(
        bert_adam(warmup_linear(0.1, 20)),
        state.label.optimizer,
        state.params,
        jax.jit(jax.value_and_grad(mean_loss))(state.params),
    )
    assert_updated(after.params, after.label, info, "loss", expected)
    logits = np.array(outputs(state.params, six, jax.random.key(5)).logits)
    assert float(info["accuracy"]) == np.mean(logits[:4].argmax(axis=1) == EVEN.label[7:11])


def test_a_batch_of_one_is_refused():
    with pytest.raises(UserError, match=r"^label.batch is 1 .*; set it to 2 or more$"):
        plan_of("lisa", label=replace(SCHEDULE, batch=1))
