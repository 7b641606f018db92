"""The influence loss of pools, and its gradient, with no pair formed.

With everyone of a pool as partner of everyone, influences need no pairs: the mean influence of a
group on a probe is ``ĝ_p . m_group``, ``m_group = mean_j ĝ_j``, one inner product.
"""

import math
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp

from itune.influence import factors as factored
from itune.influence.cosine import inverse_norm
from itune.influence.coverage import checked_gradients
from itune.influence.factors import Factors
from itune.influence.objective import LinenLoss
from itune.influence.pools import Pool, of_labels
from itune.influence.routes import tree_add
from itune.influence.subsets import Select, selected_shapes
from itune.influence.terms import Term
from itune.influence.types import Params, PyTree, Shapes, Tensors


def pair_free_loss(
    loss: LinenLoss, select: Select, target: float, params: Params, pool: Pool
) -> tuple[jax.Array, jax.Array]:
    """Compute the sum of ``J`` over a pool, and all influence differences.

    These have ``differences_shape``. With ``S_yc = sum_{j in y, c} ĝ_j`` over the ``n_yc`` real
    examples of label y and confound c, and ``N_y`` of the label in all, the difference of probe p
    of confound c towards label y is::

        delta_py = ĝ_p . D_yc - ĝ_p . ĝ_p / a       the last term for its own label only
        D_yc     = S_yc / a - sum_{c' != c} S_yc' / (N_y - n_yc)
        a        = n_yc - 1 for its own label, n_yc for any other

    where the last term takes the probe itself out of A. Four forward-equivalents (forward,
    backward, sum, projection), and eight to differentiate, however many pairs; one vector of the
    parameters' size for each row, and of L labels L projections. Padding has 0.

    Of several labels, sums and projections are computed again on the way back, tensor by tensor.
    """
    gradients, shapes = factored.compacted(*_gradients(loss, select, params, pool))
    units = _units(gradients, pool.is_real)
    counts = _counts(pool, units.inverse.dtype)
    if len(counts) == 1:
        projections = _projections(units, _row_sums(units, shapes), counts)
    else:
        projections = _one_by_one(units, shapes, counts)
    differences = _differences(units, projections, counts)
    total = _loss(differences, counts, pool.is_real, target)
    return total, differences.reshape(pool.differences_shape)


