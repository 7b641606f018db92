"""BCSI: what biased models agree to be influenced by itself mends a finetuned model."""

from collections import Counter
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree

from itune.data.dataset import collate
from itune.errors import UserError
from itune.influence import cross_entropy
from itune.methods import BcsiConfig
from itune.methods import bcsi as module
from itune.methods.bcsi import bcsi
from itune.methods.finetuning import finetuning
from itune.methods.plans import RESTART, confounds_read
from itune.optimizers import bert_adam, warmup_linear
from tests.helpers.plans import SCHEDULE, SEEN, assert_same_plan, hide, plan_of, used
from tests.helpers.tiny_method import (
    EVEN,
    TRAIN,
    TinyMethod,
    assert_close,
    assert_updated,
    expected_update,
    initial_params,
    label_chunk,
    outputs,
)
from tests.helpers.tiny_method import LABEL as WHOLE

LABEL = replace(WHOLE, chunk=5)  # 24 rows do not come out even
CONFIG = BcsiConfig(models=2, epochs=2, share=0.5, remedy_epochs=3, learning_rate=0.1)
BCSI = TinyMethod(bcsi, LABEL, CONFIG)
PLAN = BCSI.method.plan()
RESTARTS = [place for place, work in enumerate(PLAN) if work.kind == RESTART]


def row_chunk(rows, seed=0):
    return label_chunk(rows, 4, seed) | {"rows": np.resize(np.array(rows, np.int32), 4)}


def test_the_plan():
    """Two biased models, finetuning as it is, and the passes of finetuning by another seed."""
    plan, whole = (plan_of(name, label=SCHEDULE, bcsi=CONFIG) for name in ("bcsi", "finetuning"))
    restarts = [place for place, work in enumerate(plan) if work.kind == RESTART]
    assert [plan[place].step for place in restarts] == [12, 24]
    first, second = plan[: restarts[0]], plan[restarts[0] + 1 : restarts[1]]
    counts = Counter(work.kind for work in first)
    assert counts == Counter(work.kind for work in second)
    assert counts == {
        **{"biased": 12 * 7, "label_update": 12, "curvature": 38, "self_influence": 38},
        **{"factorise": 1, "vote": 1},
    }
    batches = [used(part, "biased").tolist() for part in (first, second)]
    assert batches[0] != batches[1] and Counter(batches[0]) == Counter(batches[1])
    for kind in ("curvature", "self_influence"):
        assert sorted(used(first, kind)) == list(range(150))
    then = [work._replace(step=work.step - 24) for work in plan[restarts[1] + 1 :]]
    assert_same_plan(then[: len(whole)], whole)
    passes = then[len(whole) + 1 :]
    assert then[len(whole)].kind == "mend" and {work.step for work in passes} == {*range(18, 37)}
    assert Counter(used(passes, "remedy").tolist()) == Counter(3 * list(range(150)))
    assert [work.note for work in passes if work.note][-1] == "remedy, epoch 3"
    assert confounds_read(plan, SEEN) == 0
    assert_same_plan(plan, plan_of("bcsi", hide(SEEN, np.arange(150)), label=SCHEDULE, bcsi=CONFIG))


def test_self_influences_are_those_of_the_whole_hessian():
    """By autodiff of the mean loss in the head, as it was before the first vote."""
    until = next(place for place, work in enumerate(PLAN) if work.kind == "vote")
    state = BCSI.run_planned(PLAN[:until])
    head, rebuild = ravel_pytree(state.params["classifier"])
    examples = collate(TRAIN, np.arange(24))

    def losses(head):
        logits = outputs(state.params | {"classifier": rebuild(head)}, examples, None).logits
        return cross_entropy(logits, examples["label"])

    hessian = jax.jit(jax.hessian(lambda head: losses(head).mean()))(head)
    gradients = jax.jit(jax.jacobian(losses))(head)
    hessian, gradients = np.array(hessian), np.array(gradients)
    damped = hessian + 0.01 * np.trace(hessian) / 15 * np.eye(15)
    expected = np.einsum("na,an->n", gradients, np.linalg.solve(damped, gradients.T))
    assert head.size == 15 and expected.max() > 10 * expected.min() > 0
    assert_close(state.scores, expected)


