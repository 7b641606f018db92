"""Scores of all pairs are products and cosines of ``jax.grad`` s."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from influence_cases import CASES, assert_close, cast, flat_gradient, get_case

from itune.influence import cosines, products

PROBES, TRAIN = 2, 3


def examples_of(name):
    case = get_case(name)
    return [case.draw(np.random.default_rng(seed), n) for seed, n in ((30, PROBES), (31, TRAIN))]


def dense(name, params, examples, select=None):
    one = partial(flat_gradient, get_case(name).loss, params, select=select)
    return jax.jit(jax.vmap(one))(examples)


@pytest.mark.parametrize("name", CASES)
def test_products(name):
    params, (probes, train) = get_case(name).params, examples_of(name)
    g, h = (dense(name, params, z) for z in (probes, train))
    found = jax.jit(products(get_case(name).loss))(params, probes, train)
    assert found.shape == (PROBES, TRAIN)
    assert_close(found, g @ h.T, 1e-12)


def unit(rows):
    return rows / jnp.linalg.norm(rows, axis=1, keepdims=True)


@pytest.mark.parametrize("name", ["mlp", "bert", "tied"])
def test_cosines(name):
    params, (probes, train) = get_case(name).params, examples_of(name)
    g, h = (unit(dense(name, params, z)) for z in (probes, train))
    assert_close(jax.jit(cosines(get_case(name).loss))(params, probes, train), g @ h.T, 1e-12)


def test_any_loss():
    params, (probes, train) = get_case("mlp").params, examples_of("mlp")

    def plain(params, z):
        return get_case("mlp").loss(params, z)

    for make in (products, cosines):
        a, b = (
            jax.jit(make(loss))(params, probes, train) for loss in (plain, get_case("mlp").loss)
        )
        assert_close(a, b, 1e-12)


@pytest.mark.parametrize("is_linen", [True, False])
def test_select(is_linen):
    """A tensor and a head's columns of another, as in the dense gradient."""
    params, (probes, train) = get_case("bert").params, examples_of("bert")
    loss = get_case("bert").loss
    select = ["classifier/*", "layer_0/query/kernel[:, 4:8]", "embeddings/word/embedding[2:9]"]

    def rows(z):
        gradient = jax.jit(jax.vmap(jax.grad(loss), (None, 0)))(params, z)
        parts = [
            gradient["classifier"]["kernel"],
            gradient["classifier"]["bias"],
            gradient["layer_0"]["query"]["kernel"][:, :, 4:8],
            gradient["embeddings"]["word"]["embedding"][:, 2:9],
        ]
        return jnp.concatenate([p.reshape(len(p), -1) for p in parts], axis=1)

    g, h = rows(probes), rows(train)
    shown = loss if is_linen else (lambda p, z: loss(p, z))
    found = jax.jit(products(shown, select=select))(params, probes, train)
    assert_close(found, g @ h.T, 1e-12)
    found = jax.jit(cosines(shown, select=select))(params, probes, train)
    assert_close(found, unit(g) @ unit(h).T, 1e-12)


@pytest.mark.parametrize("is_linen", [True, False])
def test_vanishing_and_zero_gradients(is_linen):
    params, (probes, train) = get_case("mlp").params, examples_of("mlp")
    loss = get_case("mlp").loss if is_linen else (lambda p, z: get_case("mlp").loss(p, z))
    expected = jax.jit(cosines(loss))(params, probes, train | {"gap": jnp.full(TRAIN, 69.0)})
    train = train | {"gap": jnp.full(TRAIN, 69.0), "scale": jnp.array([1.0, 0.0, 1.0])}
    found = jax.jit(cosines(loss))(*cast((params, probes, train), jnp.float32))
    assert found.dtype == jnp.float32 and np.all(found[:, 1] == 0)
    assert_close(found, expected.at[:, 1].set(0), 1e-5)
