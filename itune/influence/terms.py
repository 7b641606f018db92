"""Terms of a factored gradient, and how they follow from what taps saw of a layer's calls."""

import math
from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import jax
import jax.numpy as jnp

from itune.influence.taps import Call, Layer

HIGHEST = jax.lax.Precision.HIGHEST


class Outer(NamedTuple):
    """``g = sum_t a_t^T e_t``: inputs ``(S, T, d_in)``, cotangents ``(S, T, d_out)``."""

    inputs: jax.Array
    cotangents: jax.Array


class Lookup(NamedTuple):
    """``g = sum_t onehot(id_t)^T e_t``: ids ``(S, T)``, cotangents ``(S, T, d)``."""

    ids: jax.Array
    cotangents: jax.Array


class Formed(NamedTuple):
    """``g`` itself, ``(S, rows, columns)``."""

    value: jax.Array


Term: TypeAlias = Outer | Lookup | Formed


@jax.jit
def form_outer(term: Outer) -> jax.Array:
    """Form an :class:`Outer` term, ``(S, d_in, d_out)``."""
    return jnp.einsum("sti,sto->sio", *term, precision=HIGHEST)


def _kernel(layer: Layer, calls: list[Call], shape: tuple[int, ...]) -> Term:
    inputs, cotangents = _flat(layer, calls, shape[: -layer.input_rank - layer.output_rank])
    _, positions, d_in = inputs.shape
    d_out = cotangents.shape[-1]
    outer = Outer(inputs, cotangents)
    # A gram costs T^2 (d_in + d_out) for each pair and each norm; forming costs T d_in d_out once.
    if 2 * positions * (d_in + d_out) > d_in * d_out:
        return Formed(form_outer(outer))
    return outer


def _table(layer: Layer, calls: list[Call], shape: tuple[int, ...]) -> Term:
    return Lookup(*_flat(layer, calls, shape[:-2]))


def _attended(layer: Layer, calls: list[Call], shape: tuple[int, ...]) -> Term:
    inputs, cotangents = _flat(layer, calls, shape[:-2])
    return Outer(cotangents, inputs)


def _bias(layer: Layer, calls: list[Call], shape: tuple[int, ...]) -> Term:
    _, cotangents = _flat(layer, calls, shape[: -layer.output_rank])
    return Formed(cotangents.sum(axis=1, keepdims=True))


def _scale(layer: Layer, calls: list[Call], shape: tuple[int, ...]) -> Term:
    inputs, cotangents = _flat(layer, calls, shape[:-1])
    return Formed((inputs * cotangents).sum(axis=1, keepdims=True))


PARAMETERS: dict[str, dict[str, Callable[[Layer, list[Call], tuple[int, ...]], Term]]] = {
    "dense": {"kernel": _kernel, "bias": _bias},
    "conv": {"kernel": _kernel, "bias": _bias},
    "embed": {"embedding": _table},
    "attend": {"embedding": _attended},
    "norm": {"scale": _scale, "bias": _bias},
}


def _flat(layer: Layer, calls: list[Call], stack: tuple[int, ...]) -> tuple[jax.Array, jax.Array]:
    """Merge calls: inputs ``(S, T, d_in)`` or ids ``(S, T)``, and cotangents ``(S, T, d_out)``."""
    inputs = [_positions(layer, call.inputs, stack, layer.input_rank) for call in calls]
    cotangents = [_positions(layer, call.cotangents, stack, layer.output_rank) for call in calls]
    return jnp.concatenate(inputs, axis=1), jnp.concatenate(cotangents, axis=1)


def _positions(layer: Layer, x: jax.Array, stack: tuple[int, ...], features: int) -> jax.Array:
    """Merge stacked axes into S, feature axes into d, and all between into positions T."""
    if x.shape[: len(stack)] != stack:
        raise ValueError(
            f"layer {'/'.join(layer.path)!r} has parameters stacked {stack} but values of shape "
            f"{x.shape}; give nn.scan variable_axes of 0 for params, tap_in and tap_out alike"
        )
    middle = x.ndim - features
    length = math.prod(x.shape[len(stack) : middle])
    width = (math.prod(x.shape[middle:]),) if features else ()
    return x.reshape((math.prod(stack), length) + width)
