"""Counterfactual augmentation: finetuning whose examples are their twins now and then."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from itune.data.dataset import Dataset, collate
from itune.data.twins import add_twins
from itune.influence import cross_entropy
from itune.methods import CounterfactualConfig
from itune.methods.counterfactual_augmentation import counterfactual_augmentation
from itune.methods.label_steps import label_optimizer
from itune.methods.plans import confounds_read
from tests.helpers.plans import (
    SCHEDULE,
    SEEN,
    assert_as_many_steps_as_finetuning,
    assert_same_plan,
    label_batches,
    plan_of,
)
from tests.helpers.tiny_method import (
    EVEN,
    LABEL,
    TWINNED,
    WITH_TWIN,
    TinyMethod,
    assert_updated,
    expected_update,
    label_chunk,
    outputs,
)

ROWS = SEEN.visible[::2]
DATA = add_twins(SEEN, Dataset([ids[1:] for ids in SEEN.subset(ROWS).input_ids], ROWS, ROWS), ROWS)


def plan_with(share, train=DATA, **options):
    of = CounterfactualConfig(share=share)
    return plan_of("counterfactual_augmentation", train, counterfactual=of, **options)


def originals(batches):
    """Batches with every twin named by its example."""
    own = np.where(DATA.twin_of >= 0, DATA.twin_of, np.arange(len(DATA)))
    return [sorted(own[batch].tolist()) for batch in batches]


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_batches_are_those_of_finetuning_or_their_twins(share):
    plan = plan_with(share)
    assert_as_many_steps_as_finetuning(plan)
    batches = label_batches(plan)
    assert originals(batches) == label_batches(plan_of("finetuning"))
    used = np.concatenate(batches)
    found = np.mean(used >= len(SEEN)) / np.mean(np.isin(originals(batches), ROWS))
    assert found == share if share in (0, 1) else abs(found - share) < 0.15
    assert confounds_read(plan, DATA) == len(SEEN.visible)


def test_every_example_and_epoch_draws_anew():
    for batch in map(np.array, label_batches(plan_with(0.5))):
        assert np.any(batch >= len(SEEN)) and np.any(np.isin(batch, ROWS))
    epochs = np.split(np.array(label_batches(plan_with(0.5))), 3)
    twins = [set(np.ravel(epoch)[np.ravel(epoch) >= len(SEEN)].tolist()) for epoch in epochs]
    assert twins[0] != twins[1] != twins[2] != twins[0]


def test_seeds_and_chunks():
    assert_same_plan(plan_with(0.5), plan_with(0.5))
    assert label_batches(plan_with(0.5)) != label_batches(plan_with(0.5, seed=2))
    chunked = plan_with(0.5, label=replace(SCHEDULE, chunk=25))
    assert label_batches(plan_with(0.5)) == label_batches(chunked)


def test_a_twin_tells_the_confound_of_its_example():
    plan = [work for work in plan_with(1.0) if work.kind == "label"][:1]
    real = plan[0].examples[plan[0].arrays["is_real"]]
    assert np.any(real >= len(SEEN))
    own = np.where(DATA.twin_of[real] >= 0, DATA.twin_of[real], real)
    assert confounds_read(plan, DATA) == len(np.intersect1d(own, SEEN.visible))


def test_an_update_by_hand():
    """A batch of two examples and the twin of a third: the mean of their losses."""
    twinned = TinyMethod(counterfactual_augmentation, LABEL, CounterfactualConfig(), train=TWINNED)
    state = twinned.at_peak()
    rows = np.array([1, 2, 24 + 4])
    chunk = label_chunk(rows, data=TWINNED)
    done = [("label_without_dropout", chunk), ("label_update", {})]
    after, info = twinned.run(state, done)
    first = collate(EVEN, rows[:2], length=8)
    ids = [*np.asarray(EVEN.input_ids[WITH_TWIN[4]])[1:]]
    twin = {
        "input_ids": np.array([[*ids, *[0] * (8 - len(ids))]], np.int32),
        "attention_mask": np.arange(8)[None] < len(ids),
        "label": EVEN.label[WITH_TWIN[4]][None],
    }

    def loss(params):
        losses = [
            cross_entropy(outputs(params, of, None).logits, of["label"]) for of in (first, twin)
        ]
        return jnp.mean(jnp.concatenate(losses))

    found = jax.jit(jax.value_and_grad(loss))(state.params)
    tx = label_optimizer(LABEL, 24)
    expected = expected_update(tx, state.label.optimizer, state.params, found)
    assert_updated(after.params, after.label, info, "loss", expected)
