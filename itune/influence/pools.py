"""Pools: examples of one label that are probes and partners of one another, and no pair formed.

With everyone of a pool as partner of everyone, influences need no pairs: the mean influence of a
group on a probe is ``ĝ_p . m_group``, ``m_group = mean_j ĝ_j``, one inner product.
"""

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
    """Examples of one label, a row for each of C confounds.

    Every example is a probe. Its A are the others of its row, its B all of the other rows. Both
    groups being complete, ``delta`` is the mean over A minus the mean over B of all influences.

    Attributes:
        examples: Examples with leading axes ``(C, n, ...)``.
        is_real: Booleans ``(C, n)``; False marks padding, which is neither probe nor partner.
    """

    examples: Examples
    is_real: jax.Array

    def tuples(self) -> Tuples:
        """Return the pool as C n tuples of C n partners each, for routes that form pairs.

        The influence loss of the pool is the sum over these tuples divided by the number of real
        examples. Padding, and each probe among its own partners, has weight 0.
        """
        rows, columns = self.is_real.shape
        flat, real = _flatten(self.examples), self.is_real.ravel()
        row = jnp.repeat(jnp.arange(rows), columns)
        is_pair = real[:, None] & real[None, :] & ~jnp.eye(rows * columns, dtype=bool)
        is_same = row[:, None] == row[None, :]
        partners = jax.tree.map(lambda x: jnp.broadcast_to(x, (len(real), *x.shape)), flat)
        return Tuples(flat, partners, make_weights(is_pair & is_same, is_pair & ~is_same))


def pair_free_differences(loss: LinenLoss, select: Select, params: Params, pool: Pool) -> jax.Array:
    """Compute the influence difference of every example of a pool.

    With ``S_c = sum_{j in c} ĝ_j`` over row c of ``n_c`` real examples, N in all::

        delta_p = ĝ_p . D_c - ĝ_p . ĝ_p / (n_c - 1)
        D_c     = S_c / (n_c - 1) - sum_{c' != c} S_c' / (N - n_c)

    where the second term takes the probe itself out of A. Four forward-equivalents (forward,
    backward, sum, projection), and eight to differentiate, however many pairs; one vector of the
    parameters' size for each row. The result is ``(C, n)``, and 0 for padding.
    """
    shape = pool.is_real.shape
    gradients = checked_gradients(loss, select, params, _flatten(pool.examples))
    inverse = inverse_norm(jax.vmap(factored.square)(gradients)).reshape(shape)
    gradients, shapes = factored.compacted(gradients, selected_shapes(select, params))
    gradients = jax.tree.map(lambda x: x.reshape(shape + x.shape[1:]), gradients)
    is_real = pool.is_real.astype(inverse.dtype)

    def row_sum(gradients: Factors, weights: jax.Array) -> Tensors:
        return factored.weighted_sum(gradients, weights, shapes)

    sums = jax.vmap(row_sum)(gradients, is_real * inverse)
    counts = is_real.sum(axis=1)
    sizes = counts - 1, counts.sum() - counts
    same, different = map(_reciprocal, sizes)
    signs = jnp.where(jnp.eye(shape[0], dtype=bool), same[:, None], -different[:, None])
    directions = jax.tree.map(
        lambda s: jnp.tensordot(signs, s, axes=1, precision=factored.HIGHEST), sums
    )
    project = jax.vmap(jax.vmap(factored.project, (0, None)))
    along = project(gradients, directions) * inverse
    own = (inverse > 0).astype(inverse.dtype)
    return is_real * (along - own * same[:, None])


def _reciprocal(size: jax.Array) -> jax.Array:
    """Compute ``1 / size``; 0 for an empty group."""
    return jnp.where(size > 0, 1 / jnp.maximum(size, 1), 0)


def _flatten(examples: Examples) -> Examples:
    """Merge the leading axes ``(C, n)``."""
    return jax.tree.map(lambda x: x.reshape((-1,) + x.shape[2:]), examples)
