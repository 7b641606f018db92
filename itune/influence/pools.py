"""Pools: examples that are probes and partners of one another, and no pair formed.

With everyone of a pool as partner of everyone, influences need no pairs: the mean influence of a
group on a probe is ``ĝ_p . m_group``, ``m_group = mean_j ĝ_j``, one inner product.
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp

from itune.influence import factors as factored
from itune.influence.cosine import inverse_norm
from itune.influence.coverage import checked_gradients
from itune.influence.factors import Factors
from itune.influence.objective import LinenLoss
from itune.influence.subsets import Select, selected_shapes
from itune.influence.tuples import Tuples, make_weights
from itune.influence.types import Examples, Params, Tensors


class Pool(NamedTuple):
    """Examples of one label, or of L labels, a row for each of C confounds.

    Every example is a probe. In a pool of one label its A are the others of its row, its B all of
    the other rows. Both groups being complete, ``delta`` is the mean over A minus the mean over B
    of all influences.

    In a pool of several labels an example has a ``delta`` for each of them, its own among them: A
    are the examples of that label with the probe's confound, B those with another. Where another
    label than its own lacks A or B, that ``delta`` is 0. The influence loss of a probe is the mean
    of the squares: confounds are to tell nothing of influence within a label nor across.

    Attributes:
        examples: Examples with leading axes ``(C, n, ...)``; of several labels ``(L, C, n, ...)``.
        is_real: Booleans ``(C, n)`` or ``(L, C, n)``; False marks padding, which is neither probe
            nor partner.
    """

    examples: Examples
    is_real: jax.Array

    @property
    def differences_shape(self) -> tuple[int, ...]:
        """Shape of all ``delta``: ``(C, n)``; of several labels ``(L, C, n, L)``."""
        shape = self.is_real.shape
        return shape if len(shape) == 2 else (*shape, shape[0])

    def size(self, dtype: jax.typing.DTypeLike) -> jax.Array:
        """Count the ``delta`` of real examples, one for each label; 1 where there is none."""
        labels = 1 if self.is_real.ndim == 2 else self.is_real.shape[0]
        return jnp.maximum(labels * jnp.sum(self.is_real.astype(dtype)), 1)

    def tuples(self) -> Tuples:
        """Return the pool as tuples of all its examples as partners, for routes that form pairs.

        There is one for each ``delta``. The influence loss of the pool is the sum over these tuples
        divided by :meth:`size`. Padding, and each probe among its own partners, has weight 0.
        """
        is_real = _of_labels(self.is_real)
        labels, rows, columns = is_real.shape
        flat, real = _flatten(self.examples, self.is_real.ndim), is_real.ravel()
        label, row, _ = (axis.ravel() for axis in jnp.indices(is_real.shape))
        is_pair = real[:, None] & real[None, :] & ~jnp.eye(real.size, dtype=bool)
        is_same = row[:, None] == row[None, :]
        is_of = label[:, None] == jnp.arange(labels)[None, :]  # (N, L)
        is_partner = is_pair[:, None] & is_of.T[None]
        same, different = is_partner & is_same[:, None], is_partner & ~is_same[:, None]
        has_both = same.any(axis=-1) & different.any(axis=-1)
        weights = make_weights(same, different)
        weights = jnp.where((has_both | is_of)[..., None], weights, 0)
        probes = jax.tree.map(lambda x: jnp.repeat(x, labels, axis=0), flat)
        partners = jax.tree.map(lambda x: jnp.broadcast_to(x, (labels * real.size, *x.shape)), flat)
        return Tuples(probes, partners, weights.reshape(-1, real.size))


def pair_free_differences(loss: LinenLoss, select: Select, params: Params, pool: Pool) -> jax.Array:
    """Compute the influence differences of every example of a pool, of ``differences_shape``.

    With ``S_yc = sum_{j in y, c} ĝ_j`` over the ``n_yc`` real examples of label y and confound c,
    and ``N_y`` of the label in all, the difference of probe p of confound c towards label y is::

        delta_py = ĝ_p . D_yc - ĝ_p . ĝ_p / a       the last term for its own label only
        D_yc     = S_yc / a - sum_{c' != c} S_yc' / (N_y - n_yc)
        a        = n_yc - 1 for its own label, n_yc for any other

    where the last term takes the probe itself out of A. Four forward-equivalents (forward,
    backward, sum, projection), and eight to differentiate, however many pairs; one vector of the
    parameters' size for each row, and of L labels L + 1 projections. Padding has 0.
    """
    is_real = _of_labels(pool.is_real)
    examples = pool.examples
    if pool.is_real.ndim == 2:
        examples = jax.tree.map(lambda x: x[None], examples)
    # Axes are not merged, so that examples may lie on several devices.
    of_row = partial(checked_gradients, loss, select, params)
    gradients = jax.vmap(jax.vmap(of_row))(examples)
    gradients, shapes = factored.compacted(gradients, selected_shapes(select, params))
    inverse = inverse_norm(jax.vmap(jax.vmap(jax.vmap(factored.square)))(gradients))
    is_real = is_real.astype(inverse.dtype)

    def row_sum(gradients: Factors, weights: jax.Array) -> Tensors:
        return factored.weighted_sum(gradients, weights, shapes)

    sums = jax.vmap(jax.vmap(row_sum))(gradients, is_real * inverse)
    counts = is_real.sum(axis=2)
    others = counts.sum(axis=1, keepdims=True) - counts
    same, across, different = map(_reciprocal, (counts - 1, counts, others))
    has_several = is_real.shape[0] > 1
    plus = across if has_several else same
    is_row = jnp.eye(is_real.shape[1], dtype=bool)[None]
    signs = jnp.where(is_row, plus[..., None], -different[..., None])

    def signed(signs: jax.Array, sums: jax.Array) -> jax.Array:
        return jnp.tensordot(signs, sums, axes=1, precision=factored.HIGHEST)

    directions = jax.tree.map(lambda s: jax.vmap(signed)(signs, s), sums)
    project = jax.vmap(factored.project, (0, None))  # examples of one row on one direction
    of_rows = jax.vmap(project)  # each row on a direction of its own
    along = jax.vmap(lambda rows: jax.vmap(of_rows, (None, 0))(rows, directions))(gradients)
    along = jnp.moveaxis(along, 1, -1)  # (L, C, n, L)
    is_own = jnp.eye(is_real.shape[0], dtype=bool)[:, None, None]  # (L, 1, 1, L)
    own = (inverse > 0).astype(inverse.dtype) * same[..., None]
    if has_several:  # A of the own label lacks the probe
        has_both = (across > 0) & (different > 0)
        along = jnp.where(is_own | has_both.T[None, :, None], along, 0)
        alone = jax.vmap(of_rows)(gradients, sums) * (same - across)[..., None]
        along = along + jnp.where(is_own, alone[..., None], 0)
    differences = along * inverse[..., None] - jnp.where(is_own, own[..., None], 0)
    return (is_real[..., None] * differences).reshape(pool.differences_shape)


def _reciprocal(size: jax.Array) -> jax.Array:
    """Compute ``1 / size``; 0 for an empty group."""
    return jnp.where(size > 0, 1 / jnp.maximum(size, 1), 0)


def _of_labels(is_real: jax.Array) -> jax.Array:
    """Add the axis of labels where there is only one."""
    return is_real if is_real.ndim == 3 else is_real[None]


def _flatten(examples: Examples, axes: int) -> Examples:
    """Merge the leading axes."""
    return jax.tree.map(lambda x: x.reshape((-1,) + x.shape[axes:]), examples)