def test_the_vote():
    """Half of each label, and marked is what both models propose."""
    scores = np.random.default_rng(2).normal(size=(2, 24))
    state, proposed = BCSI.initial(), np.zeros(24, int)
    for of_model in scores:
        state = state._replace(scores=jnp.asarray(of_model), hessian=state.hessian + 1)
        state, info = BCSI.run(state, [("vote", {})])
        assert info == {} and not np.any(state.hessian)
        for y in range(3):
            rows = np.flatnonzero(TRAIN.label == y)
            proposed[rows[np.argsort(-of_model[rows])][: round(len(rows) / 2)]] += 1
        np.testing.assert_array_equal(state.votes, proposed)
        np.testing.assert_array_equal(state.marked, proposed == 2)
    assert 0 < np.sum(state.marked) < 12


def mean_loss(weights, rows, losses_of=cross_entropy):
    five = collate(TRAIN, np.array(rows))

    def mean(params):
        logits = outputs(params, five, jax.random.key(5)).logits
        return jnp.mean(weights * losses_of(logits, five["label"]))

    return mean


@pytest.mark.parametrize("kind", ["biased", "remedy"])
def test_updates_by_hand(kind):
    """Generalised cross entropy; and 6 of 24 rows that weigh as much as 10 times the others."""
    marked = np.isin(np.arange(24), [7, 9, 20, 21, 22, 23])
    state = BCSI.run(BCSI.initial(), [("biased", row_chunk([0, 1])), ("label_update", {})])[0]
    state = state._replace(marked=jnp.asarray(marked))
    update, steps = "label_update", 20
    if kind == "remedy":
        state, _ = BCSI.run(state, [("mend", {})])
        state = BCSI.run(state, [("remedy", row_chunk([0, 1])), ("remedy_update", {})])[0]
        update, steps = "remedy_update", 12
    rows = [7, 8, 9, 10]

    def generalised(logits, labels):
        p = jax.nn.softmax(logits)[jnp.arange(4), labels]
        return (1 - p**0.7) / 0.7

    weights = np.where(marked, 1 / 6, 0.1 / 18)[rows] * 24 / 1.1
    mean = mean_loss(1.0, rows, generalised) if kind == "biased" else mean_loss(weights, rows)
    expected = expected_update(
        bert_adam(warmup_linear(0.1, steps)),
        state.label.optimizer,
        state.params,
        jax.jit(jax.value_and_grad(mean))(state.params),
    )
    after, info = BCSI.run(state, [(kind, row_chunk(rows, 5)), (update, {})])
    assert_updated(after.params, after.label, info, "loss", expected)


def test_restarts_are_from_the_start():
    for place in RESTARTS:
        state = BCSI.run_planned(PLAN[: place + 1])
        jax.tree.map(np.testing.assert_array_equal, state.params, initial_params())
    assert 0 < np.sum(state.marked) < 12


def test_what_is_mended_was_finetuned():
    mend = next(place for place, work in enumerate(PLAN) if work.kind == "mend")
    state = BCSI.run_planned(PLAN[:mend])
    alone = TinyMethod(finetuning, LABEL)
    expected = alone.run_planned(alone.method.plan())
    assert_close((state.params, state.label), (expected.params, expected.label))
    params = jax.tree.map(np.array, state.params)
    state, _ = BCSI.run(state, [("mend", {})])
    remedy = replace(LABEL, epochs=CONFIG.remedy_epochs, learning_rate=CONFIG.learning_rate)
    fresh = TinyMethod(finetuning, remedy).initial().label
    jax.tree.map(np.testing.assert_array_equal, (state.params, state.label), (params, fresh))


def test_weights_where_all_are_alike():
    for marked in (np.zeros(4, bool), np.ones(4, bool)):
        weights = module.pivotal_weights(jnp.asarray(marked), 0.1, np.float64)
        np.testing.assert_array_equal(weights, np.ones(4))


def test_a_head_too_large_is_refused(monkeypatch):
    monkeypatch.setattr(module, "LARGEST", 14)
    with pytest.raises(
        UserError, match=r"^method bcsi .* has 15 parameters for 3 .* 14 at most; us"
    ):
        TinyMethod(bcsi, LABEL, CONFIG, train=EVEN).initial()


def test_biased_models_longer_than_finetuning_are_refused():
    with pytest.raises(
        UserError, match=r"^bcsi.epochs is 4 but .* 3; set bcsi.epochs to 3 or less"
    ):
        plan_of("bcsi", label=SCHEDULE, bcsi=replace(CONFIG, epochs=4))


def test_averages_are_refused():
    with pytest.raises(UserError, match=r"^label.average must be 0 for a method that goes on"):
        plan_of("bcsi", label=replace(SCHEDULE, average=0.5), bcsi=CONFIG)
