"""Normalisation with derivatives in closed form, which taps put in place of a layer's own.

A tap needs the normalised input, and so does the layer's output. Computed by the layer and by the
tap each, it would be differentiated twice, by more operations than its closed form has.
"""

from functools import partial

import jax
import jax.numpy as jnp
from flax import linen as nn


def normalised(module: nn.LayerNorm | nn.RMSNorm, inputs: jax.Array) -> jax.Array:
    """Return what a normalisation multiplies by its scale."""
    epsilon = jnp.asarray(module.epsilon, inputs.dtype)
    return _normalise(isinstance(module, nn.LayerNorm), epsilon, inputs)[0]


def output(
    module: nn.LayerNorm | nn.RMSNorm, inputs: jax.Array, normalised: jax.Array
) -> jax.Array | None:
    """Return a normalisation's output, or None if it does more than scale and shift."""
    names = ["scale"] * module.use_scale
    if isinstance(module, nn.LayerNorm):
        names += ["bias"] * module.use_bias
    values = [module.get_variable("params", name) for name in names]
    is_simple = (
        type(module) in (nn.LayerNorm, nn.RMSNorm)
        and not module.use_fast_variance
        and module.axis_name is None
        and module.dtype in (None, inputs.dtype)
        and inputs.dtype in (jnp.float32, jnp.float64)
        and all(value is not None and value.dtype == inputs.dtype for value in values)
    )
    if not is_simple:
        return None
    result = normalised
    for name, value in zip(names, values, strict=True):
        value = value.reshape((1,) * (inputs.ndim - 1) + (-1,))
        result = result * value if name == "scale" else result + value
    return result


@partial(jax.custom_jvp, nondiff_argnums=(0,))
def _normalise(is_centred: bool, epsilon: jax.Array, x: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Return the normalised ``x``, and the factor that its last axis was multiplied by."""
    if is_centred:
        x = x - x.mean(axis=-1, keepdims=True)
    factor = jax.lax.rsqrt(jnp.mean(x * x, axis=-1, keepdims=True) + epsilon)
    return x * factor, factor


@partial(_normalise.defjvp)
def _normalise_jvp(
    is_centred: bool, primals: tuple[jax.Array, ...], tangents: tuple[jax.Array, ...]
) -> tuple[tuple[jax.Array, ...], tuple[jax.Array, ...]]:
    result = _normalise(is_centred, *primals)
    return result, _tangents(is_centred, *result, tangents[1])


@partial(jax.jit, static_argnums=0)
def _tangents(
    is_centred: bool, normalised: jax.Array, factor: jax.Array, tangent: jax.Array
) -> tuple[jax.Array, jax.Array]:
    along = jnp.mean(normalised * tangent, axis=-1, keepdims=True)
    if is_centred:
        tangent = tangent - tangent.mean(axis=-1, keepdims=True)
    return factor * (tangent - normalised * along), -factor * factor * along
