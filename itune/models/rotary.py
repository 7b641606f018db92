"""Rotary positions: queries and keys are turned by angles that grow with their place."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from itune.errors import UserError
from itune.models.architecture import config_value


@dataclasses.dataclass(frozen=True)
class Rotary:
    """Angles of rotary positions, as they are or stretched for longer inputs.

    Attributes:
      theta: Base of the wavelengths, which are ``2 pi theta^(2 i / width)`` tokens.
      factor: What wavelengths are stretched by.
      original: Number of tokens of the longest input before that. Wavelengths up to
        ``original / high_freq_factor`` are left alone and those from ``original / low_freq_factor``
        on stretched whole, with frequencies interpolated between. None stretches all.
      low_freq_factor: See ``original``.
      high_freq_factor: See ``original``.
    """

    theta: float = 10000.0
    factor: float = 1.0
    original: int | None = None
    low_freq_factor: float = 1.0
    high_freq_factor: float = 4.0

    def frequencies(self, width: int) -> np.ndarray:
        """Return radians per token of heads of a width, ``(width / 2,)``."""
        whole = self.theta ** (-np.arange(0, width, 2) / width)
        if self.original is None:
            return whole / self.factor
        low, high = self.low_freq_factor, self.high_freq_factor
        share = np.clip((self.original * whole / (2 * np.pi) - low) / (high - low), 0, 1)
        return whole * (share + (1 - share) / self.factor)


def rotated(x: jax.Array, places: jax.Array, frequencies: np.ndarray) -> jax.Array:
    """Turn vectors of heads, ``(..., T, heads, width)``, by their tokens' places, ``(..., T)``.

    Component i of the first half goes with component i of the second.
    """
    dtype = x.dtype if jnp.finfo(x.dtype).bits >= 32 else jnp.float32
    by_axis = jnp.asarray(frequencies, dtype)[(None,) * (places.ndim + 1)]
    angles = places[..., None, None].astype(dtype) * by_axis
    cos, sin = jnp.cos(angles).astype(x.dtype), jnp.sin(angles).astype(x.dtype)
    a, b = jnp.split(x, 2, axis=-1)
    return jnp.concatenate([a * cos - b * sin, b * cos + a * sin], axis=-1)


def read_rotary(values: Mapping[str, Any], path: Path) -> Rotary:
    """Return what a file says of rotary positions, in the way of its time."""
    told = config_value(values, "rope_scaling", dict, path)
    told = told or config_value(values, "rope_parameters", dict, path) or {}
    kind = told.get("rope_type", told.get("type", "default"))
    if kind not in ("default", "linear", "llama3"):
        raise UserError(f"{path} has rope_type {kind!r}; use one of default, linear, llama3")
    if (part := {**values, **told}.get("partial_rotary_factor")) not in (None, 1.0):
        raise UserError(f"{path} has partial_rotary_factor {part!r}; only 1.0 is supported")
    rotary = Rotary(config_value({**values, **told}, "rope_theta", 10000.0, path))
    if kind == "default":
        return rotary
    rotary = dataclasses.replace(rotary, factor=config_value(told, "factor", 1.0, path))
    if kind == "linear":
        return rotary
    longest = config_value(values, "max_position_embeddings", 2048, path)
    return dataclasses.replace(
        rotary,
        original=config_value(told, "original_max_position_embeddings", longest, path),
        low_freq_factor=config_value(told, "low_freq_factor", 1.0, path),
        high_freq_factor=config_value(told, "high_freq_factor", 4.0, path),
    )


def rotary_keys(rotary: Rotary) -> dict[str, Any]:
    """Return what a file says of rotary positions, as every version of transformers reads it."""
    keys: dict[str, Any] = {"rope_theta": rotary.theta}
    if rotary.original is not None:
        keys["rope_scaling"] = {
            "rope_type": "llama3",
            "factor": rotary.factor,
            "original_max_position_embeddings": rotary.original,
            "low_freq_factor": rotary.low_freq_factor,
            "high_freq_factor": rotary.high_freq_factor,
        }
    elif rotary.factor != 1:
        keys["rope_scaling"] = {"rope_type": "linear", "factor": rotary.factor}
    return keys
