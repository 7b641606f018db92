"""How Hugging Face's folders hold a family: what is common to all of :class:`TransformerConfig`."""

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from flax import linen as nn

from itune.errors import UserError
from itune.models.architecture import Architecture, TensorSpec, config_value
from itune.models.blocks import TransformerConfig

_BUFFERS = (
    ".position_ids",
    ".token_type_ids",
    ".attn.bias",
    ".attn.masked_bias",
    ".rotary_emb.inv_freq",
)
"""Endings of names in older files, of tensors that are no parameters."""


def _canonical_name(name: str, prefix: str, unneeded: tuple[str, ...]) -> str | None:
    name = name.removeprefix(f"{prefix}.")
    if name.startswith(unneeded) or name.endswith(_BUFFERS):
        return None
    name = name.replace("LayerNorm.gamma", "LayerNorm.weight")
    return name.replace("LayerNorm.beta", "LayerNorm.bias")


def family_architecture(
    module: type[nn.Module],
    config: type[TransformerConfig],
    name: str,
    *,
    prefix: str,
    keys: Mapping[str, tuple[str, Any]],
    tensors: Callable[[Any], Iterator[TensorSpec]],
    new_layers: dict[str, str],
    own: tuple[str, ...],
    more_keys: Mapping[str, tuple[str, Any]] | None = None,
    constants: Mapping[str, Any] | None = None,
    required: Mapping[str, Any] | None = None,
    unneeded: tuple[str, ...] = (),
    leftovers: tuple[str, ...] = (),
) -> Architecture:
    """Return an architecture, as Hugging Face's folders hold it.

    Args that :func:`~itune.models.hf_encoder.encoder_architecture` has are described there;
    ``new_layers`` has the linear head last.
    """
    more = more_keys or {}

    def read_config(values: Mapping[str, Any], path: Path) -> TransformerConfig:
        for key, value in (required or {}).items():
            if (own := values.get(key, value)) != value:
                raise UserError(f"{path} has {key} {own!r}; only {value!r} is supported")
        fields = {
            field: config_value(values, key, default, path)
            for field, (key, default) in {**keys, **more}.items()
        }
        read = config(**fields)
        if (places := read.max_positions - read.reserved_positions) < 1:
            key, least = keys["max_positions"][0], read.reserved_positions + 1
            raise UserError(f"{path}: {key} is {read.max_positions}, but must be at least {least}")
        return dataclasses.replace(read, max_positions=places)

    def write_config(c: TransformerConfig) -> dict[str, Any]:
        about = {"architectures": [f"{name}ForSequenceClassification"], "model_type": c.model_type}
        fields = {key: getattr(c, field) for field, (key, _) in keys.items()}
        fields[keys["max_positions"][0]] = c.rows
        for field, (key, default) in more.items():
            if getattr(c, field) != default:
                fields[key] = getattr(c, field)
        written = {key: value for key, value in fields.items() if value is not None}
        return about | written | dict(constants or {})

    return Architecture(
        module=module,
        read_config=read_config,
        write_config=write_config,
        tensors=tensors,
        canonical_name=lambda name: _canonical_name(name, prefix, unneeded),
        saved_name=lambda name: name if name.startswith(own) else f"{prefix}.{name}",
        new_layers=new_layers,
        head=list(new_layers)[-1],
        leftovers=leftovers,
    )
