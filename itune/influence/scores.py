"""Influence scores of all pairs: products and cosines of per-example gradients.

Both are functions of the parameters and of two batches of examples, and symmetric in the two.
Larger means that a gradient step on the one example lowers the loss of the other more.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree

from itune.influence import factors as factored
from itune.influence.cosine import cosine, rescale
from itune.influence.objective import LinenLoss, Params
from itune.influence.subsets import Select, restrict

Scores = Callable[[Params, Any, Any], jax.Array]


def products(loss: Callable[[Params, Any], jax.Array], *, select: Select = None) -> Scores:
    """Builds ``fun(params, probes, train) -> (P, N)`` with ``[p, i] = g(train_i) . g(probe_p)``.

    Args:
        loss: ``loss(params, example) -> scalar``; gradients of a
            :class:`~itune.influence.objective.LinenLoss` stay factored where that is cheaper.
        select: restricts gradients to a subset of the parameters
            (:data:`~itune.influence.subsets.Select`).

    Returns:
        A pure function of parameters and two example pytrees with leading axes P and N.

    Source: one checkpoint of TracIn (Pruthi et al. 2020), without its learning rate.

    >>> score = products(lambda w, z: 0.5 * (w @ z["x"] - z["y"]) ** 2)
    >>> z = {"x": jnp.array([[1.0, 0.0], [1.0, 1.0]]), "y": jnp.array([1.0, 3.0])}
    >>> score(jnp.zeros(2), z, z).tolist()
    [[1.0, 3.0], [3.0, 18.0]]
    """

    def fun(params, probes, train):
        if isinstance(loss, LinenLoss):
            a, b = (_factors(loss, select, params, z, unit_residual=False) for z in (probes, train))
            return factored.inner_matrix(a, b)
        return _dots(*(_rows(loss, select, params, z) for z in (probes, train)))

    return fun


def cosines(loss: Callable[[Params, Any], jax.Array], *, select: Select = None) -> Scores:
    """Builds ``fun(params, probes, train) -> (P, N)`` with ``[p, i] = ĝ(train_i) . ĝ(probe_p)``.

    The influence ``I`` of Han & Tsvetkov (2021), section 2; arguments as of :func:`products`. An
    example whose gradient is exactly 0 scores 0 with everything; gradients as small as 1e-30 are
    right in float32.

    >>> score = cosines(lambda w, z: 0.5 * (w @ z["x"] - z["y"]) ** 2)
    >>> z = {"x": jnp.array([[1.0, 0.0], [0.0, 1.0]]), "y": jnp.array([1.0, 3.0])}
    >>> score(jnp.zeros(2), z, z).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """

    def fun(params, probes, train):
        if isinstance(loss, LinenLoss):
            a, b = (_factors(loss, select, params, z, unit_residual=True) for z in (probes, train))
            squares = (jax.vmap(factored.square)(batch) for batch in (a, b))
            return _cosines(factored.inner_matrix(a, b), *squares)
        a, b = (jax.vmap(rescale)(_rows(loss, select, params, z)) for z in (probes, train))
        return _cosines(_dots(a, b), *(jax.vmap(jnp.vdot)(x, x) for x in (a, b)))

    return fun


def _cosines(dots, probe_squares, train_squares):
    return cosine(dots, probe_squares[:, None], train_squares[None, :])


def _factors(loss, select, params, examples, *, unit_residual):
    def gradient(example):
        return factored.factored_gradient(
            loss, params, example, select=select, unit_residual=unit_residual
        )

    return jax.vmap(gradient)(examples)


def _rows(loss, select, params, examples):
    """Each example's gradient as one vector, ``(n, parameters)``."""

    def row(example):
        gradient = jax.grad(loss)(params, example)
        return ravel_pytree(gradient if select is None else restrict(select, gradient))[0]

    return jax.vmap(row)(examples)


def _dots(a, b):
    return jnp.matmul(a, b.T, precision=jax.lax.Precision.HIGHEST)
