"""The damped mean Hessian of the training losses, as a product with a vector; never a matrix."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree
from jax.tree_util import Partial

from itune.attribution.chunks import stack_chunks
from itune.influence.routes import hvp
from itune.influence.subsets import Select, by_path, restrict, selected


class Hessian(NamedTuple):
    """``A = (1/N) sum_i H_i + grad^2 regulariser + damping I`` in the D selected parameters.

    The products are pure functions with their arrays bound by ``jax.tree_util.Partial``: pass them
    to compiled functions as arguments.

    Attributes:
        size: D.
        count: N, training examples.
        damping: what is added to every eigenvalue.
        dtype: of the parameters.
        product: ``product(vector) -> A vector``, both ``(D,)``.
        sampled: ``sampled(rows, vector) -> (D,)``, the same with the mean of ``H_i`` taken over the
            training examples of these indices only.
    """

    size: int
    count: int
    damping: float
    dtype: Any
    product: Partial
    sampled: Partial


def make_hessian(
    loss: Callable[[Any, Any], jax.Array],
    *,
    damping: float,
    regulariser: Callable[[Any], jax.Array] | None,
    select: Select,
    chunk: int,
) -> Callable[[Any, Any], Hessian]:
    """Builds ``hessian(params, train) -> Hessian``; arguments as of ``influence_functions``."""

    def product(params, chunks, weights, vector):
        theta, rebuild = flatten(params, select)

        def add(total, chunk_and_weights):
            examples, weights = chunk_and_weights

            def weighted_loss(theta):
                losses = jax.vmap(loss, (None, 0))(rebuild(theta), examples)
                return jnp.sum(weights * losses)

            return total + hvp(weighted_loss, theta, vector), None

        start = damping * vector
        if regulariser is not None:
            start = start + hvp(lambda theta: regulariser(rebuild(theta)), theta, vector)
        return jax.lax.scan(add, start, (chunks, weights))[0]

    def sampled(params, chunks, rows, vector):
        examples = jax.tree.map(lambda leaf: leaf.reshape((-1,) + leaf.shape[2:])[rows], chunks)
        one_chunk = jax.tree.map(lambda leaf: leaf[None], examples)
        weights = jnp.full((1, rows.size), 1 / rows.size, vector.dtype)
        return product(params, one_chunk, weights, vector)

    def hessian(params, train):
        theta, _ = flatten(params, select)
        chunks, is_real = stack_chunks(train, chunk)
        count = int(is_real.sum())
        weights = jnp.asarray(is_real / count, theta.dtype)
        return Hessian(
            theta.size,
            count,
            damping,
            theta.dtype,
            Partial(product, params, chunks, weights),
            Partial(sampled, params, chunks),
        )

    return hessian


def flatten(params: Any, select: Select) -> tuple[jax.Array, Callable[[jax.Array], Any]]:
    """The selected parameters as one vector ``(D,)``, and how to put such a vector in place."""
    if select is None:
        return ravel_pytree(params)
    theta, unravel = ravel_pytree(restrict(select, params))
    leaves = by_path(params)
    kept = selected(select, leaves)

    def rebuild(theta):
        values = dict(zip(kept, unravel(theta), strict=True))

        def leaf_at(path, leaf):
            if path not in kept:
                return leaf
            return leaf.at[kept[path]].set(values[path]) if kept[path] else values[path]

        rebuilt = [leaf_at(path, leaf) for path, leaf in leaves.items()]
        return jax.tree.structure(params).unflatten(rebuilt)

    return theta, rebuild
