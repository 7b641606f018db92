"""Label steps: one optax update by the mean of a batch, however it is cut into chunks."""

from dataclasses import replace

import jax
import numpy as np
import optax
import pytest

from itune.data.dataset import collate
from itune.influence import cross_entropy
from itune.methods import EmbeddingConfig, InfluenceConfig
from itune.methods.embedding_tuning import embedding_tuning
from itune.methods.finetuning import finetuning
from itune.methods.influence_tuning import influence_tuning
from itune.optimizers import bert_adam, warmup_linear
from tests.helpers.tiny_method import (
    LABEL,
    TRAIN,
    TinyMethod,
    assert_close,
    assert_updated,
    expected_update,
    label_chunk,
    outputs,
)

FINETUNING = TinyMethod(finetuning, LABEL)
METHODS = {
    "finetuning": FINETUNING,
    "influence_tuning": TinyMethod(influence_tuning, LABEL, InfluenceConfig(k=2)),
    "embedding_tuning": TinyMethod(embedding_tuning, LABEL, EmbeddingConfig(k=2)),
}


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize(
    "chunks", [([7, 8, 9], [10, 11, 12]), ([12, 7], [8, 11, 9], [10]), ([9], [7, 8, 12], [10, 11])]
)
def test_label_step(name, chunks):
    """However six examples are cut into chunks: one update by the mean over all six."""
    method = METHODS[name]
    state = method.at_peak()
    work = [("label_without_dropout", label_chunk(chunk)) for chunk in chunks]
    after, info = method.run(state, [*work, ("label_update", {})])

    six = collate(TRAIN, np.arange(7, 13))

    def mean_loss(params):
        return cross_entropy(outputs(params, six, None).logits, six["label"]).mean()

    expected = expected_update(
        bert_adam(warmup_linear(0.1, 20)),
        state.label.optimizer,
        state.params,
        jax.jit(jax.value_and_grad(mean_loss))(state.params),
    )
    assert_updated(after.params, after.label, info, "loss", expected)
    assert np.any(after.params["classifier"]["bias"] != state.params["classifier"]["bias"])
    predicted = np.asarray(outputs(state.params, six, None).logits).argmax(axis=-1)
    assert float(info["accuracy"]) == pytest.approx(np.mean(predicted == six["label"]))


def test_one_update_serves_all_rates():
    """What differs, the schedule, stands in the state: nothing is traced or compiled again."""
    other = TinyMethod(finetuning, replace(LABEL, learning_rate=0.2, epochs=3))
    assert other.method.steps["label_update"] is FINETUNING.method.steps["label_update"]
    for method, expected in ((FINETUNING, (0.1, 20, 2)), (other, (0.2, 12, 1.2))):
        schedule = optax.tree.get(method.initial().label.optimizer, "schedule")
        np.testing.assert_allclose(schedule, expected, rtol=1e-12)


def test_dropout_follows_its_seed():
    state = FINETUNING.at_peak()

    def gradient(kind, seed):
        after, _ = FINETUNING.steps[kind](state, label_chunk([7, 8, 9], seed=seed))
        return np.asarray(after.label.gradient["classifier"]["kernel"])

    without = gradient("label_without_dropout", 1)
    np.testing.assert_array_equal(without, gradient("label_without_dropout", 2))
    np.testing.assert_array_equal(gradient("label", 1), gradient("label", 1))
    assert np.any(gradient("label", 1) != gradient("label", 2))
    assert np.any(gradient("label", 1) != without)


def test_rows_that_are_not_real():
    """Neither what they hold nor how many there are changes anything."""
    state = FINETUNING.at_peak()
    step = FINETUNING.steps["label_without_dropout"]
    chunk = label_chunk([7])
    other = chunk | {"examples": collate(TRAIN, np.array([7, 20, 21]))}
    assert_close(step(state, chunk)[0], step(state, other)[0])
    assert float(step(state, chunk)[0].label.count) == 1
    for_two = step(state, label_chunk([7, 7]))[0]
    assert_close(
        jax.tree.map(lambda g: 2 * g, step(state, chunk)[0].label.gradient), for_two.label.gradient
    )


def test_first_update_has_rate_0():
    state = FINETUNING.initial()
    work = [("label_without_dropout", label_chunk([1])), ("label_update", {})]
    after, _ = FINETUNING.run(state, work)
    assert_close(after.params, state.params)
    assert any(np.any(leaf) for leaf in jax.tree.leaves(after.label.optimizer))
