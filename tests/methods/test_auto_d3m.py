"""Auto-D3M: D3M by groups that are found in influences on the reference."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from itune.data.dataset import Dataset, collate
from itune.errors import UserError
from itune.groups import groups_of
from itune.methods import D3mConfig
from itune.methods.auto_d3m import auto_d3m, halves_of
from itune.methods.plans import RESTART, confounds_read, last_training
from tests.helpers.plans import SCHEDULE, SEEN, assert_same_plan, hide, plan_of, used
from tests.helpers.tiny_method import EVEN, TinyMethod, assert_close, one_by_one
from tests.helpers.tiny_method import LABEL as WHOLE

LABEL = replace(WHOLE, chunk=5)  # a reference of 12 makes three chunks
CONFIG = D3mConfig(reference=2, sample=7)  # 4 of the 8 of each label
PLAN = TinyMethod(auto_d3m, LABEL, CONFIG, train=EVEN).method.plan()
REFERENCE = PLAN[0].arrays["rows"]
PAIRS = [work for work in PLAN if work.kind == "attributions"]


def test_the_plan():
    """As D3M, but for the draw; half of the smallest label, and twice the reference of others."""
    rare = np.flatnonzero(SEEN.label == 1)[3:]
    label = SEEN.label.copy()
    label[rare] = 0
    train = Dataset(SEEN.input_ids, label, SEEN.confound)
    config = D3mConfig(reference=20, sample=30)
    plan = plan_of("auto_d3m", train, label=SCHEDULE, d3m=config)
    reference = plan[0].arrays["rows"]
    assert [len(rows) for rows in groups_of(*train[1:2], 0 * label).values()] == [147, 3]
    assert np.bincount(label[reference]).tolist() == [40, 1] and len(set(reference)) == 41
    of_d3m = plan_of("d3m", label=SCHEDULE, d3m=config)
    assert_same_plan(last_training(plan), last_training(of_d3m))
    others = np.setdiff1d(np.arange(150), reference)
    assert sorted(used(plan, "score")) == sorted(others)
    assert sorted(used(plan, "reference_losses")) == sorted(reference)
    pairs = [work for work in plan if work.kind == "attributions"]
    assert len(pairs) == 11 * 8 and confounds_read(plan, train) == 0
    seen = [
        set(np.concatenate([w.examples[n][w.arrays["is_real"][n]] for w in pairs])) for n in (0, 1)
    ]
    assert seen[0] == set(reference.tolist()) and len(seen[1]) == 30 and seen[1] <= set(others)


def test_confounds_are_not_read():
    hidden = hide(SEEN, np.arange(150))
    assert_same_plan(plan_of("auto_d3m"), plan_of("auto_d3m", hidden))


def test_one_example_of_a_label_is_refused():
    train = Dataset(SEEN.input_ids, np.arange(150) // 149, SEEN.confound)
    with pytest.raises(UserError, match=r"^method auto_d3m needs 2 .* of label 1 and sees 1; add"):
        plan_of("auto_d3m", train)


@pytest.mark.parametrize("score", ["cosine", "product"])
def test_groups_are_those_of_a_plain_principal_component(score):
    """By gradients of one row at a time and the singular vectors of centred unit vectors."""
    method = TinyMethod(auto_d3m, LABEL, replace(CONFIG, score=score), train=EVEN)
    until = next(n for n, work in enumerate(PLAN) if work.kind == "mark_harmful")
    state = method.run_planned(PLAN[:until])

    losses, gradients = map(np.array, one_by_one(state.params, collate(EVEN, np.arange(24))))
    if score == "cosine":
        gradients /= np.linalg.norm(gradients, axis=1, keepdims=True)
    sample = np.zeros(7, int)
    for work in PAIRS:
        is_real = work.arrays["is_real"][1]
        sample[work.arrays["places"][1][is_real]] = work.examples[1][is_real]
    vectors = gradients[REFERENCE] @ gradients[sample].T
    assert len(set(sample)) == 7 and not np.isin(sample, REFERENCE).any()
    assert_close(state.attributions, vectors)
    sizes = []
    for y in range(3):
        at = np.flatnonzero(EVEN.label[REFERENCE] == y)
        unit = vectors[at] / np.linalg.norm(vectors[at], axis=1, keepdims=True)
        centred = unit - unit.mean(axis=0)
        along = centred @ np.linalg.svd(centred)[2][0]
        group = np.array(state.group)[REFERENCE[at]]
        assert set(group) == {2 * y, 2 * y + 1} and group[0] == 2 * y
        np.testing.assert_array_equal(group == group[0], (along > 0) == (along[0] > 0))
        sizes += [np.sum(group == 2 * y), np.sum(group == 2 * y + 1)]
    np.testing.assert_array_equal(state.sizes, sizes)
    group = np.array(state.group)[REFERENCE]
    means = [losses[REFERENCE][group == g].mean() for g in range(6)]
    assert_close(state.losses / state.sizes, means)
    state, info = method.run(state, [("mark_harmful", {})])
    assert 0 < np.sum(state.marked) < 12 and not np.any(state.marked[REFERENCE])
    named = {f"reference_loss y={g // 2} half={g % 2}": mean for g, mean in enumerate(means)}
    assert_close({name: info[name] for name in named}, named)


def test_padding_scores_nothing():
    """As devices fill it up: at place 0, with the last of its rows."""
    work = PAIRS[0]
    is_real, places = (work.arrays[name].copy() for name in ("is_real", "places"))
    is_real[:, -1], places[:, -1] = False, 0
    padded = work._replace(arrays={"is_real": is_real, "places": places})
    method = TinyMethod(auto_d3m, LABEL, CONFIG, train=EVEN)
    found, whole = (method.run_planned([w]).attributions for w in (padded, work))
    rows, columns = work.arrays["places"]
    expected = np.array(whole)
    expected[rows[-1]] = expected[:, columns[-1]] = 0
    np.testing.assert_array_equal(found, expected)


def test_vectors_count_alike_whatever_their_length():
    vectors = jnp.array([[1.0, 0.0], [0.0, 1.0], [0.0, 1.1], [99.0, 1.0], [0.0, 0.0]])
    assert halves_of(vectors)[:4].tolist() == [0, 1, 1, 0]


def test_a_reference_of_one_row_leaves_an_empty_half():
    """It has no weight, and its mean is 0."""
    assert halves_of(jnp.zeros((1, 4))).tolist() == [0]
    one = replace(CONFIG, reference=1)
    pair = Dataset(EVEN.input_ids[:6], EVEN.label[:6], EVEN.confound[:6])  # two rows a label
    method = TinyMethod(auto_d3m, LABEL, one, train=pair)
    plan = method.method.plan()
    until = next(n for n, work in enumerate(plan) if work.kind == RESTART)
    state = method.run_planned(plan[:until])
    assert state.sizes.tolist() == [1, 0] * 3 and np.isfinite(state.scores).sum() == 3
    assert all(np.all(np.isfinite(leaf)) for leaf in jax.tree.leaves(state.target))
