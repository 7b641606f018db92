"""Influence scores of all pairs: products and cosines of per-example gradients.

Both are functions of the parameters and of two batches of examples, and symmetric in the two.
Larger means that a gradient step on the one example lowers the loss of the other more.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
from jax.flatten_util import ravel_pytree

from itune.influence import factors as factored
from itune.influence.cosine import cosine, rescale
from itune.influence.factors import Factors, Formed
from itune.influence.objective import LinenLoss, Params
from itune.influence.subsets import Select, restrict

KINDS = ("cosine", "product")

Loss = Callable[[Params, Any], jax.Array]
Scores = Callable[[Params, Any, Any], jax.Array]


def products(loss: Loss, *, select: Select = None) -> Scores:
    """Builds ``fun(params, probes, train) -> (P, N)`` with ``[p, i] = g(train_i) . g(probe_p)``.

    Args:
        loss: ``loss(params, example) -> scalar``; gradients of a
            :class:`~itune.influence.objective.LinenLoss` stay factored where that is cheaper.
        select: restricts gradients to a subset of the parameters
            (:data:`~itune.influence.subsets.Select`).

    Returns:
        A pure function of parameters and two example pytrees with leading axes P and N.

    Source: one checkpoint of TracIn (Pruthi et al. 2020), without its learning rate.

    >>> import jax.numpy as jnp
    >>> score = products(lambda w, z: 0.5 * (w @ z["x"] - z["y"]) ** 2)
    >>> z = {"x": jnp.array([[1.0, 0.0], [1.0, 1.0]]), "y": jnp.array([1.0, 3.0])}
    >>> score(jnp.zeros(2), z, z).tolist()
    [[1.0, 3.0], [3.0, 18.0]]
    """
    return _scores(loss, "product", select)


def cosines(loss: Loss, *, select: Select = None) -> Scores:
    """Builds ``fun(params, probes, train) -> (P, N)`` with ``[p, i] = ĝ(train_i) . ĝ(probe_p)``.

    The influence ``I`` of Han & Tsvetkov (2021), section 2; arguments as of :func:`products`. An
    example whose gradient is exactly 0 scores 0 with everything; gradients as small as 1e-30 are
    right in float32.

    >>> import jax.numpy as jnp
    >>> score = cosines(lambda w, z: 0.5 * (w @ z["x"] - z["y"]) ** 2)
    >>> z = {"x": jnp.array([[1.0, 0.0], [0.0, 1.0]]), "y": jnp.array([1.0, 3.0])}
    >>> score(jnp.zeros(2), z, z).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    return _scores(loss, "cosine", select)


class Gradients(NamedTuple):
    """A batch of n per-example gradients, for a matrix of scores made block by block.

    Attributes:
        factors: factored, or formed as one vector each, with a leading axis n.
        squares: their squared norms, ``(n,)``, for cosines; None for products.
    """

    factors: Factors
    squares: jax.Array | None


def gradients(loss: Loss, *, kind: str, select: Select = None, partners: int = 1) -> Callable:
    """Builds ``fun(params, examples) -> Gradients``, one side of a matrix of scores.

    Args:
        loss: as of :func:`products`.
        kind: ``"cosine"`` or ``"product"``.
        select: as of :func:`products`.
        partners: how many others each will be scored with; many are worth forming kernels for.
    """
    if kind not in KINDS:
        raise ValueError(f"kind is {kind!r}; it must be one of {', '.join(KINDS)}")
    is_cosine = kind == "cosine"

    def of_example(params, example):
        if isinstance(loss, LinenLoss):
            return factored.factored_gradient(
                loss, params, example, select=select, unit_residual=is_cosine
            )
        gradient = jax.grad(loss)(params, example)
        row = ravel_pytree(gradient if select is None else restrict(select, gradient))[0]
        return {("all",): (Formed((rescale(row) if is_cosine else row)[None, None]),)}

    def fun(params, examples):
        factors = jax.vmap(of_example, (None, 0))(params, examples)
        squares = jax.vmap(factored.square)(factors) if is_cosine else None
        return Gradients(factored.prepared(factors, partners), squares)

    return fun


def score(probes: Gradients, train: Gradients) -> jax.Array:
    """Scores of all pairs, ``(P, N)``: cosines of gradients with norms, products of those without.

    >>> import jax.numpy as jnp
    >>> make = gradients(lambda w, z: w @ z, kind="cosine")
    >>> z = make(jnp.zeros(2), jnp.array([[3.0, 0.0], [-2.0, 0.0]]))
    >>> score(z, z).tolist()
    [[1.0, -1.0], [-1.0, 1.0]]
    """
    dots = factored.inner_matrix(probes.factors, train.factors)
    if probes.squares is None or train.squares is None:
        return dots
    return cosine(dots, probes.squares[:, None], train.squares[None, :])


def _scores(loss, kind, select) -> Scores:
    make = gradients(loss, kind=kind, select=select)

    def fun(params, probes, train):
        return score(make(params, probes), make(params, train))

    return fun
