"""Pools: examples that are probes and partners of one another."""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from itune.influence.tuples import Tuples, make_weights
from itune.influence.types import Examples


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
        is_real = of_labels(self.is_real)
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


def of_labels(is_real: jax.Array) -> jax.Array:
    """Add the axis of labels where there is only one."""
    return is_real if is_real.ndim == 3 else is_real[None]


def _flatten(examples: Examples, axes: int) -> Examples:
    """Merge the leading axes."""
    return jax.tree.map(lambda x: x.reshape((-1,) + x.shape[axes:]), examples)
