"""Rounds: when they start, and which probes meet which partners in which updates."""

from collections import Counter
from dataclasses import replace
from itertools import groupby

import numpy as np
import pytest

from itune.data.dataset import HIDDEN, Dataset
from itune.errors import UserError
from itune.methods import EmbeddingConfig, InfluenceConfig, LabelConfig
from itune.methods.plans import confounds_read
from tests.helpers.plans import assert_same_plan, hide, label_batches, make_dataset, plan_of, real

TRAIN = make_dataset(50)
LABEL = LabelConfig(epochs=3, batch=8, chunk=3)  # 18 label steps
ROUNDS = {"interval": 6, "epochs": 3, "batch": 4, "probes": 6, "k": 2, "chunk": 3}
INFLUENCE = InfluenceConfig(**ROUNDS)  # 2 rounds


def influence_plan(influence=INFLUENCE, label=LABEL, train=TRAIN, seed=1):
    return plan_of("influence_tuning", train, seed, label=label, influence=influence)


@pytest.mark.parametrize("partners", ["drawn", "pooled"])
def test_who_is_alone_is_left_out_of_rounds(partners):
    confound = TRAIN.confound.copy()
    confound[7] = 9
    train = Dataset(TRAIN.input_ids, TRAIN.label, confound)
    config = replace(INFLUENCE, partners=partners, batch=12)
    with pytest.raises(UserError, match="has 1 training example, which has no partner"):
        influence_plan(config, train=train)
    plan = influence_plan(replace(config, lone="left_out"), train=train)
    used = [work.examples for work in plan if work.reads_confound]
    assert used and not any(7 in examples for examples in used)
    assert any(7 in batch for batch in label_batches(plan))


