"""Plans: evaluations that are left out, and what a plan reads of the training data."""

from dataclasses import replace

import numpy as np
import pytest

from itune.data.dataset import Dataset
from itune.methods import AdversarialConfig, InfluenceConfig, LabelConfig
from itune.methods.plans import (
    BETWEEN,
    confounds_read,
    evaluated_every,
    labels_in_steps,
    last_evaluation_only,
)
from tests.helpers.plans import (
    BIG,
    assert_same_plan,
    hide,
    make_dataset,
    plan_of,
)

TRAIN = make_dataset(50)
LABEL = LabelConfig(epochs=3, batch=8, chunk=3)  # 18 label steps
ROUNDS = {"interval": 6, "epochs": 3, "batch": 4, "probes": 6, "k": 2, "chunk": 3}
INFLUENCE = InfluenceConfig(**ROUNDS)  # 2 rounds


@pytest.mark.parametrize("kind, note", [("cid", "end"), ("accuracy", "epoch 3")])
def test_last_evaluation_only(kind, note):
    plan = plan_of("influence_tuning", TRAIN, label=LABEL, influence=INFLUENCE)
    thinned = last_evaluation_only(plan, kind)
    assert [w.note for w in thinned if w.kind == kind] == [note]
    last = max(place for place, work in enumerate(plan) if work.kind == kind)
    assert [w.kind for w in thinned[-(len(plan) - last) :]] == [w.kind for w in plan[last:]]
    assert_same_plan(*([w for w in p if w.kind != kind] for p in (plan, thinned)))


@pytest.mark.parametrize("average", [0.0, 0.5])
def test_evaluated_every(average):
    """After the step and what is averaged of it, before a round; epochs end after 6, 12 and 18."""
    label = replace(LABEL, average=average)
    plan = plan_of("influence_tuning", TRAIN, label=label, influence=INFLUENCE)
    more = evaluated_every(plan, 4)
    notes = [work.note for work in more if work.kind == "accuracy"]
    assert notes == [BETWEEN, "epoch 1", BETWEEN, "epoch 2", BETWEEN, "epoch 3"]
    assert [w.step for w in more if w.note == BETWEEN] == [4, 8, 16]
    assert_same_plan(plan, [work for work in more if work.note != BETWEEN])
    for place, work in enumerate(more):
        if work.note == BETWEEN:
            is_averaged = average and work.step > 9
            assert more[place - 1].kind == ("average" if is_averaged else "label_update")
            assert more[place + 1].kind == "label"


def test_the_first_of_two_trainings_is_not_evaluated():
    plan = plan_of("just_train_twice", TRAIN, label=LABEL)
    more = evaluated_every(plan, 4)
    restart = next(place for place, work in enumerate(more) if work.kind == "restart")
    assert all(work.kind not in ("accuracy", "cid") for work in more[:restart])
    steps = [work.step - more[restart].step for work in more if work.note == BETWEEN]
    assert steps == [4, 8, 16]


def test_confounds_read():
    train = hide(TRAIN, np.random.default_rng(0).permutation(50)[30:])
    assert confounds_read(plan_of("finetuning", train, label=LABEL), train) == 0
    one_epoch = AdversarialConfig(epochs=1)
    plan = plan_of("adversarial", train, label=LABEL, adversarial=one_epoch)
    seen = np.concatenate([w.examples for w in plan if w.examples is not None])
    assert confounds_read(plan, train) == len(np.intersect1d(seen, train.visible)) > 20


def test_labels_in_steps():
    """What chance is, for the test of collapse: balanced batches make it 1/2."""
    train = Dataset(BIG.input_ids, (np.arange(150) % 5 == 0).astype(np.int32), BIG.confound)
    share = {
        name: labels_in_steps(plan_of(name, train), train).mean()
        for name in ("balanced_sampling", "subsampling", "product_of_experts")
    }
    expected = {"balanced_sampling": 0.5, "subsampling": 0.5, "product_of_experts": 0.2}
    assert share == pytest.approx(expected, abs=0.01)
    rounds = InfluenceConfig(interval=2)
    dropped = plan_of("finetuning_without_dropout", train, influence=rounds)
    assert len(labels_in_steps(dropped, train)) == 450
