"""Activations of feed-forward layers by their names in Hugging Face's configurations; softmax."""

import math
from collections.abc import Callable

import jax
import jax.numpy as jnp

from itune.errors import UserError


@jax.custom_jvp
def gelu(x: jax.Array) -> jax.Array:
    """Compute ``x Phi(x)``, exact, with its first and second derivative in closed form.

    ``gelu' = Phi(x) + x phi(x)`` and ``gelu'' = (2 - x^2) phi(x)``, with the normal distribution's
    ``Phi`` and density ``phi``: one ``erf`` and one ``exp`` in all, where autodiff of second order
    takes several.

    >>> round(float(jax.grad(jax.grad(gelu))(0.0)), 4)  # 2 / sqrt(2 pi)
    0.7979
    """
    return x * _normal_cdf(x)


@jax.custom_jvp
def _gelu_slope(x: jax.Array) -> jax.Array:
    return _normal_cdf(x) + x * _normal_pdf(x)


@gelu.defjvp
def _gelu_jvp(primals: tuple[jax.Array], tangents: tuple[jax.Array]) -> tuple[jax.Array, jax.Array]:
    (x,), (dx,) = primals, tangents
    return gelu(x), _gelu_slope(x) * dx


@_gelu_slope.defjvp
def _gelu_slope_jvp(
    primals: tuple[jax.Array], tangents: tuple[jax.Array]
) -> tuple[jax.Array, jax.Array]:
    (x,), (dx,) = primals, tangents
    return _gelu_slope(x), (2 - x * x) * _normal_pdf(x) * dx


def _normal_cdf(x: jax.Array) -> jax.Array:
    return 0.5 * (1 + jax.lax.erf(x * math.sqrt(0.5)))


def _normal_pdf(x: jax.Array) -> jax.Array:
    return jnp.exp(-0.5 * x * x) / math.sqrt(2 * math.pi)


@jax.custom_jvp
def softmax(x: jax.Array) -> jax.Array:
    """Compute the softmax ``y`` of the last axis, with derivatives made of ``y`` at any order.

    ``dy = y (dx - sum(y dx))``. By default ``jax.nn.softmax`` is differentiated operation by
    operation, its maximum included, which makes a derivative of second order larger to compile.

    >>> softmax(jnp.zeros(4)).tolist()
    [0.25, 0.25, 0.25, 0.25]
    """
    return jax.nn.softmax(x, axis=-1)


@softmax.defjvp
def _softmax_jvp(
    primals: tuple[jax.Array], tangents: tuple[jax.Array]
) -> tuple[jax.Array, jax.Array]:
    (x,), (dx,) = primals, tangents
    y = softmax(x)
    return y, y * (dx - jnp.sum(y * dx, axis=-1, keepdims=True))


ACTIVATIONS: dict[str, Callable[[jax.Array], jax.Array]] = {
    "gelu": gelu,
    "gelu_new": lambda x: jax.nn.gelu(x, approximate=True),
    "relu": jax.nn.relu,
    "silu": jax.nn.silu,
    "tanh": jnp.tanh,
}


def require_activation(name: str, value: str) -> None:
    """Check the value of a setting."""
    if value not in ACTIVATIONS:
        known = ", ".join(sorted(ACTIVATIONS))
        raise UserError(f"{name} {value!r} is not supported; use one of {known}")
