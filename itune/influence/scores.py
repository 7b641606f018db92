"""Influence scores of all pairs: products and cosines of per-example gradients.

Both are functions of the parameters and of two batches of examples, and symmetric in the two.
Larger means that a gradient step on the one example lowers the loss of the other more.
"""

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import jax
from jax.flatten_util import ravel_pytree

from itune.influence import factors as factored
from itune.influence.cosine import cosine, rescale
from itune.influence.coverage import checked_gradients
from itune.influence.factors import Factors, Formed
from itune.influence.objective import LinenLoss
from itune.influence.subsets import Select, restrict
from itune.influence.types import Example, Examples, LossFn, Params

KINDS = ("cosine", "product")

ScoreFn: TypeAlias = Callable[[Params, Examples, Examples], jax.Array]


def products(loss: LossFn, *, select: Select = None) -> ScoreFn:
    """Build the matrix of gradient products, ``[p, i] = g(train_i) . g(probe_p)``.

    Args:
        loss: ``loss(params, example) -> scalar``. Gradients of a
            :class:`~itune.influence.LinenLoss` stay factored where that is cheaper.
        select: Restricts gradients to a subset of the parameters
            (:data:`~itune.influence.Select`).

    Returns:
        ``fun(params, probes, train) -> (P, N)``, pure, of two batches of examples with leading axes
        P and N.

    Source: One checkpoint of TracIn (Pruthi et al. 2020), without its learning rate.

    >>> import jax.numpy as jnp
    >>> score = products(lambda w, z: 0.5 * (w @ z["x"] - z["y"]) ** 2)
    >>> z = {"x": jnp.array([[1.0, 0.0], [1.0, 1.0]]), "y": jnp.array([1.0, 3.0])}
    >>> score(jnp.zeros(2), z, z).tolist()
    [[1.0, 3.0], [3.0, 18.0]]
    """
    return _scores(loss, "product", select)


def cosines(loss: LossFn, *, select: Select = None) -> ScoreFn:
    """Build the matrix of gradient cosines, ``[p, i] = ĝ(train_i) . ĝ(probe_p)``.

    The influence ``I`` that influence tuning is built on. An example whose gradient is exactly 0
    scores 0 with everything; gradients as small as 1e-30 are right in float32.

    Args:
        loss: ``loss(params, example) -> scalar``. Gradients of a
            :class:`~itune.influence.LinenLoss` stay factored where that is cheaper.
        select: Restricts gradients to a subset of the parameters
            (:data:`~itune.influence.Select`).

    Returns:
        ``fun(params, probes, train) -> (P, N)``, pure, of two batches of examples with leading axes
        P and N; scores are in [-1, 1].

    Source: Han & Tsvetkov (2021), section 2.

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
        factors: The gradients, factored or formed as one vector each, with a leading axis n.
        squares: Their squared norms, ``(n,)``, for cosines; None for products.
    """

    factors: Factors
    squares: jax.Array | None


def gradients(
    loss: LossFn, *, kind: str, select: Select = None, partners: int = 1
) -> Callable[[Params, Examples], Gradients]:
    """Build a pure ``fun(params, examples) -> Gradients``, one side of a matrix for :func:`score`.

    ``kind`` is ``"cosine"`` or ``"product"``. With many ``partners``, other examples that each is
    scored with, kernels' gradients are formed.
    """
    if kind not in KINDS:
        raise ValueError(f"kind must be one of {', '.join(KINDS)}, got {kind!r}")
    is_cosine = kind == "cosine"

    def of_example(params: Params, example: Example) -> Factors:
        gradient = jax.grad(loss)(params, example)
        row = ravel_pytree(gradient if select is None else restrict(select, gradient))[0]
        return {("all",): (Formed((rescale(row) if is_cosine else row)[None, None]),)}

    def fun(params: Params, examples: Examples) -> Gradients:
        if isinstance(loss, LinenLoss):
            factors = checked_gradients(loss, select, params, examples, unit=is_cosine)
        else:
            factors = jax.vmap(of_example, (None, 0))(params, examples)
        squares = jax.vmap(factored.square)(factors) if is_cosine else None
        return Gradients(factored.prepared(factors, partners), squares)

    return fun


def score(probes: Gradients, train: Gradients) -> jax.Array:
    """Compute the scores of all pairs, ``(P, N)``: cosines of gradients with norms, else products.

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


def _scores(loss: LossFn, kind: str, select: Select) -> ScoreFn:
    make = gradients(loss, kind=kind, select=select)

    def fun(params: Params, probes: Examples, train: Examples) -> jax.Array:
        return score(make(params, probes), make(params, train))

    return fun
