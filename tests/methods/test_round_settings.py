"""Settings of rounds that the paper does not have, and averaged weights."""

from dataclasses import replace
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from itune.data.dataset import HIDDEN
from itune.errors import UserError
from itune.methods import InfluenceConfig
from itune.methods.averaging import AveragedState, averaged, evaluated_params
from itune.methods.finetuning import finetuning
from itune.methods.influence_tuning import influence_tuning
from itune.methods.plans import AVERAGE
from itune.optimizers import warmup_linear
from tests.helpers.influence_batches import pool_chunk
from tests.helpers.plans import (
    SKEWED,
    assert_same_plan,
    group_counts,
    hide,
    label_batches,
    plan_of,
    real,
    used,
    visible_counts,
)
from tests.helpers.tiny_method import LABEL, TinyMethod, assert_close, label_chunk
from tests.methods.test_rounds import INFLUENCE, TRAIN, influence_plan
from tests.methods.test_rounds import LABEL as STEPS

POOLED = InfluenceConfig(k=2, learning_rate=0.03, partners="pooled")
ROUND = ("tuples", "pool")
POOL = pool_chunk([[0, 1, 2], [3, 4, 5]], np.ones((2, 3), bool))


def pooled(**settings):
    return TinyMethod(influence_tuning, LABEL, replace(POOLED, **settings))


def update(method, state, **batch):
    return method.run(state, [("pool", POOL), ("influence_update", batch)])


def test_updates_below_the_tolerance_are_left_out():
    plain = pooled()
    state = plain.at_peak()
    expected, info = update(plain, state)
    loss = float(info["influence_loss"])
    for tolerance, is_left_out in ((loss * 0.99, False), (loss * 1.01, True)):
        after, info = update(pooled(tolerance=tolerance), state)
        assert info["influence_loss"] == loss
        assert (info["step_norm"] == 0) == is_left_out
        of = state if is_left_out else expected
        assert_close((after.params, after.influence.optimizer), (of.params, of.influence.optimizer))
        assert after.influence.count == 0


def test_a_step_scales_with_the_label_rate():
    method = pooled()
    state = method.at_peak()
    whole, part = (update(method, state, **batch) for batch in ({}, {"scale": np.float32(0.25)}))
    steps = [jax.tree.map(jnp.subtract, after.params, state.params) for after, _ in (whole, part)]
    assert_close(jax.tree.map(lambda leaf: leaf / 4, steps[0]), steps[1])
    assert_close(whole[0].influence.optimizer, part[0].influence.optimizer)
    assert_close(part[1]["step_norm"], whole[1]["step_norm"] / 4)


def test_the_plan_has_the_label_rate_of_each_round():
    plan = influence_plan(replace(INFLUENCE, rate="label"))
    updates = [work for work in plan if work.kind == "influence_update"]
    rate = warmup_linear(1.0, 18, 0.1)
    assert {work.step for work in updates} == {6, 12}
    for work in updates:
        assert work.arrays["scale"] == np.float32(rate(work.step))
    assert not any(work.arrays for work in influence_plan() if work.kind == "influence_update")


def test_moments_can_be_kept():
    method = pooled(moments="kept")
    state, _ = update(method, method.at_peak())
    after, _ = method.run(state, [("end_round", {})])
    assert_close(after, state)


@pytest.mark.parametrize(("until", "rounds"), [(1.0, [6, 12]), (0.6, [6]), (6 / 18, [6])])
def test_no_round_starts_after_until(until, rounds):
    plan = influence_plan(replace(INFLUENCE, until=until))
    assert [work.step for work in plan if work.kind == "end_round"] == rounds


@pytest.mark.parametrize(
    ("until", "remedy"), [(0.1, "set the interval to 1 or less"), (0.0, "raise influence.until")]
)
def test_until_may_leave_no_round(until, remedy):
    message = f"influence.interval is 6 and influence.until {until:g} but .*; {remedy}$"
    with pytest.raises(UserError, match=message):
        influence_plan(replace(INFLUENCE, until=until))


def test_pools_of_all_labels():
    """The draws of pools of one label each, joined."""
    pooled = replace(INFLUENCE, partners="pooled", batch=13)
    own, joined = (
        [work for work in influence_plan(replace(pooled, labels=of)) if work.kind == "pool"]
        for of in ("own", "all")
    )
    assert len(own) == 2 * len(joined)
    for number, work in enumerate(joined):
        assert work.examples.shape == (2, 3, 2) and np.all(work.arrays["is_real"])
        pair = own[2 * number : 2 * number + 2]
        np.testing.assert_array_equal(work.examples, [of.examples for of in pair])
        assert work.cost == sum(of.cost for of in pair)


def test_label_steps_between_rounds_can_be_balanced():
    plan = influence_plan(replace(INFLUENCE, batches="balanced"))
    steps = [work for work in plan if work.kind == "label"]
    assert all(work.reads_confound for work in steps)
    for step in {work.step for work in steps}:
        rows = [w.examples[w.arrays["is_real"]] for w in steps if w.step == step]
        groups = TRAIN.label * 3 + TRAIN.confound
        counts = np.bincount(groups[np.concatenate(rows)], minlength=6)
        assert np.ptp(counts[np.unique(groups)]) <= 1
    others = [work for work in plan if work.kind not in ("label", "label_update")]
    assert_same_plan(
        others, [w for w in influence_plan() if w.kind not in ("label", "label_update")]
    )


