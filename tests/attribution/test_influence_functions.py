"""Influence functions against dense formulas, and against training again without an example."""

from functools import cache

import jax
import numpy as np
import pytest
from scipy.stats import spearmanr

from itune.attribution import exact, influence_functions
from tests.helpers.attribution_cases import (
    L2,
    assert_close,
    entries,
    influence,
    influence_parts,
    linen_loss,
    logistic,
    logistic_loss,
    logistic_penalty,
    mean,
    net,
    ridge,
    ridge_loss,
)

CONVEX = {"ridge": ridge, "logistic": logistic}


@cache
def scores(name):
    problem = CONVEX[name]()
    return influence(name).fit(problem.params, problem.train).score(problem.probes)


def dense(name, damping, selected=np.s_[:]):
    probes, matrix, train = influence_parts(name, damping, selected)
    return probes @ np.linalg.solve(matrix, train.T) / len(train)


# --- leaving one out ----------------------------------------------------------------------------


def increases(problem):
    """How much each probe's loss is higher when retrained without each example, ``(P, N)``."""
    losses = jax.jit(jax.vmap(problem.loss, (None, 0)))
    weights = mean(problem.train)
    without = [
        losses(problem.retrain(np.where(np.arange(len(weights)) == i, 0, weights)), problem.probes)
        for i in range(len(weights))
    ]
    return np.stack(without, axis=1) - losses(problem.params, problem.probes)[:, None]


@pytest.mark.parametrize("name", CONVEX)
def test_retraining_ranks_the_same(name):
    for predicted, real in zip(scores(name), increases(CONVEX[name]()), strict=True):
        assert spearmanr(predicted, real).statistic >= 0.99


@pytest.mark.parametrize("name", CONVEX)
def test_retraining_changes_the_loss_about_as_much(name):
    real = increases(CONVEX[name]())
    assert np.linalg.norm(scores(name) - real) <= 0.2 * np.linalg.norm(real)


def test_the_error_is_of_first_order_in_one_by_n():
    """With each example eight times, leaving out one of them is predicted eight times as well."""

    def relative_error(problem):
        predicted = influence("ridge").fit(problem.params, problem.train).score(problem.probes)
        real = increases(problem)
        return np.linalg.norm(predicted - real) / np.linalg.norm(real)

    assert 7 <= relative_error(ridge()) / relative_error(ridge(copies=8)) <= 9


def test_closed_form_of_leaving_one_out_of_ridge_regression():
    """``g_prb . (w_without_i - w) = score / (1 - leverage_i)``, exactly."""
    problem, weights = ridge(), mean(ridge().train)
    x, y = problem.train["x"], problem.train["y"]
    inverse = np.linalg.inv(x.T @ x / 40 + L2 * np.eye(4))
    leverages = np.einsum("id,de,ie->i", x, inverse, x) / 40
    without = [problem.retrain(np.where(np.arange(40) == i, 0, weights)) for i in range(40)]
    probe_x, probe_y = problem.probes["x"], problem.probes["y"]
    gradients = (probe_x @ problem.params - probe_y)[:, None] * probe_x
    changes = gradients @ (np.stack(without) - problem.params).T
    assert_close(scores("ridge") / (1 - leverages), changes, 1e-11)
    formula = gradients @ inverse @ (x * (x @ problem.params - y)[:, None]).T / 40
    assert_close(scores("ridge"), formula, 1e-12)


# --- the formula --------------------------------------------------------------------------------


def test_dense_formula_of_logistic_regression():
    assert_close(scores("logistic"), dense("logistic", 0.0), 1e-11)


def test_damping_of_an_indefinite_hessian():
    fitted = influence("net").fit(net().params, net().train)
    assert np.linalg.eigvalsh(influence_parts("net", 0.0)[1])[0] < -1e-3
    assert_close(fitted.score(net().probes), dense("net", 1.5), 1e-11)


SELECTIONS = {
    "a layer": ("layers_2/*", {"layers_2/kernel": ..., "layers_2/bias": ...}),
    "a slice": (
        ["layers_2/bias", "layers_0/kernel[1:3, 0:2]"],
        {"layers_2/bias": ..., "layers_0/kernel": np.s_[1:3, 0:2]},
    ),
}


@pytest.mark.parametrize("name", SELECTIONS)
def test_select(name):
    select, selected = SELECTIONS[name]
    method = influence_functions(linen_loss, damping=1.5, select=select)
    fitted = method.fit(net().params, net().train)
    expected = dense("net", 1.5, entries(net().params, selected))
    assert_close(fitted.score(net().probes), expected, 1e-11)


def test_select_restricts_the_regulariser_too():
    method = influence_functions(
        logistic_loss, damping=0.1, regulariser=logistic_penalty, select="w"
    )
    fitted = method.fit(logistic().params, logistic().train)
    expected = dense("logistic", 0.1, entries(logistic().params, {"w": ...}))
    assert_close(fitted.score(logistic().probes), expected, 1e-11)


@pytest.mark.parametrize("chunk", [7, 1000])
def test_chunks_do_not_change_the_scores(chunk):
    fitted = influence("logistic", chunk=chunk).fit(logistic().params, logistic().train)
    assert_close(fitted.score(logistic().probes), scores("logistic"), 1e-11)


def test_float32():
    def single(tree):
        return {name: leaf.astype(np.float32) for name, leaf in tree.items()}

    params, train, probes = ridge().params, single(ridge().train), single(ridge().probes)
    actual = influence("ridge").fit(params.astype(np.float32), train).score(probes)
    assert actual.dtype == np.float32
    assert_close(actual, scores("ridge"), 1e-5)


# --- edges --------------------------------------------------------------------------------------


def with_row(examples, leaf, row, value):
    changed = examples[leaf].copy()
    changed[row] = value
    return examples | {leaf: changed}


def test_a_zero_gradient_scores_0():
    train, probes = with_row(net().train, "scale", 3, 0), with_row(net().probes, "scale", 1, 0)
    actual = influence("net").fit(net().params, train).score(probes)
    assert np.all(actual[:, 3] == 0) and np.all(actual[1] == 0)
    assert np.all(np.delete(np.delete(actual, 3, axis=1), 1, axis=0) != 0)


@pytest.mark.parametrize("damping", [-0.1, np.nan])
def test_damping_below_0(damping):
    with pytest.raises(ValueError, match=f"damping must be 0 or more, got {damping}"):
        influence_functions(ridge_loss, damping=damping)


def test_chunk():
    with pytest.raises(ValueError, match="chunk must be positive, got 0"):
        influence_functions(ridge_loss, damping=0.0, chunk=0)


def test_a_probe_that_is_not_finite():
    fitted = influence("ridge").fit(ridge().params, ridge().train)
    with pytest.raises(ValueError, match="the gradient of probe 19 is not finite"):
        fitted.score(with_row(ridge().train, "y", 19, np.nan))


@pytest.mark.parametrize(
    ("leaf", "message"),
    [
        ("y", "the gradient of training example 39 is not finite"),
        ("x", "the Hessian of the training losses is not finite"),
    ],
)
def test_training_data_that_are_not_finite(leaf, message):
    train = with_row(ridge().train, leaf, 39, np.inf)
    with pytest.raises(ValueError, match=message):
        influence("ridge").fit(ridge().params, train).score(ridge().probes)


def test_the_inverse_is_refused_for_many_parameters():
    limited = influence_functions(ridge_loss, damping=0.0, solver=exact(max_parameters=3))
    with pytest.raises(
        ValueError, match="max_parameters must be at least 4, .* got 3; use conjugate_gradients"
    ):
        limited.fit(ridge().params, ridge().train)
