"""Products and cosines of gradients equal those of ``jax.grad``, flattened."""

from functools import cache

import numpy as np
import pytest

from itune.attribution import gradient_cosine, gradient_product
from tests.helpers.attribution_cases import (
    any_loss,
    assert_close,
    entries,
    flat_gradients,
    linen_loss,
    net_examples,
    net_params,
)

METHODS = {"product": gradient_product, "cosine": gradient_cosine}
LOSSES = {"linen": linen_loss, "any": any_loss}


@cache
def method(name, loss, chunk):
    return METHODS[name](LOSSES[loss], chunk=chunk)


def expected(name, train, probes, selected=np.s_[:]):
    a, b = (flat_gradients(any_loss, net_params(), z)[:, selected] for z in (probes, train))
    if name == "cosine":
        a, b = (g / np.linalg.norm(g, axis=1, keepdims=True) for g in (a, b))
    return a @ b.T


@pytest.mark.parametrize("chunk", [4, 100])
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("name", METHODS)
def test_brute_force(name, loss, chunk):
    train, probes = net_examples(0, 10), net_examples(1, 6)
    scores = method(name, loss, chunk).fit(net_params(), train).score(probes)
    assert_close(scores, expected(name, train, probes), 1e-12)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("name", METHODS)
def test_select(name, loss):
    train, probes = net_examples(0, 4), net_examples(1, 4)
    restricted = METHODS[name](LOSSES[loss], select=["layers_2/*", "layers_0/kernel[0:2]"])
    selected = {"layers_2/kernel": ..., "layers_2/bias": ..., "layers_0/kernel": np.s_[0:2]}
    scores = restricted.fit(net_params(), train).score(probes)
    assert_close(scores, expected(name, train, probes, entries(net_params(), selected)), 1e-12)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("name", METHODS)
def test_zero_gradients(name, loss):
    train, probes = net_examples(0, 10), net_examples(1, 6)
    train["scale"][3] = probes["scale"][2] = 0
    scores = method(name, loss, 4).fit(net_params(), train).score(probes)
    assert np.all(scores[:, 3] == 0) and np.all(scores[2] == 0)
    assert np.all(np.delete(np.delete(scores, 3, axis=1), 2, axis=0) != 0)


@pytest.mark.parametrize("loss", LOSSES)
def test_cosine_does_not_depend_on_the_size_of_a_loss(loss):
    train, probes = net_examples(0, 10), net_examples(1, 6)
    expected_cosines = method("cosine", loss, 4).fit(net_params(), train).score(probes)
    train["scale"], probes["scale"] = train["scale"] * 1e-30, probes["scale"] * 1e3
    assert_close(
        method("cosine", loss, 4).fit(net_params(), train).score(probes), expected_cosines, 1e-12
    )
    assert np.abs(expected_cosines).max() <= 1 + 1e-12
