"""The damped mean Hessian of the training losses, as a product with a vector; never a matrix."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from jax.tree_util import Partial

from itune.attribution.chunks import stack_chunks
from itune.influence import LossFn, Select
from itune.influence.routes import hvp
from itune.influence.subsets import by_path, restrict, selected
from itune.influence.types import Examples, Params, Path

RegulariserFn: TypeAlias = Callable[[Params], jax.Array]


@dataclass(frozen=True)
class Hessian:
    """``A = (1/N) sum_i H_i + grad^2 regulariser + damping I`` in the D selected parameters.

    The products are pure functions with their arrays bound by ``jax.tree_util.Partial``: pass them
    to compiled functions as arguments.

    Attributes:
        size: Number of selected parameters, D.
        count: Number of training examples, N.
        damping: Number added to every eigenvalue.
        dtype: Dtype of the parameters.
        product: ``product(vector) -> A vector``, both ``(D,)``.
        sampled: ``sampled(rows, vector) -> A_rows vector``, both ``(D,)``, with the mean of ``H_i``
            taken over the training examples of these indices only.
    """

    size: int
    count: int
    damping: float
    dtype: np.dtype
    product: Partial
    sampled: Partial


def make_hessian(
    loss: LossFn,
    *,
    damping: float,
    regulariser: RegulariserFn | None,
    select: Select,
    chunk: int,
) -> Callable[[Params, Examples], Hessian]:
    """Build ``hessian(params, train) -> Hessian``, with examples differentiated in chunks."""

    def product(
        params: Params, chunks: Examples, weights: jax.Array, vector: jax.Array
    ) -> jax.Array:
        theta, rebuild = flatten(params, select)

        def add(
            total: jax.Array, chunk_and_weights: tuple[Examples, jax.Array]
        ) -> tuple[jax.Array, None]:
            examples, weights = chunk_and_weights

            def weighted_loss(theta: jax.Array) -> jax.Array:
                losses = jax.vmap(loss, (None, 0))(rebuild(theta), examples)
                return jnp.sum(weights * losses)

            return total + hvp(weighted_loss, theta, vector), None

        start = damping * vector
        if regulariser is not None:
            start = start + hvp(lambda theta: regulariser(rebuild(theta)), theta, vector)
        return jax.lax.scan(add, start, (chunks, weights))[0]

    def sampled(params: Params, chunks: Examples, rows: jax.Array, vector: jax.Array) -> jax.Array:
        examples = jax.tree.map(lambda leaf: leaf.reshape((-1,) + leaf.shape[2:])[rows], chunks)
        one_chunk = jax.tree.map(lambda leaf: leaf[None], examples)
        weights = jnp.full((1, rows.size), 1 / rows.size, vector.dtype)
        return product(params, one_chunk, weights, vector)

    def hessian(params: Params, train: Examples) -> Hessian:
        theta, _ = flatten(params, select)
        chunks, is_real = stack_chunks(train, chunk)
        count = int(is_real.sum())
        weights = jnp.asarray(is_real / count, theta.dtype)
        return Hessian(
            size=theta.size,
            count=count,
            damping=damping,
            dtype=theta.dtype,
            product=Partial(product, params, chunks, weights),
            sampled=Partial(sampled, params, chunks),
        )

    return hessian


def flatten(params: Params, select: Select) -> tuple[jax.Array, Callable[[jax.Array], Params]]:
    """Return the selected parameters as one vector ``(D,)``, and what puts such a vector back."""
    if select is None:
        return ravel_pytree(params)
    theta, unravel = ravel_pytree(restrict(select, params))
    leaves = by_path(params)
    indices = selected(select, leaves)

    def rebuild(theta: jax.Array) -> Params:
        values = dict(zip(indices, unravel(theta), strict=True))

        def leaf_at(path: Path, leaf: jax.Array) -> jax.Array:
            if path not in indices:
                return leaf
            return leaf.at[indices[path]].set(values[path]) if indices[path] else values[path]

        rebuilt = [leaf_at(path, leaf) for path, leaf in leaves.items()]
        return jax.tree.structure(params).unflatten(rebuilt)

    return theta, rebuild
