"""Tuples: a probe with its signed partners, and the influence loss they define."""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from itune.influence.types import Examples


class Tuples(NamedTuple):
    """A batch of m probes with K partners each.

    The influence difference of a probe is ``delta = sum_i weights_i I(partner_i, probe)`` and its
    influence loss ``J = delta**2``. With ``weights = +1/|A|`` on partners of the same confound and
    ``-1/|B|`` on partners of a different one this is the loss of Han & Tsvetkov (2021), section 3.

    Attributes:
        probe: Examples with a leading axis ``(m, ...)``.
        partners: Examples with leading axes ``(m, K, ...)``.
        weights: ``(m, K)`` in the parameters' dtype; 0 marks padding, and an empty group.
    """

    probe: Examples
    partners: Examples
    weights: jax.Array


class InfluenceInfo(NamedTuple):
    """The influences that an influence loss is made of.

    Attributes:
        delta: Influence difference of each probe, ``(m,)``, unitless, in [-2, 2].
        influences: ``I(partner_i, probe)``, ``(m, K)``, in [-1, 1]; None where no pair is formed.
    """

    delta: jax.Array
    influences: jax.Array | None = None


def make_weights(is_same: jax.Array, is_different: jax.Array) -> jax.Array:
    """Compute weights: ``+1/|A|`` on partners of the same confound, ``-1/|B|`` on different ones.

    Args:
        is_same: Which partners are members of A, booleans ``(..., K)``.
        is_different: Which partners are members of B, booleans ``(..., K)``.

    Returns:
        Weights ``(..., K)`` in the default floating-point dtype. An empty group contributes
        nothing, so its probe is drawn towards mean influence 0 of the other group. All are 0 where
        both groups are empty.

    >>> make_weights(jnp.array([True, True, False]), jnp.array([False, False, True])).tolist()
    [0.5, 0.5, -1.0]
    """

    def mean_weights(is_member: jax.Array) -> jax.Array:
        member = is_member.astype(jnp.result_type(float))
        return member / jnp.maximum(member.sum(axis=-1, keepdims=True), 1)

    return mean_weights(is_same) - mean_weights(is_different)


def delta_of(influences: jax.Array, weights: jax.Array) -> jax.Array:
    """Compute ``sum_i w_i I_i`` over the last axis; a weight of 0 hides a NaN."""
    return jnp.sum(jnp.where(weights == 0, 0, influences) * weights, axis=-1)


def residual_of(delta: jax.Array, weights: jax.Array, target: float) -> jax.Array:
    """Compute what J is the square of: ``delta - target``, or ``delta`` where A or B is empty."""
    if not target:
        return delta
    has_both = jnp.any(weights > 0, axis=-1) & jnp.any(weights < 0, axis=-1)
    return jnp.where(has_both, delta - target, delta)


def joined(tuple_: Tuples) -> Examples:
    """Stack the examples of one tuple, ``(1 + K, ...)``: the probe, then its partners."""
    return jax.tree.map(
        lambda probe, partners: jnp.concatenate([probe[None], partners]),
        tuple_.probe,
        tuple_.partners,
    )
