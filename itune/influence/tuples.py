"""Tuples: a probe with its signed partners, and the influence loss they define."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp


class Tuples(NamedTuple):
    """A batch of m probes with K partners each.

    The influence difference of a probe is ``delta = sum_i weights_i I(partner_i, probe)`` and its
    influence loss ``J = delta**2``. With ``weights = +1/|A|`` on partners of the same confound and
    ``-1/|B|`` on partners of a different one this is the loss of the paper (section 3).

    Attributes:
        probe: an example pytree with a leading axis ``(m, ...)``.
        partners: an example pytree with leading axes ``(m, K, ...)``.
        weights: ``(m, K)`` in the parameters' dtype; 0 marks padding, and an empty group.
    """

    probe: Any
    partners: Any
    weights: jax.Array


class InfluenceInfo(NamedTuple):
    """What an influence loss was made of.

    Attributes:
        delta: influence difference of each probe, ``(m,)``, unitless in [-2, 2].
        influences: ``I(partner_i, probe)``, ``(m, K)``; None where pairs are never formed.
    """

    delta: jax.Array
    influences: jax.Array | None = None


def make_weights(is_same: jax.Array, is_different: jax.Array) -> jax.Array:
    """Weights ``+1/|A|`` on same-confound partners, ``-1/|B|`` on different ones.

    Args:
        is_same: booleans ``(..., K)``, members of A.
        is_different: booleans ``(..., K)``, members of B.

    Returns:
        ``(..., K)``; an empty group contributes nothing, so its probe is drawn towards mean
        influence 0 of the other group. All zero where both are empty.

    >>> make_weights(jnp.array([True, True, False]), jnp.array([False, False, True])).tolist()
    [0.5, 0.5, -1.0]
    """

    def mean_weights(is_member):
        member = is_member.astype(jnp.result_type(float))
        return member / jnp.maximum(member.sum(axis=-1, keepdims=True), 1)

    return mean_weights(is_same) - mean_weights(is_different)


def delta_of(influences: jax.Array, weights: jax.Array) -> jax.Array:
    """``sum_i w_i I_i`` over the last axis."""
    return jnp.sum(jnp.where(weights == 0, 0, influences) * weights, axis=-1)


def joined(tuple_: Tuples) -> Any:
    """Probe and partners of one tuple as one stack of ``1 + K`` examples, the probe first."""
    return jax.tree.map(
        lambda probe, partners: jnp.concatenate([probe[None], partners]),
        tuple_.probe,
        tuple_.partners,
    )
