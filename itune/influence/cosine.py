"""Cosines of gradients that stay accurate when a gradient all but vanishes."""

from typing import TypeVar

import jax
import jax.numpy as jnp

from itune.influence.types import PyTree

Tree = TypeVar("Tree", bound=PyTree)


def cosine(dot: jax.Array, square_a: jax.Array, square_b: jax.Array) -> jax.Array:
    """Compute ``dot / sqrt(square_a * square_b)``; 0 with zero derivative where a square is 0."""
    return dot * inverse_norm(square_a) * inverse_norm(square_b)


def inverse_norm(square: jax.Array) -> jax.Array:
    """Compute ``1 / sqrt(square)``; 0 with zero derivative where ``square`` is 0."""
    is_positive = square > 0
    return jnp.where(is_positive, jax.lax.rsqrt(jnp.where(is_positive, square, 1)), 0)


def unit_scale(tree: PyTree) -> jax.Array:
    """Return the constant ``1 / max |leaf|`` that brings a tree to size one; 1 for a tree of zeros.

    The cosine of two gradients does not change when one of the losses is scaled, and neither does
    its derivative, so the scale is a constant to differentiation (``stop_gradient``). It keeps
    squares of gradients as small as 1e-30 from underflowing in float32.
    """
    floats = [leaf for leaf in jax.tree.leaves(tree) if jnp.issubdtype(leaf.dtype, jnp.floating)]
    largest = jnp.stack([jnp.max(jnp.abs(jax.lax.stop_gradient(leaf))) for leaf in floats]).max()
    return jnp.where(largest > 0, 1 / jnp.where(largest > 0, largest, 1), 1)


def rescale(tree: Tree) -> Tree:
    """Return the tree times its :func:`unit_scale`."""
    scale = unit_scale(tree)
    return jax.tree.map(lambda leaf: leaf * scale, tree)


@jax.custom_vjp
def unit_cotangent(outputs: Tree) -> Tree:
    """Return the outputs; the backward pass brings their cotangent to size one.

    Placed on a network's outputs it factors the residual (softmax minus one-hot) out of everything
    behind them: activations' cotangents have size one however well the example is fitted. The size
    is that of :func:`unit_scale`.
    """
    return outputs


def _forward(outputs: Tree) -> tuple[Tree, None]:
    return outputs, None


def _backward(_: None, cotangents: Tree) -> tuple[Tree]:
    floats = [c for c in jax.tree.leaves(cotangents) if c.dtype != jax.dtypes.float0]
    scale = unit_scale(floats)
    return (jax.tree.map(lambda c: c if c.dtype == jax.dtypes.float0 else c * scale, cotangents),)


unit_cotangent.defvjp(_forward, _backward)
