"""The influence loss of tuples, or of a pool, and its exact gradient by any route."""

from collections.abc import Callable
from functools import partial
from typing import TypeAlias

import jax
import jax.numpy as jnp

from itune.influence import routes
from itune.influence.objective import LinenLoss
from itune.influence.pair_free import pair_free_in_pieces, pair_free_loss
from itune.influence.pools import Pool
from itune.influence.subsets import Select
from itune.influence.tuples import InfluenceInfo, Tuples, delta_of, residual_of
from itune.influence.types import LossFn, Params, PyTree

ROUTES = ("ghost", "autodiff", "hvp", "hvp_pairs")
"""Routes that form pairs, for tuples and for pools."""

PAIR_FREE = "pair_free"
"""The route that forms no pair, for pools only."""

Result: TypeAlias = tuple[tuple[jax.Array, InfluenceInfo], Params]
"""``((J, info), gradient)``."""

TuplesFn: TypeAlias = Callable[[Params, Tuples], Result]


def value_and_grad(
    loss: LossFn,
    /,
    *,
    route: str = "ghost",
    select: Select = None,
    microbatch: int | None = None,
    target: float = 0.0,
) -> Callable[[Params, Tuples | Pool], Result]:
    """Build the mean influence loss of a batch of tuples, or of a pool, with its exact gradient.

    ``J = mean_m (sum_i w_mi cos(g(partner_mi), g(probe_m)) - target)**2`` with
    ``g(z) = grad L(z, params)`` over all (or the selected) parameters. The gradient holds every
    second derivative; nothing is approximated.

    ============= ========================================= ========== =====================
    route         what it does                              any loss   cost (F = a forward)
    ============= ========================================= ========== =====================
    ``ghost``     inner products from layers' taps          LinenLoss  6 F an example
    ``autodiff``  ``jax.grad`` of cosines of ``jax.grad`` s yes        about 12 F an example
    ``hvp``       one Hessian-vector product an example     yes        1 + K products
    ``hvp_pairs`` the paper's p + q - r - s                 yes        4 K products
    ``pair_free`` all pairs of a pool at once, none formed  LinenLoss  12 F an example
    ============= ========================================= ========== =====================

    ================================== ====================================================
    edge case                          what happens
    ================================== ====================================================
    a gradient as small as 1e-30       right in float32: the residual is factored out
    a gradient exactly 0               its influences are 0, with zero derivative
    weight 0 (padding, empty group)    the pair contributes nothing to J or its gradient
    weight 0, and a gradient of NaN    J is right, its gradient NaN: pad by sound examples
    the probe among its own partners   influence 1, with zero derivative
    a parameter no tap covers          ``ValueError`` naming it (``ghost``, ``pair_free``)
    ================================== ====================================================

    Args:
        loss: ``loss(params, example) -> scalar`` for one example, twice differentiable; a
            :class:`~itune.influence.LinenLoss` for ``ghost`` and ``pair_free``.
        route: Name of a route in the table.
        select: Restricts influences to a subset of the parameters
            (:data:`~itune.influence.Select`); the gradient is in all parameters in any case.
        microbatch: Number of tuples held in memory at once, at least 1; None holds all. It does not
            change the result. ``pair_free`` counts examples of its pool, of which it holds at least
            one of each row; in pieces they cost 17 F each.
        target: Influence difference that probes are drawn towards, from -2 to 2. Probes that lack
            partners of positive or of negative weight are drawn towards 0.

    Returns:
        ``fun(params, batch) -> ((J, info), gradient)``, pure and not jitted. The batch is a
        :class:`~itune.influence.Tuples` of m probes with K partners each, or a
        :class:`~itune.influence.Pool` of ``(C, n)`` or ``(L, C, n)`` examples. ``J`` is a scalar,
        ``info`` an :class:`~itune.influence.InfluenceInfo` with leading axes ``(m,)``, or ``(C,
        n)`` or ``(L, C, n, L)`` of a pool, and the gradient a tree like ``params``.

    Raises:
        ValueError: The route is unknown, or needs a LinenLoss and got none; the microbatch is not
            positive; or, when called, the batch is one that the route does not take, or a selected
            parameter is covered by no tap.

    Source: Han & Tsvetkov (2021), section 3, whose derivation is route ``hvp_pairs``.

    >>> def loss(w, z):
    ...     return 0.5 * (w @ z["x"] - z["y"]) ** 2
    >>> probe = {"x": jnp.array([[1.0, 0.0]]), "y": jnp.array([1.0])}
    >>> partners = {"x": jnp.array([[[1.0, 1.0], [0.0, 2.0]]]), "y": jnp.array([[1.0, 1.0]])}
    >>> tuples = Tuples(probe, partners, weights=jnp.array([[1.0, -1.0]]))
    >>> (value, info), gradient = value_and_grad(loss, route="hvp")(jnp.zeros(2), tuples)
    >>> f"{value:.3f}", [f"{influence:.3f}" for influence in info.influences[0]], gradient.shape
    ('0.500', ['0.707', '0.000'], (2,))
    """
    known = (*ROUTES, PAIR_FREE)
    if route not in known:
        raise ValueError(f"route must be one of {', '.join(known)}, got {route!r}")
    if microbatch is not None and microbatch < 1:
        raise ValueError(f"microbatch must be a positive integer or None, got {microbatch}")
    if route == PAIR_FREE:
        return _of_pool(_require_linen(loss, route), select, microbatch, target)
    summed = _summed(loss, route, select, target)

    def of_tuples(params: Params, tuples: Tuples) -> Result:
        count = tuples.weights.shape[0]
        if microbatch is None or microbatch >= count:
            return summed(params, tuples)
        return _microbatched(summed, params, tuples, microbatch)

    def fun(params: Params, batch: Tuples | Pool) -> Result:
        if not isinstance(batch, Pool):
            return _mean(of_tuples(params, batch), batch.weights.shape[0])
        (total, info), gradient = of_tuples(params, batch.tuples())
        shape = batch.differences_shape
        info = jax.tree.map(lambda leaf: leaf.reshape(shape + leaf.shape[1:]), info)
        return _mean(((total, info), gradient), batch.size(total.dtype))

    return fun