@pytest.mark.parametrize(
    ("size", "epochs", "interval", "steps"),
    [
        (1500, 10, 50, [50, 100, 150, 200]),  # TextLen: 230 label steps
        (1500, 10, 25, list(range(25, 201, 25))),  # 5 steps are left at 225
        (5000, 3, 50, [50, 100, 150, 200]),  # MSGS: 234 label steps
        (5000, 3, 100, [100]),  # 34 steps are left at 200
        (64 * 126, 1, 50, [50, 100]),  # 26 steps are left at 100
        (64 * 125, 1, 50, [50]),  # exactly half an interval is left at 100
    ],
)
def test_when_rounds_start(size, epochs, interval, steps):
    influence = InfluenceConfig(interval=interval, probes=2, epochs=1, k=1)
    plan = influence_plan(influence, LabelConfig(epochs=epochs), make_dataset(size))
    assert [w.step for w in plan if w.kind == "end_round"] == steps
    cids = [(w.step, w.note) for w in plan if w.kind == "cid"]
    total = epochs * (size // 64)
    assert cids[-1] == (total, "end")
    assert cids[:-1] == [
        (step, f"{when} round {number}")
        for number, step in enumerate(steps, 1)
        for when in ("before", "after")
    ]
    accuracies = [w.step for w in plan if w.kind == "accuracy"]
    assert accuracies == [size // 64 * epoch for epoch in range(1, epochs + 1)]


def rounds_of(plan):
    """The work of each round, ``end_round`` left out."""
    kinds = ("tuples", "influence_update", "end_round")
    rounds = [[]]
    for work in plan:
        if work.kind == "end_round":
            rounds.append([])
        elif work.kind in kinds:
            rounds[-1].append(work)
    assert not rounds.pop()
    return rounds


def tuples_of(work):
    """``(probe, A, B)`` of each real tuple, the empty places of a group left out."""
    for row, weights in zip(real(work), work.arrays["weights"], strict=False):
        yield row[0], row[1:][weights > 0], row[1:][weights < 0]


def test_probes_and_partners():
    rounds = rounds_of(influence_plan())
    assert len(rounds) == 2
    all_probes, all_partners = [], []
    for work in rounds:
        found = [t for w in work if w.kind == "tuples" for t in tuples_of(w)]
        uses = Counter(int(probe) for probe, _, _ in found)
        assert len(uses) == 6 and set(uses.values()) == {3}  # drawn once, without replacement
        partners = {probe: [] for probe in uses}
        for probe, same, different in found:
            assert len(set(same)) == len(set(different)) == 2 and probe not in same
            assert np.all(TRAIN.label[[*same, *different]] == TRAIN.label[probe])
            assert np.all(TRAIN.confound[same] == TRAIN.confound[probe])
            assert np.all(TRAIN.confound[different] != TRAIN.confound[probe])
            partners[int(probe)].append((*sorted(same), *sorted(different)))
        all_probes.append(set(uses))
        all_partners.extend(partners.values())
    assert all_probes[0] != all_probes[1]
    assert all(len(set(drawn)) > 1 for drawn in all_partners)  # anew in each epoch


def test_padding_of_tuples_has_no_weight():
    for work in influence_plan():
        if work.kind == "tuples":
            assert work.examples.shape == (3, 5) and work.arrays["weights"].shape == (3, 4)
            assert not np.any(work.arrays["weights"][~work.arrays["is_real"]])
            weights = work.arrays["weights"][work.arrays["is_real"]]
            np.testing.assert_array_equal(weights, [[0.5, 0.5, -0.5, -0.5]] * len(weights))


def update_sizes(work):
    """Tuples of each update of some work, and how many are left over."""
    sizes, waiting = [], 0
    for w in work:
        if w.kind == "tuples":
            waiting += len(real(w))
        elif w.kind == "influence_update":
            sizes.append(waiting)
            waiting = 0
    return sizes, waiting


@pytest.mark.parametrize(
    ("batch", "sizes"),
    [(1, [1] * 18), (4, [4, 4, 4, 4, 2]), (6, [6, 6, 6]), (7, [7, 7, 4]), (64, [18])],
)
def test_paper_schedule(batch, sizes):
    """18 tuples a round (6 probes, 3 epochs): the last update takes what is left over."""
    plan = influence_plan(replace(INFLUENCE, batch=batch))
    assert [update_sizes(work) for work in rounds_of(plan)] == [(sizes, 0)] * 2
    assert all(work[-1].kind == "influence_update" for work in rounds_of(plan))
    assert not any(w.kind == "label_without_dropout" for w in plan)


@pytest.mark.parametrize(
    ("batch", "sizes", "waiting"),
    [
        (6, [[6] * 3] * 4, [0, 0, 0, 0]),
        (7, [[7] * 2, [7] * 3, [7] * 2, [7] * 3], [4, 1, 5, 2]),  # 18, 4 + 18, 1 + 18, 5 + 18
        (12, [[12], [12] * 2, [12], [12] * 2], [6, 0, 6, 0]),
        (20, [[], [20], [20], [20]], [18, 16, 14, 12]),
        (40, [[], [], [40], []], [18, 36, 14, 32]),
    ],
)
def test_released_schedule(batch, sizes, waiting):
    """Left-over tuples wait; then label steps have no dropout, up to the next round."""
    released = replace(INFLUENCE, interval=4, batch=batch, schedule="released")
    plan = influence_plan(released, replace(LABEL, epochs=4))  # rounds at 4, 8, 12, 16, 20 of 24
    plan = [w for w in plan if w.step < 20]
    carried, ended = 0, []
    for work, expected in zip(rounds_of(plan), sizes, strict=True):
        found, left = update_sizes(work)
        found[:1] = [size + carried for size in found[:1]]
        assert found == expected
        carried = left if found else carried + left
        ended.append(carried)
    assert ended == waiting
    by_step = {
        w.step: w.kind for w in plan if w.kind.startswith("label") and w.examples is not None
    }
    has_dropout = {step: kind == "label" for step, kind in by_step.items()}
    before = [0, *waiting]  # the first steps have it
    assert has_dropout == {step: before[step // 4] == 0 for step in range(20)}


def test_schedules_draw_the_same_tuples():
    def drawn(schedule):
        rounds = rounds_of(influence_plan(replace(INFLUENCE, batch=7, schedule=schedule)))
        return [
            sorted(tuple(row) for w in r if w.kind == "tuples" for row in real(w)) for r in rounds
        ]

    assert drawn("paper") == drawn("released")


@pytest.mark.parametrize("schedule", ["paper", "released"])
def test_pooled_partners(schedule):
    """As many updates as with drawn partners, each by a fresh stratified batch."""
    pooled = replace(INFLUENCE, partners="pooled", batch=13, schedule=schedule)
    plan = influence_plan(pooled)
    pools = [w for w in plan if w.kind == "pool"]
    updates = [w for w in plan if w.kind == "influence_update"]
    assert len(updates) == 2 * 2  # 18 probes a round by 13
    first_round = [w.kind for w in plan if w.step == 6]
    assert [kind for kind, _ in groupby(first_round)][2:6] == ["pool", "influence_update"] * 2
    assert len(pools) == 2 * len(updates)  # one for each label
    for work in pools:
        assert work.examples.shape == (3, 2) and np.all(work.arrays["is_real"])
        assert len(set(TRAIN.label[work.examples.ravel()])) == 1
        assert np.all(TRAIN.confound[work.examples] == [[0, 0], [1, 1], [2, 2]])
    assert len({tuple(w.examples.ravel()) for w in pools}) == len(pools)
    assert not any(w.kind in ("tuples", "label_without_dropout") for w in plan)


def test_partners_leave_the_label_work_alone():
    kinds = ("label", "label_update")
    pooled = influence_plan(replace(INFLUENCE, partners="pooled", batch=13))
    shared = [w for w in pooled if w.kind in kinds]
    assert_same_plan(shared, [w for w in influence_plan() if w.kind in kinds])


def test_work_is_in_order():
    plan = influence_plan()
    assert [w.step for w in plan] == sorted(w.step for w in plan)
    round_of = [kind for kind, _ in groupby(w.kind for w in plan if w.step == 6)]
    assert round_of == [
        *("accuracy", "cid"),
        *["tuples", "influence_update"] * 5,
        *("end_round", "cid", "label", "label_update"),
    ]


def test_no_round_is_an_error():
    influence_plan(replace(INFLUENCE, interval=11))  # after 11 of 18 label steps, 7 remain
    with pytest.raises(UserError, match=r"^influence.interval is 12 but .* 18 label .* 11 or less"):
        influence_plan(replace(INFLUENCE, interval=12))
    with pytest.raises(UserError, match=r"^embedding.interval is 50 but there are only 18"):
        plan_of("embedding_tuning", TRAIN, label=LABEL)
    with pytest.raises(UserError, match=r"only 1 label .* raise label.epochs"):
        influence_plan(label=LabelConfig(epochs=1, batch=50))


def test_embedding_tuning_draws_what_influence_tuning_draws():
    kinds = ("tuples", "influence_update", "end_round")
    embedding = plan_of("embedding_tuning", TRAIN, label=LABEL, embedding=EmbeddingConfig(**ROUNDS))
    ours = [w._replace(cost=0) for w in embedding if w.kind in kinds]
    theirs = [w._replace(cost=0) for w in influence_plan() if w.kind in kinds]
    assert_same_plan(ours, theirs)


@pytest.mark.parametrize("partners", ["drawn", "pooled"])
def test_rounds_use_visible_examples_only(partners):
    train = hide(TRAIN, np.random.default_rng(0).permutation(50)[40:])
    plan = influence_plan(replace(INFLUENCE, partners=partners, batch=13), train=train)
    used = np.unique(
        np.concatenate([w.examples.ravel() for w in plan if w.kind in ("tuples", "pool")])
    )
    assert np.all(np.isin(used, train.visible))
    assert confounds_read(plan, train) == len(used)


def test_partners_must_be_visible():
    confound = np.where((TRAIN.label == 0) & (TRAIN.confound > 0), HIDDEN, TRAIN.confound)
    train = Dataset(TRAIN.input_ids, TRAIN.label, confound.astype(np.int32))
    with pytest.raises(UserError, match="^label 0 occurs only with confound 0, so its examples"):
        influence_plan(train=train)
