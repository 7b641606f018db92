"""The influence loss of tuples, or of a pool, and its exact gradient by any route."""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from itune.influence import routes
from itune.influence.objective import LinenLoss, Params
from itune.influence.pools import Pool, pair_free_differences
from itune.influence.subsets import Select
from itune.influence.tuples import InfluenceInfo, Tuples, delta_of

ROUTES = ("ghost", "autodiff", "hvp", "hvp_pairs")
"""Routes by pairs, for tuples and for pools."""

PAIR_FREE = "pair_free"
"""The route without pairs, for pools only."""


def value_and_grad(
    loss: Callable[[Params, Any], jax.Array],
    /,
    *,
    route: str = "ghost",
    select: Select = None,
    microbatch: int | None = None,
) -> Callable[[Params, Tuples | Pool], tuple[tuple[jax.Array, InfluenceInfo], Params]]:
    """Builds the mean influence loss of a batch of tuples, or of a pool, with its exact gradient.

    ``J = mean_m (sum_i w_mi cos(g(partner_mi), g(probe_m)))**2`` with ``g(z) = grad L(z, params)``
    over all (or the selected) parameters. The gradient holds every second derivative; nothing is
    approximated.

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
        loss: ``loss(params, example) -> scalar`` for one example; a
            :class:`~itune.influence.objective.LinenLoss` for ``ghost`` and ``pair_free``.
        route: one of the table's.
        select: restricts influences to a subset of the parameters
            (:data:`~itune.influence.subsets.Select`); the gradient is in all parameters all the
            same.
        microbatch: tuples held in memory at once; None holds all. Does not change the result.
            ``pair_free`` holds its pool at once.

    Returns:
        ``fun(params, batch) -> ((J, info), gradient)``, not jitted. The batch is a
        :class:`~itune.influence.tuples.Tuples` or a :class:`~itune.influence.pools.Pool`;
        ``info`` of a pool has leading axes ``(C, n)``.

    Raises:
        ValueError: an unknown route, a bad microbatch, or a route without the LinenLoss it needs.
    """
    if route not in (*ROUTES, PAIR_FREE):
        raise ValueError(f"route is {route!r}; it must be one of {', '.join((*ROUTES, PAIR_FREE))}")
    if route in ("ghost", PAIR_FREE) and not isinstance(loss, LinenLoss):
        raise ValueError(f"route {route!r} needs a LinenLoss; wrap the module, or take route 'hvp'")
    if microbatch is not None and (microbatch < 1 or route == PAIR_FREE):
        need = "None for route 'pair_free'" if route == PAIR_FREE else "at least 1, or None"
        raise ValueError(f"microbatch is {microbatch}; it must be {need}")
    if route == PAIR_FREE:
        return _of_pool(loss, select)
    summed = _summed(loss, route, select)

    def of_tuples(params, tuples):
        count = tuples.weights.shape[0]
        if microbatch is None or microbatch >= count:
            return summed(params, tuples)
        return _microbatched(summed, params, tuples, microbatch)

    def fun(params, batch):
        is_pool = isinstance(batch, Pool)
        result = of_tuples(params, batch.tuples() if is_pool else batch)
        if not is_pool:
            return _mean(result, batch.weights.shape[0])
        (total, info), gradient = result
        info = jax.tree.map(lambda leaf: leaf.reshape(batch.is_real.shape + leaf.shape[1:]), info)
        return _mean(((total, info), gradient), _count(batch, total.dtype))

    return fun


def _mean(result, count):
    (total, info), gradient = result
    return (total / count, info), jax.tree.map(lambda g: g / count, gradient)


def _count(pool, dtype):
    """How many probes a pool has; 1 where there are none."""
    return jnp.maximum(jnp.sum(pool.is_real.astype(dtype)), 1)


def _of_pool(loss, select):
    """``value_and_grad`` by the pair-free form."""

    def total(params, pool):
        delta = pair_free_differences(loss, select, params, pool)
        return jnp.sum(delta**2), InfluenceInfo(delta)

    summed = jax.value_and_grad(total, has_aux=True)

    def fun(params, pool):
        if not isinstance(pool, Pool):
            raise ValueError(f"route 'pair_free' takes a Pool, not {type(pool).__name__}")
        (value, info), gradient = summed(params, pool)
        return _mean(((value, info), gradient), _count(pool, value.dtype))

    return fun


def _summed(loss, route, select):
    """``fun(params, tuples) -> ((sum of J, info), gradient)`` over all tuples at once."""
    if route in ("ghost", "autodiff"):
        of_tuple = {
            "ghost": routes.ghost_influences,
            "autodiff": routes.autodiff_influences,
        }[route]

        def total(params, tuples):
            influences = jax.vmap(partial(of_tuple, loss, select), (None, 0))(params, tuples)
            delta = delta_of(influences, tuples.weights)
            return jnp.sum(delta**2), InfluenceInfo(delta, influences)

        return jax.value_and_grad(total, has_aux=True)

    of_tuple = {
        "hvp": routes.hvp_value_and_grad,
        "hvp_pairs": routes.hvp_pairs_value_and_grad,
    }[route]

    def by_products(params, tuples):
        def add(carry, tuple_):
            (delta, influences), gradient = of_tuple(loss, select, params, tuple_)
            return routes.tree_add(carry, gradient), InfluenceInfo(delta, influences)

        zeros = jax.tree.map(jnp.zeros_like, params)
        gradient, info = jax.lax.scan(add, zeros, tuples)
        return (jnp.sum(info.delta**2), info), gradient

    return by_products


def _microbatched(summed, params, tuples, size):
    """``summed`` over microbatches of tuples; the last is padded with tuples of weight 0."""
    count = tuples.weights.shape[0]
    padding = -count % size

    def split(leaf):
        # Padding repeats the first tuple, so that its values are sound; its weights are zeroed.
        leaf = jnp.concatenate([leaf, jnp.repeat(leaf[:1], padding, axis=0)])
        return leaf.reshape((-1, size) + leaf.shape[1:])

    is_real = jnp.arange(count + padding) < count
    chunks = jax.tree.map(split, tuples)
    chunks = chunks._replace(
        weights=chunks.weights * is_real.reshape(-1, size, 1).astype(chunks.weights.dtype)
    )

    def add(carry, chunk):
        (total, info), gradient = summed(params, chunk)
        return routes.tree_add(carry, (total, gradient)), info

    zero = jnp.zeros((), tuples.weights.dtype)
    (total, gradient), info = jax.lax.scan(
        add, (zero, jax.tree.map(jnp.zeros_like, params)), chunks
    )
    merged = jax.tree.map(lambda leaf: leaf.reshape((-1,) + leaf.shape[2:])[:count], info)
    return (total, merged), gradient
