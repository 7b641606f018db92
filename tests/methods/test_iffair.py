"""IFFair: what widens the gap between groups of a label weighs less in a second training."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree

from itune.data.dataset import collate
from itune.groups import groups_of
from itune.influence import cross_entropy
from itune.methods import IffairConfig
from itune.methods.finetuning import finetuning
from itune.methods.iffair import iffair
from itune.methods.label_steps import label_optimizer
from itune.methods.plans import RESTART, confounds_read
from tests.helpers.plans import SCHEDULE, SEEN, assert_same_plan, plan_of
from tests.helpers.tiny_method import (
    EVEN,
    TinyMethod,
    assert_close,
    assert_updated,
    expected_update,
    label_chunk,
    one_by_one,
    outputs,
)
from tests.helpers.tiny_method import LABEL as WHOLE

LABEL = replace(WHOLE, chunk=5)
CONFIG = IffairConfig(strength=0.75, reference=3)  # 2 of the 4 of each of 6 groups
IFFAIR = TinyMethod(iffair, LABEL, CONFIG, train=EVEN)
PLAN = IFFAIR.method.plan()
REFERENCE = PLAN[0].arrays["rows"]
OTHERS = np.setdiff1d(np.arange(24), REFERENCE)
GROUPS = groups_of(EVEN.label[REFERENCE], EVEN.confound[REFERENCE])
RESTARTS = next(place for place, work in enumerate(PLAN) if work.kind == RESTART)


def test_the_plan_is_that_of_d3m():
    plan, other = (plan_of(name, label=SCHEDULE) for name in ("iffair", "d3m"))
    other = [w._replace(kind="weigh") if w.kind == "mark_harmful" else w for w in other]
    assert_same_plan(plan, other)
    assert confounds_read(plan, SEEN) == len(plan[0].arrays["rows"])


@jax.jit
def losses_of(params, examples):
    return cross_entropy(outputs(params, examples, None).logits, examples["label"])


def examples_of(rows):
    return collate(EVEN, np.asarray(rows), length=8)


def deviations(losses):
    """Each group's loss less the mean over the groups of its label."""
    labels = [group.label for group in GROUPS]
    means = {y: np.mean(np.asarray(losses)[np.equal(labels, y)]) for y in labels}
    return np.array([loss - means[y] for loss, y in zip(losses, labels, strict=True)])


def gap(params):
    of_groups = [examples_of(REFERENCE[rows]) for rows in GROUPS.values()]
    means = [float(losses_of(params, examples).mean()) for examples in of_groups]
    return np.sum(deviations(means) ** 2) / 2


def test_a_score_is_the_rate_at_which_a_step_lowers_the_gap():
    """By differences of the gap along the gradient of each row."""
    state = IFFAIR.run_planned(PLAN[:RESTARTS])
    step, rows = 1e-5, OTHERS[::3]
    flat, rebuild = ravel_pytree(state.params)
    for row, gradient in zip(rows, one_by_one(state.params, examples_of(rows))[1], strict=True):
        less, more = (gap(rebuild(flat + sign * step * gradient)) for sign in (-1, 1))
        rate = (more - less) / (2 * step)
        np.testing.assert_allclose(state.scores[row], rate, rtol=1e-6, atol=1e-8)
    assert np.all(np.isinf(state.scores[REFERENCE]))
    assert min(np.sum(state.scores < 0), np.sum(state.scores[OTHERS] > 0)) > 2


def test_cosines():
    cosine = TinyMethod(iffair, LABEL, replace(CONFIG, score="cosine"), train=EVEN)
    state = cosine.run_planned(PLAN[:RESTARTS])
    found = np.array(one_by_one(state.params, examples_of(range(24)))[1])
    found /= np.linalg.norm(found, axis=1, keepdims=True)
    helps = [found[OTHERS] @ found[REFERENCE[rows]].mean(axis=0) for rows in GROUPS.values()]
    assert_close(state.scores[OTHERS], deviations(state.losses / state.sizes) @ np.array(helps))


@pytest.mark.parametrize(
    ("weights", "moved"),
    [("uniform", [-0.75, -0.75, 0, 0.75]), ("diverse", [-0.75, -0.25, 0, 0.5])],
)
def test_weights(weights, moved):
    """A row of the reference has no score and keeps the weight 1."""
    method = TinyMethod(iffair, LABEL, replace(CONFIG, weights=weights), train=EVEN)
    scores = np.full(24, np.inf)
    scores[OTHERS] = np.resize([-3.0, -1.0, 0.0, 2.0], 12)
    state = method.initial()._replace(
        scores=jnp.asarray(scores), losses=jnp.arange(6.0), sizes=jnp.full(6, 2.0)
    )
    state, info = method.run(state, [("weigh", {})])
    expected = np.ones(24)
    expected[OTHERS] += np.resize(moved, 12)
    np.testing.assert_allclose(state.weights, expected)
    np.testing.assert_array_equal(state.marked, scores < 0)
    named = {f"reference_loss {g}": n / 2 for n, g in enumerate(GROUPS)}
    found = {name: float(value) for name, value in info.items()}
    assert found == named | {"gap": 3 * (0.25**2 + 0.25**2) / 2}


@pytest.mark.parametrize("weights", ["uniform", "diverse"])
def test_without_a_gap_all_weigh_alike(weights):
    method = TinyMethod(iffair, LABEL, replace(CONFIG, weights=weights), train=EVEN)
    none = method.initial()._replace(scores=jnp.zeros(24), sizes=jnp.ones(6))
    np.testing.assert_array_equal(method.run(none, [("weigh", {})])[0].weights, np.ones(24))


def test_an_update_by_hand():
    """The mean of the losses of a batch, weighted over the mean weight of all rows."""
    weights = jnp.linspace(0.25, 1.75, 24)
    weights = weights.at[3].set(0.0)
    second = [place for place, work in enumerate(PLAN) if work.kind == "label_update"][1]
    state = IFFAIR.run_planned(PLAN[: second + 1])._replace(weights=weights)
    rows = np.array([1, 3, 7, 20, 9])
    chunk = label_chunk(rows, 5, data=EVEN) | {"rows": rows}
    after, info = IFFAIR.run(state, [("label_without_dropout", chunk), ("label_update", {})])

    def loss(params):
        return jnp.mean(weights[rows] / jnp.mean(weights) * losses_of(params, examples_of(rows)))

    found = jax.jit(jax.value_and_grad(loss))(state.params)
    expected = expected_update(
        label_optimizer(LABEL, 24), state.label.optimizer, state.params, found
    )
    assert_updated(after.params, after.label, info, "loss", expected)


def test_the_reference_has_no_weight_at_first():
    state, _ = IFFAIR.run(IFFAIR.initial(), [("hold_out", dict(PLAN[0].arrays))])
    np.testing.assert_array_equal(np.flatnonzero(state.weights), OTHERS)
    after = IFFAIR.run_planned(PLAN[:RESTARTS])
    assert set(np.unique(after.weights)) == {0.25, 1.0, 1.75}


def test_without_strength_it_is_finetuning():
    none = TinyMethod(iffair, LABEL, replace(CONFIG, strength=0.0), train=EVEN)
    alone = TinyMethod(finetuning, LABEL, train=EVEN)
    state, expected = (method.run_planned(method.method.plan()) for method in (none, alone))
    assert_close((state.params, state.label), (expected.params, expected.label))
