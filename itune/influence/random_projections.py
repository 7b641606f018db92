"""Sketches: short vectors whose inner products estimate gradient cosines without bias.

With ``R (rows, k)`` and ``Q (columns, k)`` of independent standard normal numbers, the sketch of a
tensor's gradient ``G (rows, columns)``, and of a factored one, is

    s_i = r_i^T G q_i / sqrt(k) = sum_t (a_t . r_i) (e_t . q_i) / sqrt(k),

so that no gradient is formed where it is large. Then ``E[s . s'] = <G, G'>`` and

    Var[s . s'] = (|G|² |G'|² + <G, G'>² + 2 |G G'^T|² + 2 |G^T G'|² + 2 tr(G G'^T G G'^T)) / k.

A vector has ``R = 1``, and the variance ``(|g|² |g'|² + <g, g'>²) / k``; a tensor of at most k
numbers is its own sketch. Tensors have draws of their own, so that variances add up.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np

from itune.influence import factors as factored
from itune.influence.cosine import inverse_norm
from itune.influence.coverage import checked_gradients
from itune.influence.factors import HIGHEST, Factors, Formed, Lookup, Outer, Term, three_axes
from itune.influence.objective import LinenLoss
from itune.influence.subsets import Select, selected_shapes
from itune.influence.types import Examples, Params, Path
from itune.utils.compiling import memoized


class Projection(NamedTuple):
    """What a tensor's gradient is projected by: ``R (S, rows, k)`` and ``Q (S, columns, k)``."""

    rows: jax.Array | np.ndarray
    columns: jax.Array | np.ndarray


Projections: TypeAlias = Mapping[Path, Projection | None]
"""The projection of each tensor by path; None where a gradient is its own sketch."""


def draw_projections(
    loss: LinenLoss,
    params: Params,
    examples: Examples,
    *,
    size: int,
    seed: int = 0,
    select: Select = None,
) -> Projections:
    """Draw the projections of sketches of at most ``size`` numbers.

    Tensors share the numbers as they share the squared norm of unit gradients, which gives the
    least variance; each has one at least.

    Args:
      loss: Label loss of one example and its module.
      params: Parameters of the model.
      examples: A batch of examples, for the share of each tensor.
      size: Numbers of a sketch, no fewer than there are tensors.
      seed: Seed of the draws, a non-negative integer.
      select: Restricts gradients to a subset of the parameters
        (:data:`~itune.influence.Select`).

    Raises:
      ValueError: ``size`` is smaller than the number of tensors.
    """
    return drawn(allotment(loss, params, examples, size=size, select=select), seed)


class Allotment(NamedTuple):
    """Shape of a tensor as ``(S, rows, columns)``, the numbers of its sketch, and its type."""

    shape: tuple[int, int, int]
    k: int
    dtype: jnp.dtype


def allotment(
    loss: LinenLoss, params: Params, examples: Examples, *, size: int, select: Select = None
) -> dict[Path, Allotment]:
    """Share out the numbers of a sketch among tensors; see :func:`draw_projections`."""
    whole = selected_shapes(select, params)
    gradient_of, shares = _compiled(loss, select)
    one = jax.tree.map(lambda leaf: leaf[0], examples)
    gradient = jax.eval_shape(gradient_of, params, one)
    shapes = {path: three_axes(terms[0], whole[path]) for path, terms in gradient.items()}
    least = sum(stack for stack, _, _ in shapes.values())
    if size < least:
        raise ValueError(f"size must be at least {least}, one number a tensor, got {size}")
    numbers = _allotted(shapes, jax.device_get(shares(params, examples)), size)
    dtype = jnp.result_type(*jax.tree.leaves(params))
    return {path: Allotment(shape, numbers[path], dtype) for path, shape in shapes.items()}


