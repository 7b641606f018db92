"""D3M: what harms the groups of highest loss is dropped before a second training."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from itune.data.dataset import Dataset, collate
from itune.groups import groups_of
from itune.methods import D3mConfig
from itune.methods.d3m import d3m
from itune.methods.finetuning import finetuning
from itune.methods.plans import RESTART, confounds_read, last_training
from tests.helpers.plans import SCHEDULE, SEEN, group_counts, plan_of, used, visible_counts
from tests.helpers.tiny_method import (
    EVEN,
    TinyMethod,
    assert_close,
    initial_params,
    one_by_one,
)
from tests.helpers.tiny_method import LABEL as WHOLE

LABEL = replace(WHOLE, chunk=5)  # the reference of 12 makes three chunks
BETA = 2.0
CONFIG = D3mConfig(drop=0.25, beta=BETA, reference=3)  # 2 of the 4 of each of 6 groups
D3M = TinyMethod(d3m, LABEL, CONFIG, train=EVEN)
PLAN = D3M.method.plan()
REFERENCE = PLAN[0].arrays["rows"]
OTHERS = np.setdiff1d(np.arange(24), REFERENCE)
RESTARTS = next(place for place, work in enumerate(PLAN) if work.kind == RESTART)


@pytest.mark.parametrize("most", [2, 50])
def test_the_reference(most):
    plan = plan_of("d3m", label=SCHEDULE, d3m=replace(CONFIG, reference=most))
    held_out = plan[0].arrays["rows"]
    assert plan[0].kind == "hold_out" and len(set(held_out)) == len(held_out)
    counts = {group: min(count // 2, most) for group, count in visible_counts(SEEN).items()}
    assert group_counts(held_out) == counts and min(counts.values()) == 1
    for kind in ("reference_losses", "reference_gradient"):
        assert sorted(used(plan, kind)) == sorted(held_out)
    assert sorted(used(plan, "score")) == sorted(np.setdiff1d(np.arange(150), held_out))
    assert confounds_read(plan, SEEN) == len(held_out)


def test_the_plan():
    """Label steps of finetuning, then scores, a restart, and finetuning with its evaluations."""

    def essentials(plan):
        return [
            (w.kind, w.arrays.get("dropout"), None if w.examples is None else w.examples.tolist())
            for w in plan
        ]

    plan, steps = (plan_of(name, label=SCHEDULE) for name in ("d3m", "finetuning"))
    assert essentials(last_training(plan)) == essentials(steps)
    label_steps = [work for work in steps if not work.note]
    first, between = plan[1 : len(label_steps) + 1], plan[len(label_steps) + 1 : -len(steps)]
    assert essentials(first) == essentials(label_steps)
    assert [w.kind for w in between if w.examples is None] == ["mark_harmful", RESTART]
    assert {work.step for work in between} == {18} and plan[-1].step == 36


@pytest.mark.parametrize("score", ["cosine", "product"])
def test_scores_are_those_of_plain_autodiff(score):
    """``A_i = sum_g w_g mean_j s(i, j)`` with gradients of one row at a time."""
    state = TinyMethod(d3m, LABEL, replace(CONFIG, score=score), train=EVEN).run_planned(
        PLAN[:RESTARTS]
    )

    losses, gradients = map(np.array, one_by_one(state.params, collate(EVEN, np.arange(24))))
    if score == "cosine":
        gradients /= np.linalg.norm(gradients, axis=1, keepdims=True)
    groups = groups_of(EVEN.label[REFERENCE], EVEN.confound[REFERENCE]).values()
    means = np.array([losses[REFERENCE[group]].mean() for group in groups])
    weights = np.exp(BETA * means) / np.exp(BETA * means).sum()
    helps = gradients[OTHERS] @ gradients[REFERENCE].T
    helps = np.stack([helps[:, group].mean(axis=1) for group in groups], axis=1)
    assert weights.max() > 2 * weights.min()
    assert_close(state.scores[OTHERS], helps @ weights)
    assert_close(state.losses / state.sizes, means)
    np.testing.assert_array_equal(state.sizes, np.full(6, 2))
    assert np.all(np.isinf(state.scores[REFERENCE]))
    assert min(np.sum(state.scores < 0), np.sum(state.scores[OTHERS] > 0)) > 2


@pytest.mark.parametrize(("below", "marked"), [(5, [0, 1, 2]), (2, [0, 1])])
def test_the_lowest_scores_below_0_are_dropped(below, marked):
    """A quarter of the 12 that have scores, if as many harm."""
    scores = np.full(24, np.inf)
    scores[OTHERS] = np.arange(12.0) - below
    state = D3M.initial()._replace(
        scores=jnp.asarray(scores), losses=jnp.arange(6.0), sizes=jnp.full(6, 2.0)
    )
    state, info = D3M.run(state, [("mark_harmful", {})])
    np.testing.assert_array_equal(np.flatnonzero(state.marked), OTHERS[marked])
    named = {f"reference_loss {g}": n / 2 for n, g in enumerate(groups_of(*EVEN[1:3]))}
    assert {name: float(value) for name, value in info.items()} == named | {"harmful": below}


def test_the_first_training_does_not_see_the_reference():
    label = EVEN.label.copy()
    label[REFERENCE] = (label[REFERENCE] + 1) % 3
    others = Dataset(EVEN.input_ids, label, EVEN.confound)
    first = PLAN[: next(i for i, work in enumerate(PLAN) if work.kind == "reference_losses")]
    states = [D3M.run_planned(first, data=data) for data in (EVEN, others)]
    jax.tree.map(np.testing.assert_array_equal, *(state.params for state in states))
    unseen = D3M.run_planned(first[1:], data=others).params["classifier"]["kernel"]
    assert np.abs(unseen - states[0].params["classifier"]["kernel"]).max() > 1e-3


def test_the_second_training_does_not_see_what_was_dropped():
    """From the initial parameters, bit for bit."""
    state = D3M.run_planned(PLAN[:RESTARTS])
    dropped = np.flatnonzero(state.marked)
    assert 0 < len(dropped) <= 3 and not np.isin(dropped, REFERENCE).any()
    state, info = D3M.run(state, [(RESTART, {})])
    jax.tree.map(np.testing.assert_array_equal, state.params, initial_params())
    assert float(info["marked"]) == len(dropped)
    label = EVEN.label.copy()
    label[dropped] = (label[dropped] + 1) % 3
    others = Dataset(EVEN.input_ids, label, EVEN.confound)
    states = [D3M.run_planned(PLAN[RESTARTS + 1 :], state, data) for data in (EVEN, others)]
    jax.tree.map(np.testing.assert_array_equal, *(state.params for state in states))


def test_dropping_nothing_is_finetuning():
    none = TinyMethod(d3m, LABEL, replace(CONFIG, drop=0.0), train=EVEN)
    alone = TinyMethod(finetuning, LABEL, train=EVEN)
    state, expected = (method.run_planned(method.method.plan()) for method in (none, alone))
    assert_close((state.params, state.label), (expected.params, expected.label))
