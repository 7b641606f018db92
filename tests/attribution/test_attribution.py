"""What all methods share: one row of the edge-case table after the other, and compilations."""

import jax.numpy as jnp
import numpy as np
import pytest

from itune.attribution import gradient_product


def loss(w, z):
    return 0.5 * (w @ z["x"] - z["y"]) ** 2


def examples(count, **leaves):
    rng = np.random.default_rng(count)
    return {"x": rng.normal(size=(count, 2)), "y": rng.normal(size=count)} | leaves


METHOD = gradient_product(loss, chunk=3)
W = jnp.array([1.0, -1.0])


def test_scores_are_one_row_for_each_probe():
    scores = METHOD.fit(W, examples(7)).score(examples(2))
    assert isinstance(scores, np.ndarray) and scores.shape == (2, 7) and scores.dtype == np.float64


def test_a_gradient_step_on_a_helpful_example_lowers_the_loss():
    """The sign convention: larger = the training example helped."""
    train, probes = examples(7), examples(2)
    scores = METHOD.fit(W, train).score(probes)
    for i in range(7):
        z = {name: leaf[i] for name, leaf in train.items()}
        stepped = W - 1e-6 * (W @ z["x"] - z["y"]) * z["x"]
        for p in range(2):
            probe = {name: leaf[p] for name, leaf in probes.items()}
            assert np.sign(loss(W, probe) - loss(stepped, probe)) == np.sign(scores[p, i])


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_scores_that_are_not_finite(value):
    train = examples(7)
    train["x"][4, 1] = value
    with pytest.raises(ValueError, match=r"training example 4 on probe 0 is .* \(2 of 14 scores"):
        METHOD.fit(W, train).score(examples(2))


def test_no_examples():
    with pytest.raises(ValueError, match="train must have at least one example"):
        METHOD.fit(W, examples(0))
    with pytest.raises(ValueError, match="probes must have at least one example"):
        METHOD.fit(W, examples(7)).score(examples(0))


@pytest.mark.parametrize("y", [np.zeros(6), np.zeros(())])
def test_leaves_of_unequal_length(y):
    with pytest.raises(
        ValueError, match=r"train must have leaves with one leading axis .* got shapes \[\(7, 2\), "
    ):
        METHOD.fit(W, examples(7, y=y))


def test_no_leaves():
    with pytest.raises(ValueError, match="train must have leaves with one leading axis"):
        METHOD.fit(W, {})


@pytest.mark.parametrize("chunk", [0, -1])
def test_chunk(chunk):
    with pytest.raises(ValueError, match=f"chunk must be positive, got {chunk}"):
        gradient_product(loss, chunk=chunk)


def test_one_compilation():
    """A last chunk that is not full, other parameters, other data: all of the same shapes."""
    traces = []

    def counted(w, z):
        traces.append(1)
        return loss(w, z)

    method = gradient_product(counted, chunk=3)
    method.fit(W, examples(7)).score(examples(4))
    once = len(traces)
    method.fit(2 * W, examples(11)).score(examples(5))
    assert 0 < once == len(traces)
