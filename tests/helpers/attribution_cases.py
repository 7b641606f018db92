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
from itune.influence import LinenLoss, cross_entropy

L2 = 0.05
CHUNK = 16  # neither 40 nor 5 is a multiple


class Problem(NamedTuple):
    """A model trained on examples, convex ones to the minimum, and a way to train it again.

    ``retrain(weights)`` is the minimum for other weights than 1/N on the losses; None of a network.
    """

    loss: Callable
    regulariser: Callable
    params: Any
    train: dict[str, np.ndarray]
    probes: dict[str, np.ndarray]
    retrain: Callable


def ridge_loss(w, z):
    """Half the squared error."""
    return 0.5 * (w @ z["x"] - z["y"]) ** 2


def ridge_penalty(w):
    """Half of L2 times the squared norm."""
    return 0.5 * L2 * (w @ w)


def logistic_loss(params, z):
    """Logistic loss of labels -1 and 1."""
    margin = z["y"] * (params["w"] @ z["x"] + params["b"])
    return jnp.logaddexp(0.0, -margin)


def logistic_penalty(params):
    """Half of L2 times the squared norm, without the intercept."""
    return 0.5 * L2 * (params["w"] @ params["w"])


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
    """Return 40 training examples and the rest as probes."""
    return {"x": x[:40], "y": y[:40]}, {"x": x[40:], "y": y[40:]}


def mean(train):
    """Return the weights 1/N of the training examples."""
    return np.full(len(train["y"]), 1 / len(train["y"]))


# --- a network ----------------------------------------------------------------------------------

MODEL = nn.Sequential((nn.Dense(4), jnp.tanh, nn.Dense(3)))


def classify(apply, z):
    """Cross entropy times ``scale``."""
    return z["scale"] * cross_entropy(apply(z["x"]), z["y"])


linen_loss = LinenLoss(MODEL, classify)


def any_loss(params, z):
    """:data:`linen_loss` as a function that shows no module."""
    return linen_loss(params, z)


def net_params(seed=0):
    """Draw parameters of the network; the Hessian is indefinite."""
    rng = np.random.default_rng(seed)
    shapes = {"layers_0": {"kernel": (3, 4), "bias": (4,)}}
    shapes["layers_2"] = {"kernel": (4, 3), "bias": (3,)}
    return jax.tree.map(
        lambda shape: jnp.asarray(rng.normal(size=shape)),
        shapes,
        is_leaf=lambda x: isinstance(x, tuple),
    )


def net_examples(seed, count):
    """Draw examples of the network."""
    rng = np.random.default_rng(seed)
    return {
        "x": rng.normal(size=(count, 3)),
        "y": rng.integers(0, 3, count),
        "scale": np.ones(count),
    }


@cache
def net() -> Problem:
    """A small network with random parameters, 20 training examples and 5 probes."""
    examples = net_examples(2, 20), net_examples(3, 5)
    return Problem(linen_loss, None, net_params(), *examples, retrain=None)


# --- methods, compiled once ---------------------------------------------------------------------

PROBLEMS = {"ridge": ridge, "logistic": logistic, "net": net}
DAMPING = {"ridge": 0.0, "logistic": 0.0, "net": 1.5}
CG = conjugate_gradients(tolerance=1e-12)


@cache
def influence(name, *, solver=None, chunk=CHUNK):
    """Make the influence function of a problem, with its regulariser and damping."""
    problem = PROBLEMS[name]()
    return influence_functions(
        problem.loss,
        damping=DAMPING[name],
        solver=solver,
        regulariser=problem.regulariser,
        chunk=chunk,
    )


# --- brute force --------------------------------------------------------------------------------


@cache
def _compiled(loss, regulariser):
    """Compile flat gradients ``(n, D)``, and the objective's dense Hessian ``(D, D)``."""

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
    """Return the gradients of some examples, ``(n, D)``."""
    return np.asarray(_compiled(loss, None)[0](params, examples))


def dense_hessian(loss, regulariser, params, train):
    """Return the Hessian of the mean loss and the regulariser, ``(D, D)``."""
    return np.asarray(_compiled(loss, regulariser)[1](params, train))


def entries(params, selected):
    """Mark the entries of the flat parameters that ``selected`` indexes, by the tensor's name."""

    def of_leaf(path, leaf):
        name = "/".join(key.key for key in path)
        is_selected = np.zeros(leaf.shape, bool)
        if name in selected:
            is_selected[selected[name]] = True
        return is_selected

    marks = jax.tree_util.tree_map_with_path(of_leaf, params)
    return np.concatenate([mark.ravel() for mark in jax.tree.leaves(marks)])


def influence_parts(name, damping, selected=np.s_[:]):
    """Return ``g_prb``, ``A`` and ``g_trn`` in some entries of the parameters, all dense."""
    loss, regulariser, params, train, probes = PROBLEMS[name]()[:5]
    matrix = dense_hessian(loss, regulariser, params, train)[selected][:, selected]
    matrix = matrix + damping * np.eye(len(matrix))
    of_probes, of_train = (flat_gradients(loss, params, z)[:, selected] for z in (probes, train))
    return of_probes, matrix, of_train


def assert_close(actual, expected, tolerance):
    """Assert that every element is right to ``tolerance`` times the largest."""
    assert np.shape(actual) == np.shape(expected)
    error, size = np.max(np.abs(actual - expected)), np.max(np.abs(expected))
    assert error <= tolerance * size, f"error {error:.2g} on numbers up to {size:.2g}"
