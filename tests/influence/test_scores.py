"""Scores of all pairs are products and cosines of ``jax.grad`` s."""

from functools import cache, partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from itune.influence import cosines, products
from tests.helpers.influence_cases import CASES, assert_close, cast, flat_gradient, get_case

PROBES, TRAIN = 2, 3


def examples_of(name):
    case = get_case(name)
    return [case.draw(np.random.default_rng(seed), n) for seed, n in ((30, PROBES), (31, TRAIN))]


@cache
def dense(name):
    """Gradients of probes and of training examples, as rows."""
    case, both = get_case(name), jax.tree.map(lambda *x: np.concatenate(x), *examples_of(name))
    rows = np.asarray(jax.jit(jax.vmap(partial(flat_gradient, case.loss, case.params)))(both))
    return rows[:PROBES], rows[PROBES:]


@pytest.mark.parametrize("name", CASES)
def test_products(name):
    params, (probes, train) = get_case(name).params, examples_of(name)
    g, h = dense(name)
    actual = jax.jit(products(get_case(name).loss))(params, probes, train)
    assert actual.shape == (PROBES, TRAIN)
    assert_close(actual, g @ h.T, 1e-12)


def unit(rows):
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.mark.parametrize("name", ["mlp", "bert", "tied"])
def test_cosines(name):
    params, (probes, train) = get_case(name).params, examples_of(name)
    g, h = map(unit, dense(name))
    assert_close(jax.jit(cosines(get_case(name).loss))(params, probes, train), g @ h.T, 1e-12)


def test_any_loss():
    params, (probes, train) = get_case("mlp").params, examples_of("mlp")

    def any_loss(params, z):
        return get_case("mlp").loss(params, z)

    for make in (products, cosines):
        a, b = (
            jax.jit(make(loss))(params, probes, train) for loss in (any_loss, get_case("mlp").loss)
        )
        assert_close(a, b, 1e-12)


@pytest.mark.parametrize("is_linen", [True, False])
def test_select(is_linen):
    """A tensor and a head's columns of another, as in the dense gradient."""
    params, (probes, train) = get_case("bert").params, examples_of("bert")
    loss = get_case("bert").loss
    select = ["classifier/*", "layer_0/query/kernel[:, 4:8]", "embeddings/word/embedding[2:9]"]

    is_selected = jax.tree.map(lambda leaf: np.zeros(leaf.shape, bool), params)
    for whole in is_selected["classifier"].values():
        whole[:] = True
    is_selected["layer_0"]["query"]["kernel"][:, 4:8] = True
    is_selected["embeddings"]["word"]["embedding"][2:9] = True
    columns = np.concatenate([leaf.ravel() for leaf in jax.tree.leaves(is_selected)])
    g, h = (rows[:, columns] for rows in dense("bert"))
    shown = loss if is_linen else (lambda p, z: loss(p, z))
    actual = jax.jit(products(shown, select=select))(params, probes, train)
    assert_close(actual, g @ h.T, 1e-12)
    actual = jax.jit(cosines(shown, select=select))(params, probes, train)
    assert_close(actual, unit(g) @ unit(h).T, 1e-12)


@pytest.mark.parametrize("is_linen", [True, False])
def test_vanishing_and_zero_gradients(is_linen):
    params, (probes, train) = get_case("mlp").params, examples_of("mlp")
    loss = get_case("mlp").loss if is_linen else (lambda p, z: get_case("mlp").loss(p, z))
    train = train | {"gap": np.full(TRAIN, 69.0)}
    both = jax.jit(cosines(loss))
    expected = np.array(both(params, probes, train))
    expected[:, 1] = 0
    train = train | {"scale": np.array([1.0, 0.0, 1.0])}
    actual = np.asarray(both(*cast((params, probes, train), jnp.float32)))
    assert actual.dtype == jnp.float32 and np.all(actual[:, 1] == 0)
    assert_close(actual, expected, 1e-5)