def pair_free_in_pieces(
    loss: LinenLoss, select: Select, target: float, params: Params, pool: Pool, microbatch: int
) -> tuple[tuple[jax.Array, jax.Array], Params]:
    """Compute the sum of ``J`` over a pool, all ``delta``, and the gradient, by pieces.

    A piece has ``microbatch`` examples, but at least one of each row; no more are in memory at
    once. With the sums ``S`` of all rows taken for constant, ``J`` is a sum over probes, so three
    passes give the gradient exactly: ``S``; ``J(S)`` and ``G = dJ/dS``; and the gradient of
    ``J(S) + <S(params), G>``, S and G constant. They are 3, 4 and 10 forward-equivalents, for 12 of
    the whole pool at once.
    """
    gradients, shapes = _gradients(loss, select, params, pool)
    ids = factored.ids_met(gradients, shapes)  # nothing else of all gradients is computed
    shapes = factored.compacted(gradients, shapes, ids)[1]
    dtype = jnp.result_type(*jax.tree.leaves(params))
    counts, rows = _counts(pool, dtype), pool.is_real.shape[:-1]
    pieces = _pieces(pool, max(1, microbatch // math.prod(rows)))

    def units_of(params: Params, piece: Pool) -> _Units:
        gradients, shapes = _gradients(loss, select, params, piece)
        return _units(factored.compacted(gradients, shapes, ids)[0], piece.is_real)

    def losses(params: Params, sums: Tensors, piece: Pool) -> tuple[jax.Array, jax.Array]:
        units = units_of(params, piece)
        differences = _differences(units, _projections(units, sums, counts), counts)
        return _loss(differences, counts, piece.is_real, target), differences

    def add_sums(sums: Tensors, piece: Pool) -> tuple[Tensors, None]:
        return tree_add(sums, _row_sums(units_of(params, piece), shapes)), None

    zeros = {path: jnp.zeros((*counts.shape, *shape), dtype) for path, shape in shapes.items()}
    sums, _ = jax.lax.scan(add_sums, zeros, pieces)
    of_sums = jax.value_and_grad(losses, argnums=1, has_aux=True)

    def add_losses(carry: PyTree, piece: Pool) -> tuple[PyTree, jax.Array]:
        (total, differences), pull = of_sums(params, sums, piece)
        return tree_add(carry, (total, pull)), differences

    (total, pull), differences = jax.lax.scan(add_losses, (jnp.zeros((), dtype), zeros), pieces)

    def pulled(params: Params, piece: Pool) -> jax.Array:
        units = units_of(params, piece)
        through = jax.tree.map(jnp.vdot, _row_sums(units, shapes), pull)
        own = _differences(units, _projections(units, sums, counts), counts)
        value = _loss(own, counts, piece.is_real, target)
        return value + jnp.asarray(sum(jax.tree.leaves(through)))

    def add_gradient(gradient: Params, piece: Pool) -> tuple[Params, None]:
        return tree_add(gradient, jax.grad(pulled)(params, piece)), None

    gradient, _ = jax.lax.scan(add_gradient, jax.tree.map(jnp.zeros_like, params), pieces)
    # (pieces, L, C, columns, L) in the order of the pool
    differences = jnp.moveaxis(differences, 0, 3)
    labels, confounds, *_ = differences.shape
    differences = differences.reshape(labels, confounds, -1, labels)
    differences = differences[:, :, : pool.is_real.shape[-1]]
    return (total, differences.reshape(pool.differences_shape)), gradient


class _Units(NamedTuple):
    """Unit gradients ``ĝ`` of examples ``(L, C, n)``: gradients, and 1 over norms; 0 of padding."""

    gradients: Factors
    inverse: jax.Array


def _gradients(
    loss: LinenLoss, select: Select, params: Params, pool: Pool
) -> tuple[Factors, Shapes]:
    """Compute gradients of the examples ``(L, C, n)`` of a pool, and the shapes they have."""
    examples = pool.examples
    if pool.is_real.ndim == 2:
        examples = jax.tree.map(lambda x: x[None], examples)
    # Axes are not merged, so that examples may lie on several devices.
    of_row = partial(checked_gradients, loss, select, params)
    return jax.vmap(jax.vmap(of_row))(examples), selected_shapes(select, params)


def _units(gradients: Factors, is_real: jax.Array) -> _Units:
    inverse = inverse_norm(jax.vmap(jax.vmap(jax.vmap(factored.square)))(gradients))
    return _Units(gradients, of_labels(is_real).astype(inverse.dtype) * inverse)


def _counts(pool: Pool, dtype: jax.typing.DTypeLike) -> jax.Array:
    """Count the real examples of each row, ``(L, C)``."""
    return of_labels(pool.is_real).astype(dtype).sum(axis=2)


def _row_sums(units: _Units, shapes: Shapes) -> Tensors:
    """Compute ``S_yc``, arrays with leading axes ``(L, C)``."""

    def row_sum(gradients: Factors, weights: jax.Array) -> Tensors:
        return factored.weighted_sum(gradients, weights, shapes)

    return jax.vmap(jax.vmap(row_sum))(units.gradients, units.inverse)


def _one_by_one(units: _Units, shapes: Shapes, counts: jax.Array) -> jax.Array:
    """Compute projections on the sums of the examples themselves, one tensor after another.

    Sums, directions and products are in memory for one tensor only, on the way back as well.
    """

    @partial(jax.checkpoint, static_argnums=1)
    def of_tensor(part: _Units, shape: tuple[int, ...]) -> jax.Array:
        return _projections(part, _row_sums(part, {(): shape}), counts)

    total = jnp.repeat(jnp.zeros_like(units.inverse)[..., None], len(counts), axis=-1)
    for shape, stack in factored.stacks(units.gradients, shapes):

        def add(
            total: jax.Array, terms: tuple[Term, ...], shape: tuple[int, ...] = shape
        ) -> tuple[jax.Array, None]:
            return total + of_tensor(_Units({(): terms}, units.inverse), shape), None

        total, _ = jax.lax.scan(add, total, stack)
    return total


def _projections(units: _Units, sums: Tensors, counts: jax.Array) -> jax.Array:
    """Project examples ``(L, C, n)`` on ``D_yc`` of their confound c and each label y.

    Returns an array ``(L, C, n, L)``, of the tensors that there are.
    """

    def directed(signs: jax.Array, sums: jax.Array) -> jax.Array:
        return jnp.tensordot(signs, sums, axes=1, precision=factored.HIGHEST)

    project = jax.vmap(factored.project, (0, None))  # examples of one row on one direction
    of_rows = jax.vmap(project)  # each row on a direction of its own

    def of_label(rows: Factors, signs: jax.Array) -> jax.Array:
        directions = jax.tree.map(lambda s: jax.vmap(directed)(signs, s), sums)
        return jax.vmap(of_rows, (None, 0))(rows, directions)

    signs = _signs(counts)
    if len(counts) == 1:  # a batch axis of one would only change how products are rounded
        along = jax.vmap(of_label, (0, None))(units.gradients, signs[0])
    else:
        along = jax.vmap(of_label)(units.gradients, signs)
    return jnp.moveaxis(along, 1, -1)


def _signs(counts: jax.Array) -> jax.Array:
    """Compute what sums ``S_yc'`` count with in ``D_yc``, for probes of each label.

    Axes are the label of the probe, y, c and c'. Without A or B another label has no direction.
    """
    same, across, different = _reciprocals(counts)
    is_own = jnp.eye(len(counts), dtype=bool)[..., None, None]  # (L, L, 1, 1)
    is_row = jnp.eye(counts.shape[1], dtype=bool)
    has_both = ((across > 0) & (different > 0))[None, :, :, None]
    plus = jnp.where(is_own, same[None, :, :, None], across[None, :, :, None])
    signs = jnp.where(is_row[None, None], plus, -different[None, :, :, None])
    return jnp.where(is_own | has_both, signs, 0)


def _differences(units: _Units, projections: jax.Array, counts: jax.Array) -> jax.Array:
    """Compute ``delta`` of examples ``(L, C, n)`` towards each label, ``(L, C, n, L)``."""
    inverse = units.inverse
    same, _, _ = _reciprocals(counts)
    is_own = jnp.eye(len(counts), dtype=bool)[:, None, None]  # (L, 1, 1, L)
    own = (inverse > 0).astype(inverse.dtype) * same[..., None]
    return projections * inverse[..., None] - jnp.where(is_own, own[..., None], 0)


def _reciprocals(counts: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Compute 1 over the sizes of A for the own label and for another, and of B, ``(L, C)``."""
    others = counts.sum(axis=1, keepdims=True) - counts
    return _reciprocal(counts - 1), _reciprocal(counts), _reciprocal(others)


def _loss(
    differences: jax.Array, counts: jax.Array, is_real: jax.Array, target: float
) -> jax.Array:
    """Compute the sum of ``J`` of examples ``(L, C, n)``; without A or B the target is 0."""
    if not target:
        return jnp.sum(differences**2)
    has_b = counts.sum(axis=1, keepdims=True) > counts
    is_own = jnp.eye(counts.shape[0], dtype=bool)[:, None]  # (L, 1, L)
    towards_others = ((counts > 0) & has_b).T  # (C, L)
    has_both = jnp.where(is_own, ((counts > 1) & has_b)[..., None], towards_others[None])
    is_aimed = of_labels(is_real)[..., None] & has_both[:, :, None]
    return jnp.sum(jnp.where(is_aimed, differences - target, differences) ** 2)


def _pieces(pool: Pool, columns: int) -> Pool:
    """Cut a pool into pieces of so many columns, with leading axes ``(pieces, ..., columns)``.

    Each takes columns from all over the pool, and so from all devices; the first column fills up.
    """
    axis = pool.is_real.ndim - 1
    count = -(-pool.is_real.shape[axis] // columns)
    padding = count * columns - pool.is_real.shape[axis]

    def fill_up(leaf: jax.Array) -> jax.Array:
        first = jax.lax.slice_in_dim(leaf, 0, 1, axis=axis)
        return jnp.concatenate([leaf, jnp.repeat(first, padding, axis)], axis)

    def split(leaf: jax.Array) -> jax.Array:
        leaf = leaf.reshape((*leaf.shape[:axis], columns, count, *leaf.shape[axis + 1 :]))
        return jnp.moveaxis(leaf, axis + 1, 0)

    is_real = jnp.pad(pool.is_real, [(0, 0)] * axis + [(0, padding)])
    return jax.tree.map(split, Pool(jax.tree.map(fill_up, pool.examples), is_real))


def _reciprocal(size: jax.Array) -> jax.Array:
    """Compute ``1 / size``; 0 for an empty group."""
    return jnp.where(size > 0, 1 / jnp.maximum(size, 1), 0)
