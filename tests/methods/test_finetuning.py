"""Finetuning, its controls, and the label steps that other methods share with it."""

from dataclasses import replace

import numpy as np
import pytest

from itune.errors import UserError
from itune.methods import AdversarialConfig, EmbeddingConfig, InfluenceConfig, LabelConfig
from itune.methods.finetuning import finetuning_with_resets
from tests.helpers.plans import assert_same_plan, label_batches, make_dataset, plan_of
from tests.helpers.tiny_method import LABEL as TINY_LABEL
from tests.helpers.tiny_method import TinyMethod, assert_close, assert_reset, label_chunk

TRAIN = make_dataset(50)
LABEL = LabelConfig(epochs=3, batch=8, chunk=3)  # 18 label steps
ROUNDS = {"interval": 6, "epochs": 3, "batch": 4, "probes": 6, "k": 2, "chunk": 3}
INFLUENCE = InfluenceConfig(**ROUNDS)  # 2 rounds


def finetuning_plan(label=LABEL, train=TRAIN, seed=1):
    return plan_of("finetuning", train, seed, label=label)


def influence_plan(influence=INFLUENCE, label=LABEL, train=TRAIN, seed=1):
    return plan_of("influence_tuning", train, seed, label=label, influence=influence)


@pytest.mark.parametrize("chunk", [1, 3, 8, 20])
def test_label_updates(chunk):
    batches = label_batches(finetuning_plan(replace(LABEL, chunk=chunk)))
    assert len(batches) == 3 * (50 // 8)
    assert all(len(set(batch)) == 8 for batch in batches)
    for epoch in np.reshape(batches, (3, -1)):
        assert len(set(epoch)) == 48  # no example twice
    assert set(batches[0]) != set(batches[6])  # shuffled again
    assert batches == label_batches(finetuning_plan())  # chunks change nothing else


def test_evaluations_after_each_epoch():
    evaluations = [w for w in finetuning_plan() if w.kind in ("cid", "accuracy")]
    assert [(w.kind, w.step, w.note) for w in evaluations] == [
        (kind, 6 * epoch, f"epoch {epoch}") for epoch in (1, 2, 3) for kind in ("cid", "accuracy")
    ]


@pytest.mark.parametrize("plan", [finetuning_plan, influence_plan])
def test_seeds(plan):
    assert_same_plan(plan(seed=1), plan(seed=1))
    assert label_batches(plan(seed=1)) != label_batches(plan(seed=2))
    masks = [{int(w.arrays["dropout"]) for w in plan(seed=s) if w.kind == "label"} for s in (1, 2)]
    assert len(masks[0]) == 3 * 6 * 3 and masks[0].isdisjoint(masks[1])  # one for each chunk


def test_batch_beyond_the_data():
    with pytest.raises(UserError, match=r"^label.batch is 51 but .* 50 .* set it to 50 or less"):
        finetuning_plan(replace(LABEL, batch=51))
    assert len(label_batches(finetuning_plan(replace(LABEL, batch=50)))) == 3


def test_both_methods_see_the_same_label_work():
    """Also the same dropout: what differs between them is the rounds."""
    kinds = ("label", "label_update")
    shared = [w for w in influence_plan() if w.kind in kinds]
    assert_same_plan(shared, [w for w in finetuning_plan() if w.kind in kinds])


SECTIONS = {
    "influence": INFLUENCE,
    "embedding": EmbeddingConfig(**ROUNDS),
    "adversarial": AdversarialConfig(epochs=3),
}


def dropout_seeds(plan):
    return [work.arrays["dropout"] for work in plan if "dropout" in work.arrays]


@pytest.mark.parametrize(
    "name",
    ["finetuning_without_dropout", "finetuning_with_resets", "embedding_tuning", "adversarial"],
)
def test_all_methods_see_the_same_batches(name):
    plan, finetuning = plan_of(name, TRAIN, label=LABEL, **SECTIONS), finetuning_plan()
    assert label_batches(plan) == label_batches(finetuning)
    assert dropout_seeds(plan) == dropout_seeds(finetuning)


def test_control_without_dropout():
    plan = plan_of("finetuning_without_dropout", TRAIN, label=LABEL, influence=INFLUENCE)
    kinds = {w.step: w.kind for w in plan if w.examples is not None}
    assert kinds == {s: "label" if s < 6 else "label_without_dropout" for s in range(18)}


def test_control_with_resets():
    plan = plan_of("finetuning_with_resets", TRAIN, label=LABEL, influence=INFLUENCE)
    assert [w.step for w in plan if w.kind == "reset"] == [6, 12]
    assert not any(w.kind == "label_without_dropout" for w in plan)


def test_a_reset_zeroes_the_moments_and_nothing_else():
    method = TinyMethod(finetuning_with_resets, TINY_LABEL, INFLUENCE)
    state, _ = method.run(method.at_peak(), [("label_without_dropout", label_chunk([7, 8]))])
    after, info = method.run(state, [("reset", {})])
    assert info == {}
    assert_close(after.params, state.params)
    assert_reset(after.label, state.label)
