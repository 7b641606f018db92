"""Convex problems that NumPy can train again without an example, a small network, brute force."""

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen as nn
from jax.flatten_util import ravel_pytree

from itune.attribution import conjugate_gradients, influence_functions
from itune.attribution.hessian import make_hessian
from itune.influence import LinenLoss, cross_entropy

L2 = 0.05
CHUNK = 16  # neither 40 nor 5 is a multiple


class Problem(NamedTuple):
    """An optimum, and ``retrain(weights) -> params`` for other weights than 1/N on the losses."""

    loss: Callable
    regulariser: Callable
    params: Any
    train: dict[str, np.ndarray]
    probes: dict[str, np.ndarray]
    retrain: Callable


def ridge_loss(w, z):
    return 0.5 * (w @ z["x"] - z["y"]) ** 2


def ridge_penalty(w):
    return 0.5 * L2 * (w @ w)


def logistic_loss(params, z):
    margin = z["y"] * (params["w"] @ z["x"] + params["b"])
    return jnp.logaddexp(0.0, -margin)


def logistic_penalty(params):
    return 0.5 * L2 * (params["w"] @ params["w"])  # the intercept is free


@cache
def ridge(copies=1) -> Problem:
    """Ridge regression; each training example ``copies`` times."""
    rng = np.random.default_rng(0)
    x, slope = rng.normal(size=(45, 4)), rng.normal(size=4)
    train, probes = split(x, x @ slope + rng.normal(size=45))
    train = {
        name: np.tile(leaf, (copies,) + (1,) * (leaf.ndim - 1)) for name, leaf in train.items()
    }

    def retrain(weights):
        weighted = train["x"] * weights[:, None]
        return np.linalg.solve(weighted.T @ train["x"] + L2 * np.eye(4), weighted.T @ train["y"])

    return Problem(ridge_loss, ridge_penalty, retrain(mean(train)), train, probes, retrain)


@cache
def logistic() -> Problem:
    """Logistic regression with labels -1 and 1, trained by Newton steps."""
    rng = np.random.default_rng(1)
    x, slope = rng.normal(size=(45, 3)), rng.normal(size=3)
    train, probes = split(x, np.sign(x @ slope + rng.normal(size=45)))

    def retrain(weights):
        inputs, penalty = np.c_[train["x"], np.ones(40)], L2 * np.diag([1, 1, 1, 0])
        theta = np.zeros(4)
        for _ in range(30):
            wrong = 1 / (1 + np.exp(train["y"] * (inputs @ theta)))
            gradient = penalty @ theta - inputs.T @ (weights * train["y"] * wrong)
            curvature = (inputs.T * (weights * wrong * (1 - wrong))) @ inputs + penalty
            theta = theta - np.linalg.solve(curvature, gradient)
        assert np.linalg.norm(gradient) < 1e-12
        return {"w": theta[:3], "b": theta[3]}

    params = retrain(mean(train))
    return Problem(logistic_loss, logistic_penalty, params, train, probes, retrain)


def split(x, y):
    return {"x": x[:40], "y": y[:40]}, {"x": x[40:], "y": y[40:]}


def mean(train):
    return np.full(len(train["y"]), 1 / len(train["y"]))


def increases(problem):
    """How much each probe's loss is higher when retrained without each example, ``(P, N)``."""
    losses = jax.jit(jax.vmap(problem.loss, (None, 0)))
    weights = mean(problem.train)
    without = [
        losses(problem.retrain(np.where(np.arange(len(weights)) == i, 0, weights)), problem.probes)
        for i in range(len(weights))
    ]
    return np.stack(without, axis=1) - losses(problem.params, problem.probes)[:, None]


# --- a network ----------------------------------------------------------------------------------

MODEL = nn.Sequential((nn.Dense(4), jnp.tanh, nn.Dense(3)))


def classify(apply, z):
    return z["scale"] * cross_entropy(apply(z["x"]), z["y"])


linen_loss = LinenLoss(MODEL, classify)


def plain_loss(params, z):
    return linen_loss(params, z)


