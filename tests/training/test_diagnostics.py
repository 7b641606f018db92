"""Diagnostics: what is measured is what its name says, and measuring changes nothing."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree

from itune.data.dataset import HIDDEN, Dataset, collate
from itune.methods import LabelConfig
from itune.metrics import make_cid
from itune.training import RunOptions, run_task
from itune.training.diagnostics import make_diagnostics
from itune.training.measures import make_accuracies
from tests.helpers.small_run import make_config
from tests.helpers.tiny_method import CLASSIFIER, EVEN, TRAIN, initial_params, one_by_one


def measured(train=EVEN, dev=TRAIN):
    accuracies = make_accuracies(CLASSIFIER)
    data = {"train": train, "dev": dev}
    return make_diagnostics(CLASSIFIER, data, accuracies).evaluate(initial_params())


@pytest.fixture(scope="module")
def found():
    """What is measured of all 24 rows, which are the sample."""
    return measured()


def test_influences_within_and_across_labels(found):
    gradients = np.array(one_by_one(initial_params(), collate(EVEN, np.arange(24)))[1])
    unit = gradients / np.linalg.norm(gradients, axis=1, keepdims=True)
    cosines, same = unit @ unit.T, EVEN.label[:, None] == EVEN.label[None, :]
    for name, pairs in (("within", same & ~np.eye(24, dtype=bool)), ("across", ~same)):
        np.testing.assert_allclose(found[f"{name}_mean"], cosines[pairs].mean(), rtol=1e-9)
        np.testing.assert_allclose(found[f"{name}_sd"], cosines[pairs].std(), rtol=1e-9)


def test_gradients_of_both_losses(found):
    label, confound = jnp.array(EVEN.label), jnp.array(EVEN.confound)
    same = (label[:, None] == label[None, :]) & ~jnp.eye(24, dtype=bool)
    own, other = (
        same & ((confound[:, None] == confound[None, :]) == is_own) for is_own in (True, False)
    )

    def influence_loss(params):
        _, gradients = one_by_one(params, collate(EVEN, np.arange(24)))
        unit = gradients / jnp.linalg.norm(gradients, axis=1, keepdims=True)
        cosines = unit @ unit.T
        means = (
            (jnp.where(of, cosines, 0).sum(1) / of.sum(1).astype(float)) for of in (own, other)
        )
        return jnp.mean((next(means) - next(means)) ** 2), gradients.sum(axis=0)

    derivative = jax.jit(jax.value_and_grad(influence_loss, has_aux=True))
    (value, b), gradient = derivative(initial_params())
    a = np.array(ravel_pytree(gradient)[0])
    np.testing.assert_allclose(found["influence_loss"], value, rtol=1e-9)
    cosine = a @ b / np.linalg.norm(a) / np.linalg.norm(b)
    np.testing.assert_allclose(found["gradient_cosine"], cosine, rtol=1e-8)


def test_held_out_cid_and_fitted_groups(found):
    cid = make_cid(CLASSIFIER.loss, TRAIN, probes=np.arange(24))(initial_params()).summary()
    np.testing.assert_allclose(found["dev_cid"], cid["cid"], rtol=1e-12)
    assert set(found["train_groups"]) == {f"y={y} c={c}" for y in range(3) for c in range(2)}
    lone = Dataset(TRAIN.input_ids, TRAIN.label, TRAIN.label)
    assert measured(dev=lone)["dev_cid"] is None


def test_rows_without_partners_are_in_no_round_and_in_no_sample(found):
    confound = EVEN.confound.copy()
    confound[0] = 7
    alone = measured(Dataset(EVEN.input_ids, EVEN.label, confound))
    confound[0] = HIDDEN
    hidden = measured(Dataset(EVEN.input_ids, EVEN.label, confound))
    assert alone["influence_loss"] == hidden["influence_loss"] != found["influence_loss"]


def test_rows_of_dev_without_confound_are_left_out():
    confound = TRAIN.confound.copy()
    confound[:5] = HIDDEN
    found = measured(dev=Dataset(TRAIN.input_ids, TRAIN.label, confound))
    rest = TRAIN.subset(np.arange(5, 24))
    cid = make_cid(CLASSIFIER.loss, rest, probes=np.arange(19))(initial_params()).summary()
    np.testing.assert_allclose(found["dev_cid"], cid["cid"], rtol=1e-12)


def test_a_run_that_is_looked_at_ends_with_the_same_model(small_encoder, tmp_path):
    label = LabelConfig(epochs=1, batch=8, chunk=4)
    config = make_config(small_encoder, label=label)
    looked = make_config(small_encoder, label=label, diagnostics=True)
    runs = [
        run_task(of, "finetuning", 1, tmp_path / f"run{number}", RunOptions())
        for number, of in enumerate((config, looked))
    ]
    weights = [(run.folder / "model/model.safetensors").read_bytes() for run in runs]
    assert weights[0] == weights[1]
    kinds = [[row["kind"] for row in run.metrics] for run in runs]
    assert "diagnostics" not in kinds[0]
    assert kinds[1].count("diagnostics") == kinds[1].count("cid") == kinds[0].count("cid")
