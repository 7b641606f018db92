"""Both variants against dense formulas."""

import jax.numpy as jnp
import numpy as np
import pytest

from itune.attribution import gradient_cosine, influence_functions, relatif
from tests.helpers.attribution_cases import (
    CG,
    DAMPING,
    PROBLEMS,
    assert_close,
    influence,
    influence_parts,
    linen_loss,
    logistic,
    net,
)


def scores(name, variant, **settings):
    problem = PROBLEMS[name]()
    method = relatif(influence(name, **settings), variant=variant)
    return method.fit(problem.params, problem.train).score(problem.probes)


def dense(name, variant):
    probes, matrix, train = influence_parts(name, DAMPING[name])
    solved = np.linalg.solve(matrix, train.T)  # (D, N)
    if variant == "theta":
        return probes @ solved / np.linalg.norm(solved, axis=0)
    return probes @ solved / np.sqrt(np.sum(train.T * solved, axis=0))


@pytest.mark.parametrize("variant", ["theta", "l"])
@pytest.mark.parametrize("name", ["logistic", "net"])
def test_dense_formula(name, variant):
    assert_close(scores(name, variant), dense(name, variant), 1e-11)


@pytest.mark.parametrize("variant", ["theta", "l"])
def test_conjugate_gradients(variant):
    assert_close(scores("logistic", variant, solver=CG), dense("logistic", variant), 1e-8)


@pytest.mark.parametrize("variant", ["theta", "l"])
def test_chunks_do_not_change_the_scores(variant):
    assert_close(scores("logistic", variant, chunk=7), dense("logistic", variant), 1e-11)


def test_l_relatif_of_a_probe_with_itself_is_the_largest():
    """It is a cosine in the metric of the inverse Hessian, times the probe's length."""
    train = logistic().train
    actual = relatif(influence("logistic"), variant="l").fit(logistic().params, train).score(train)
    assert np.all(actual.max(axis=1) <= np.diag(actual) * (1 + 1e-12))


@pytest.mark.parametrize("variant", ["theta", "l"])
def test_a_zero_gradient_scores_0(variant):
    train = net().train | {"scale": np.where(np.arange(20) == 3, 0.0, 1.0)}
    actual = relatif(influence("net"), variant=variant).fit(net().params, train).score(net().probes)
    assert np.all(actual[:, 3] == 0) and np.all(np.delete(actual, 3, axis=1) != 0)


def scaled_loss(w, z):
    return 0.5 * z["scale"] * jnp.sum((w - z["x"]) ** 2)


@pytest.mark.parametrize("variant", ["theta", "l"])
def test_vanishing_gradients_in_float32(variant):
    """Their squares underflow, and their sizes cancel; the Hessian here is a multiple of I."""
    rng = np.random.default_rng(0)
    train = {"x": rng.normal(size=(3, 2)), "scale": np.array([1.0, 1e-25, 0.5])}
    train = {name: leaf.astype(np.float32) for name, leaf in train.items()}
    probes = {"x": np.zeros((1, 2), np.float32), "scale": np.ones(1, np.float32)}
    method = relatif(influence_functions(scaled_loss, damping=0.0), variant=variant)
    actual = method.fit(jnp.ones(2, jnp.float32), train).score(probes)
    units = (1 - train["x"]) / np.linalg.norm(1 - train["x"], axis=1, keepdims=True)
    size = 1.0 if variant == "theta" else np.sqrt(train["scale"].mean())
    assert_close(actual, units.sum(axis=1)[None] / size, 1e-5)


def test_unknown_variant():
    with pytest.raises(ValueError, match="variant must be one of theta, l, got 'ell'"):
        relatif(influence("net"), variant="ell")


def test_not_an_influence_function():
    with pytest.raises(ValueError, match="influence must be a method from influence_functions"):
        relatif(gradient_cosine(linen_loss), variant="l").fit(net().params, net().train)


def test_a_solver_that_is_too_inexact():
    backwards = influence_functions(
        linen_loss, damping=0.0, solver=lambda hessian: lambda vectors: -vectors
    )
    with pytest.raises(ValueError, match="of training example 0 came out negative; raise damping"):
        relatif(backwards, variant="l").fit(net().params, net().train)


def test_a_solver_of_ones_own():
    """With the identity in place of the inverse, influence is the mean product."""
    method = influence_functions(linen_loss, damping=0.0, solver=lambda hessian: jnp.asarray)
    actual = method.fit(net().params, net().train).score(net().probes)
    probes, _, train = influence_parts("net", 0.0)
    assert_close(actual, probes @ train.T / 20, 1e-12)