def _require_linen(loss: LossFn, route: str) -> LinenLoss:
    if not isinstance(loss, LinenLoss):
        raise ValueError(
            f"route {route!r} needs a LinenLoss, got a {type(loss).__name__}; wrap the module, or "
            "use route 'hvp'"
        )
    return loss


def _mean(result: Result, count: jax.Array | int) -> Result:
    (total, info), gradient = result
    return (total / count, info), jax.tree.map(lambda g: g / count, gradient)


def _of_pool(
    loss: LinenLoss, select: Select, microbatch: int | None, target: float
) -> Callable[[Params, Tuples | Pool], Result]:
    at_once = jax.value_and_grad(partial(pair_free_loss, loss, select, target), has_aux=True)
    in_pieces = partial(pair_free_in_pieces, loss, select, target)

    def fun(params: Params, pool: Tuples | Pool) -> Result:
        if not isinstance(pool, Pool):
            raise ValueError(f"route 'pair_free' needs a Pool, got a {type(pool).__name__}")
        if microbatch is None or microbatch >= pool.is_real.size:
            (value, delta), gradient = at_once(params, pool)
        else:
            (value, delta), gradient = in_pieces(params, pool, microbatch)
        return _mean(((value, InfluenceInfo(delta)), gradient), pool.size(value.dtype))

    return fun


def _summed(loss: LossFn, route: str, select: Select, target: float) -> TuplesFn:
    """Build ``fun(params, tuples) -> ((sum of J, info), gradient)`` over all tuples at once."""
    match route:
        case "ghost":
            linen_loss = _require_linen(loss, route)
            return _by_reverse_mode(partial(routes.ghost_influences, linen_loss, select), target)
        case "autodiff":
            influences = partial(routes.autodiff_influences, loss, select)
            return _by_reverse_mode(jax.vmap(influences, (None, 0)), target)
        case "hvp":
            return _by_products(partial(routes.hvp_difference, loss, select), target)
        case _:
            return _by_products(partial(routes.hvp_pairs_difference, loss, select), target)


def _by_reverse_mode(
    influences_of: Callable[[Params, Tuples], jax.Array], target: float
) -> TuplesFn:
    def total(params: Params, tuples: Tuples) -> tuple[jax.Array, InfluenceInfo]:
        influences = influences_of(params, tuples)
        delta = delta_of(influences, tuples.weights)
        residual = residual_of(delta, tuples.weights, target)
        return jnp.sum(residual**2), InfluenceInfo(delta, influences)

    return jax.value_and_grad(total, has_aux=True)


def _by_products(
    of_tuple: Callable[[Params, Tuples], routes.TupleResult], target: float
) -> TuplesFn:
    def fun(params: Params, tuples: Tuples) -> Result:
        def add(carry: Params, tuple_: Tuples) -> tuple[Params, InfluenceInfo]:
            (delta, influences), of_delta = of_tuple(params, tuple_)
            residual = residual_of(delta, tuple_.weights, target)
            gradient = jax.tree.map(lambda t: 2 * residual * t, of_delta)
            return routes.tree_add(carry, gradient), InfluenceInfo(delta, influences)

        zeros = jax.tree.map(jnp.zeros_like, params)
        gradient, info = jax.lax.scan(add, zeros, tuples)
        residual = residual_of(info.delta, tuples.weights, target)
        return (jnp.sum(residual**2), info), gradient

    return fun


def _microbatched(summed: TuplesFn, params: Params, tuples: Tuples, size: int) -> Result:
    """Sum over microbatches of tuples; the last is padded with tuples of weight 0."""
    count = tuples.weights.shape[0]
    padding = -count % size

    def split(leaf: jax.Array) -> jax.Array:
        # Padding repeats the first tuple, so that its values are sound; its weights are zeroed.
        leaf = jnp.concatenate([leaf, jnp.repeat(leaf[:1], padding, axis=0)])
        return leaf.reshape((-1, size) + leaf.shape[1:])

    is_real = jnp.arange(count + padding) < count
    chunks: Tuples = jax.tree.map(split, tuples)
    chunks = chunks._replace(
        weights=chunks.weights * is_real.reshape(-1, size, 1).astype(chunks.weights.dtype)
    )

    def add(carry: PyTree, chunk: Tuples) -> tuple[PyTree, InfluenceInfo]:
        (total, info), gradient = summed(params, chunk)
        return routes.tree_add(carry, (total, gradient)), info

    zero = jnp.zeros((), tuples.weights.dtype)
    (total, gradient), info = jax.lax.scan(
        add, (zero, jax.tree.map(jnp.zeros_like, params)), chunks
    )
    merged = jax.tree.map(lambda leaf: leaf.reshape((-1,) + leaf.shape[2:])[:count], info)
    return (total, merged), gradient