def net_params(seed=0):
    """Random: the Hessian is indefinite."""
    rng = np.random.default_rng(seed)
    shapes = {"layers_0": {"kernel": (3, 4), "bias": (4,)}}
    shapes["layers_2"] = {"kernel": (4, 3), "bias": (3,)}
    return jax.tree.map(
        lambda shape: jnp.asarray(rng.normal(size=shape)),
        shapes,
        is_leaf=lambda x: isinstance(x, tuple),
    )


def net_examples(seed, count):
    rng = np.random.default_rng(seed)
    return {
        "x": rng.normal(size=(count, 3)),
        "y": rng.integers(0, 3, count),
        "scale": np.ones(count),
    }


@cache
def net() -> Problem:
    examples = net_examples(2, 20), net_examples(3, 5)
    return Problem(linen_loss, None, net_params(), *examples, retrain=None)


# --- methods, compiled once ---------------------------------------------------------------------

PROBLEMS = {"ridge": ridge, "logistic": logistic, "net": net}
DAMPING = {"ridge": 0.0, "logistic": 0.0, "net": 1.5}
CG = conjugate_gradients(tolerance=1e-12)


@cache
def influence(name, *, solver=None, chunk=CHUNK):
    problem = PROBLEMS[name]()
    return influence_functions(
        problem.loss,
        damping=DAMPING[name],
        solver=solver,
        regulariser=problem.regulariser,
        chunk=chunk,
    )


@cache
def hessian(name):
    problem = PROBLEMS[name]()
    make = make_hessian(
        problem.loss,
        damping=DAMPING[name],
        regulariser=problem.regulariser,
        select=None,
        chunk=CHUNK,
    )
    return make(problem.params, problem.train)


# --- brute force --------------------------------------------------------------------------------


@cache
def _compiled(loss, regulariser):
    """Flat gradients ``(n, D)``, and the objective's dense Hessian ``(D, D)``."""

    def gradients(params, examples):
        rows = jax.vmap(lambda z: jax.grad(loss)(params, z))(examples)
        return jax.vmap(lambda row: ravel_pytree(row)[0])(rows)

    def hessian(params, train):
        theta, unravel = ravel_pytree(params)

        def objective(theta):
            params = unravel(theta)
            penalty = 0.0 if regulariser is None else regulariser(params)
            return jax.vmap(loss, (None, 0))(params, train).mean() + penalty

        return jax.hessian(objective)(theta)

    return jax.jit(gradients), jax.jit(hessian)


def flat_gradients(loss, params, examples):
    return np.asarray(_compiled(loss, None)[0](params, examples))


def dense_hessian(loss, regulariser, params, train):
    return np.asarray(_compiled(loss, regulariser)[1](params, train))


def entries(params, kept):
    """Which entries of the flat parameters belong to ``kept``, indices by the tensor's name."""

    def of_leaf(path, leaf):
        name = "/".join(key.key for key in path)
        is_kept = np.zeros(leaf.shape, bool)
        if name in kept:
            is_kept[kept[name]] = True
        return is_kept

    marks = jax.tree_util.tree_map_with_path(of_leaf, params)
    return np.concatenate([mark.ravel() for mark in jax.tree.leaves(marks)])


def influence_parts(name, damping, kept=np.s_[:]):
    """``g_prb``, ``A`` and ``g_trn`` in some entries of the parameters, all dense."""
    loss, regulariser, params, train, probes = PROBLEMS[name]()[:5]
    matrix = dense_hessian(loss, regulariser, params, train)[kept][:, kept]
    matrix = matrix + damping * np.eye(len(matrix))
    of_probes, of_train = (flat_gradients(loss, params, z)[:, kept] for z in (probes, train))
    return of_probes, matrix, of_train


def assert_close(actual, expected, tolerance):
    """Every element to ``tolerance`` times the largest."""
    assert np.shape(actual) == np.shape(expected)
    error, size = np.max(np.abs(actual - expected)), np.max(np.abs(expected))
    assert error <= tolerance * size, f"error {error:.2g} on numbers up to {size:.2g}"