@pytest.mark.parametrize(("partners", "batches"), [("drawn", "permuted"), ("pooled", "balanced")])
def test_groups_can_be_split_between_rounds_and_label_steps(partners, batches):
    train = hide(SKEWED, np.flatnonzero(SKEWED.label == 0)[:20])  # 3 of one group
    of = {"partners": partners, "batches": batches, "batch": 40, "epochs": 8, "probes": 99}
    config, label = replace(INFLUENCE, **of), replace(STEPS, epochs=9)
    plan, plain = (
        influence_plan(replace(config, split=split), label, train) for split in ("halves", "shared")
    )
    in_rounds = np.unique(np.concatenate([real(w).ravel() for w in plan if w.kind in ROUND]))
    in_steps = np.unique(used(plan))
    kept = np.intersect1d(in_rounds, in_steps)
    small = np.flatnonzero((train.label == 1) & (train.confound == 2))
    assert len(small) == 3 and set(kept) == set(small)
    assert set(in_rounds) | set(in_steps) == set(range(len(train)))
    groups, of_rounds = visible_counts(train), group_counts(in_rounds, train)
    others = {group: count // 2 for group, count in groups.items() if count > 3}
    assert of_rounds == others | {(1, 2): 3}
    assert sum(w.kind == "label_update" for w in plan) == 9 * (150 // 8)
    dropout, other = ([w.arrays["dropout"] for w in p if w.kind == "label"] for p in (plan, plain))
    np.testing.assert_array_equal(dropout, other)
    if batches == "balanced":
        for batch in label_batches(plan):
            seen = [row for row in batch if train.confound[row] != HIDDEN]
            counts = group_counts(np.array(seen), train)
            assert max(counts.values()) - min([counts[g] for g in groups]) <= 1


def test_halves_are_drawn_from_the_seed():
    plans = [influence_plan(replace(INFLUENCE, split="halves"), seed=seed) for seed in (1, 1, 2)]
    assert_same_plan(*plans[:2])
    held_out = [set(range(50)) - set(used(plan)) for plan in plans]
    assert held_out[0] and held_out[0] != held_out[2]


def test_controls_have_the_rounds_of_influence_tuning():
    rounds = replace(INFLUENCE, until=0.6)
    plan = plan_of("finetuning_with_resets", TRAIN, label=STEPS, influence=rounds)
    assert [work.step for work in plan if work.kind == "reset"] == [6]


def test_around_a_round_the_present_weights_are_evaluated():
    state = AveragedState(SimpleNamespace(params="present"), "mean", np.int32(1))
    notes = ("before round 1", "after round 1", "epoch 2", "end")
    assert [evaluated_params(state, note) for note in notes] == ["present"] * 2 + ["mean"] * 2
    assert evaluated_params(state.state, "before round 1") == "present"


@pytest.mark.parametrize(
    "settings",
    [
        {"until": 1.1},
        {"tolerance": -1.0},
        {"rate": "falling"},
        {"moments": "halved"},
        {"labels": "some", "partners": "pooled"},
        {"batches": "large"},
        {"directions": "orthogonal"},
        {"split": "thirds"},
        {"max_label_rise": -0.1},
    ],
)
def test_bad_settings(settings):
    with pytest.raises(UserError, match=f"{next(iter(settings))} must be"):
        replace(INFLUENCE, **settings)


def test_drawn_partners_have_the_label_of_their_probe():
    with pytest.raises(UserError, match="^labels is all but partners are drawn; set partners to"):
        replace(INFLUENCE, labels="all")


def test_the_mean_of_the_weights():
    method = TinyMethod(lambda *args: averaged(finetuning(*args), 0.5), LABEL)
    state, seen = method.initial(), []
    for number, rows in enumerate(([0, 1, 2], [3, 4, 5], [6, 7, 8], [9, 10, 11])):
        work = [("label_without_dropout", label_chunk(rows)), ("label_update", {})]
        state, _ = method.run(state, work)
        if number < 2:
            assert_close(state.params, state.state.params)
            continue
        seen.append(state.state.params)
        state, _ = method.run(state, [(AVERAGE, {})])
        mean = jax.tree.map(lambda *leaves: sum(leaves) / len(leaves), *seen)
        assert_close(state.params, mean)


def test_averaging_changes_nothing_else_of_a_plan():
    config = replace(LABEL, epochs=3, batch=25, chunk=4)
    plain, mean = (
        plan_of("finetuning", label=replace(config, average=share)) for share in (0.0, 0.4)
    )
    extra = [(place, work) for place, work in enumerate(mean) if work.kind == AVERAGE]
    assert [work.step for _, work in extra] == list(range(11, 18))  # 7 of 18
    assert all(mean[place - 1].kind == "label_update" for place, _ in extra)
    left = [work for work in mean if work.kind != AVERAGE]
    assert [(a.kind, a.step) for a in left] == [(b.kind, b.step) for b in plain]


def test_a_method_that_goes_on_after_its_label_steps_is_refused():
    with pytest.raises(UserError, match="label.average must be 0"):
        plan_of("last_layer_retraining", label=replace(LABEL, batch=25, average=0.5))