@memoized
def _compiled(
    loss: LinenLoss, select: Select
) -> tuple[Callable[..., Factors], Callable[..., dict[Path, jax.Array]]]:
    """Compile the gradient of an example, and the share of each tensor in those of a batch."""

    def shares(params: Params, examples: Examples) -> dict[Path, jax.Array]:
        gradients = checked_gradients(loss, select, params, examples)
        inverse = inverse_norm(jax.vmap(factored.square)(gradients))
        squares = {path: jax.vmap(factored.square)({path: gradients[path]}) for path in gradients}
        return {path: jnp.mean(square * inverse**2) for path, square in squares.items()}

    return jax.jit(partial(factored.factored_gradient, loss, select=select)), jax.jit(shares)


def drawn(allotments: Mapping[Path, Allotment], seed: int) -> Projections:
    """Draw the projections of tensors that have fewer numbers than entries."""
    rng = np.random.default_rng(seed)
    result: dict[Path, Projection | None] = {}
    for path, ((stack, rows, columns), k, dtype) in allotments.items():
        result[path] = None
        if k < rows * columns:
            left = rng.standard_normal((stack, rows, k)) if rows > 1 else np.ones((stack, 1, k))
            right = rng.standard_normal((stack, columns, k))
            result[path] = Projection(left.astype(dtype), right.astype(dtype))
    return result


def _allotted(
    shapes: Mapping[Path, tuple[int, int, int]], shares: Mapping[Path, np.ndarray], size: int
) -> dict[Path, int]:
    """Return k of each tensor: by its share, at least 1, and at most the number of its entries."""
    found: dict[Path, int] = {}
    left, rest = size - sum(stack for stack, _, _ in shapes.values()), sum(shares.values())
    # Those that need the least for their share come first, and leave the others what is over.
    for path in sorted(shapes, key=lambda path: np.prod(shapes[path]) / (shares[path] or 1e-30)):
        stack, rows, columns = shapes[path]
        part = left * float(shares[path] / rest) / stack if rest > 0 else 0.0
        found[path] = 1 + min(int(part + 1e-6), rows * columns - 1)
        left -= (found[path] - 1) * stack
        rest -= shares[path]
    return found


def sketches(
    loss: LinenLoss, *, select: Select = None
) -> Callable[[Params, Examples, Projections], jax.Array]:
    """Build a function that sketches unit gradients.

    Args:
      loss: Label loss of one example and its module.
      select: Restricts gradients to a subset of the parameters
        (:data:`~itune.influence.Select`); that of the projections.

    Returns:
      ``fun(params, examples, projections) -> sketches``, pure, of n examples: one row each,
      ``(n, size)``, zeros where the gradient is exactly 0.
    """

    def fun(params: Params, examples: Examples, projections: Projections) -> jax.Array:
        gradients = checked_gradients(loss, select, params, examples)
        inverse = inverse_norm(jax.vmap(factored.square)(gradients))
        shapes = selected_shapes(select, params)

        def of_one(gradient: factored.Factors) -> jax.Array:
            parts = [
                sum(_sketch(term, projections[path], shapes[path]) for term in terms)
                for path, terms in gradient.items()
            ]
            return jnp.concatenate([jnp.ravel(part) for part in parts])

        return jax.vmap(of_one)(gradients) * inverse[:, None]

    return fun


def _sketch(term: Term, projection: Projection | None, shape: tuple[int, ...]) -> jax.Array:
    """Sketch one term of a tensor's gradient, ``(S, k)``; the term itself without a projection."""
    if projection is None:
        return factored.form(term, three_axes(term, shape))
    rows, columns = map(jnp.asarray, projection)
    scale = jnp.asarray(rows.shape[-1], rows.dtype) ** -0.5
    match term:
        case Formed(value):
            left = jnp.einsum("sro,srk->sok", value, rows, precision=HIGHEST)
            return scale * jnp.einsum("sok,sok->sk", left, columns, precision=HIGHEST)
        case Outer(inputs, cotangents):
            left = jnp.einsum("std,sdk->stk", inputs, rows, precision=HIGHEST)
        case Lookup(ids, cotangents):
            left = jax.vmap(lambda table, places: table[places])(rows, ids)
    right = jnp.einsum("std,sdk->stk", cotangents, columns, precision=HIGHEST)
    return scale * jnp.einsum("stk,stk->sk", left, right, precision=HIGHEST)
