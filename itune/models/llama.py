"""Llama with a classification head, and its kin: Mistral, Qwen2 and Qwen3.

They have rotary positions, root mean square normalisations, gated feed-forward networks, and heads
of queries that share their keys and values.
"""

import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from itune.errors import UserError
from itune.models.activations import ACTIVATIONS
from itune.models.architecture import Architecture, TensorSpec, dense_tensors, norm_tensors
from itune.models.blocks import dense, layer_name, positions_from_0, rms_norm
from itune.models.decoder import DecoderClassifier, DecoderConfig, decoder_architecture
from itune.models.pre_norm import PreNormLayer, heads, picked
from itune.models.rotary import Rotary, read_rotary, rotary_keys, rotated

_KEYS = {
    "vocab_size": ("vocab_size", 32000),
    "hidden_size": ("hidden_size", 4096),
    "num_layers": ("num_hidden_layers", 32),
    "num_heads": ("num_attention_heads", 32),
    "num_key_value_heads": ("num_key_value_heads", int),
    "intermediate_size": ("intermediate_size", 11008),
    "max_positions": ("max_position_embeddings", 2048),
    "layer_norm_eps": ("rms_norm_eps", 1e-6),
    "attention_dropout": ("attention_dropout", 0.0),
    "hidden_act": ("hidden_act", "silu"),
}
_HEAD_DIM = {"head_dim": ("head_dim", int)}


@dataclasses.dataclass(frozen=True)
class LlamaConfig(DecoderConfig):
    """Sizes and dropout rates of a :class:`LlamaClassifier`.

    Attributes:
      num_key_value_heads: Number of heads of keys and values, a divisor of ``num_heads``; None for
        as many.
      head_dim: Width of a head; None for ``hidden_size / num_heads``.
      attention_bias: Whether queries, keys and values have biases.
      mlp_bias: Whether the feed-forward network has.
      mlp_dropout: Dropout rate within it.
      sliding_window: Number of tokens that one attends to, itself included; None for all before it.
      rotary: Angles of positions.

    Raises:
      UserError: ``num_key_value_heads`` does not divide ``num_heads``, or heads have an odd width.
    """

    model_type: ClassVar[str] = "llama"
    has_head_norms: ClassVar[bool] = False
    """Whether queries and keys are normalised."""

    num_key_value_heads: int | None = None
    head_dim: int | None = None
    attention_bias: bool = False
    mlp_bias: bool = False
    mlp_dropout: float = 0.0
    sliding_window: int | None = None
    rotary: Rotary = Rotary()

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.num_heads % self.memory_heads:
            raise UserError(
                f"num_key_value_heads {self.memory_heads} does not divide num_attention_heads "
                f"{self.num_heads}"
            )
        if self.head_width % 2:
            raise UserError(f"head_dim {self.head_width} is odd, which rotary positions cannot be")

    @property
    def has_positions(self) -> bool:
        """Whether embeddings have positions; they are rotary instead."""
        return False

    @property
    def memory_heads(self) -> int:
        """Number of heads of keys and values."""
        return self.num_key_value_heads or self.num_heads

    @property
    def head_width(self) -> int:
        """Width of a head."""
        return self.head_dim or self.hidden_size // self.num_heads

    @property
    def output_bias(self) -> bool:
        """Whether the layer after attention has a bias."""
        return self.attention_bias

    @property
    def window(self) -> int | None:
        """Number of tokens that one attends to, itself included; None for all before it."""
        return self.sliding_window


class MistralConfig(LlamaConfig):
    """Llama by another name, with a window."""

    model_type: ClassVar[str] = "mistral"


@dataclasses.dataclass(frozen=True)
class Qwen2Config(LlamaConfig):
    """Llama with biases of queries, keys and values."""

    model_type: ClassVar[str] = "qwen2"

    attention_bias: bool = True

    @property
    def output_bias(self) -> bool:
        """Whether the layer after attention has a bias."""
        return False


class Qwen3Config(LlamaConfig):
    """Llama with normalised queries and keys."""

    model_type: ClassVar[str] = "qwen3"
    has_head_norms: ClassVar[bool] = True


class LlamaLayer(PreNormLayer):
    """A layer of Llama.

    Attributes:
      config: Sizes and dropout rates.
      deterministic: Whether dropout is off.
      number: Number of the layer, counted from 0.
    """

    config: LlamaConfig  # pyrefly: ignore[bad-override-mutable-attribute]  (never assigned)

    norm = staticmethod(rms_norm)

    def project(
        self, x: jax.Array, last: jax.Array | None
    ) -> tuple[jax.Array, jax.Array, jax.Array]:
        """Return queries (at ``last``), keys and values, each ``(..., T, heads, width)``."""
        c = self.config
        width, groups = c.head_width, c.num_heads // c.memory_heads
        q, k, v = (
            heads(dense(count * width, name, use_bias=c.attention_bias)(of), width)
            for name, count, of in (
                ("query", c.num_heads, picked(x, last)),
                ("key", c.memory_heads, x),
                ("value", c.memory_heads, x),
            )
        )
        if c.has_head_norms:
            q = rms_norm(c.layer_norm_eps, q, "query_norm")
            k = rms_norm(c.layer_norm_eps, k, "key_norm")
        places, frequencies = positions_from_0(x[..., 0]), self.rotary().frequencies(width)
        q = rotated(q, places if last is None else last, frequencies)
        k = rotated(k, places, frequencies)
        return q, jnp.repeat(k, groups, axis=-2), jnp.repeat(v, groups, axis=-2)

    def rotary(self) -> Rotary:
        """Return the angles of positions."""
        return self.config.rotary

    def output(self, x: jax.Array) -> jax.Array:
        """Return what attention adds, from the heads side by side."""
        c = self.config
        return dense(c.hidden_size, "attention_output", use_bias=c.output_bias)(x)

    def feed_forward(self, x: jax.Array) -> jax.Array:
        """Return what the feed-forward network adds."""
        c = self.config
        gate, up = (
            dense(c.intermediate_size, name, use_bias=c.mlp_bias)(x)
            for name in ("gate", "intermediate")
        )
        x = self.drop(ACTIVATIONS[c.hidden_act](gate) * up, c.mlp_dropout)
        return dense(c.hidden_size, "output", use_bias=c.mlp_bias)(x)


class LlamaClassifier(DecoderClassifier):
    """Llama and a linear classifier of its last token.

    Attributes:
      config: Sizes and dropout rates.
    """

    layer: ClassVar[type[PreNormLayer]] = LlamaLayer


def _tensors(c: LlamaConfig) -> Iterator[TensorSpec]:
    width, inner = c.hidden_size, c.intermediate_size
    queries, memory = c.num_heads * c.head_width, c.memory_heads * c.head_width
    yield TensorSpec(
        "embed_tokens.weight", (c.vocab_size, width), ("embeddings", "word", "embedding")
    )
    for number in range(c.num_layers):
        prefix, layer = f"layers.{number}", layer_name(number)
        for name, ours, inputs, outputs, has_bias in (
            ("self_attn.q_proj", "query", width, queries, c.attention_bias),
            ("self_attn.k_proj", "key", width, memory, c.attention_bias),
            ("self_attn.v_proj", "value", width, memory, c.attention_bias),
            ("self_attn.o_proj", "attention_output", queries, width, c.output_bias),
            ("mlp.gate_proj", "gate", width, inner, c.mlp_bias),
            ("mlp.up_proj", "intermediate", width, inner, c.mlp_bias),
            ("mlp.down_proj", "output", inner, width, c.mlp_bias),
        ):
            path = (layer, ours)
            yield from dense_tensors(f"{prefix}.{name}", path, inputs, outputs, has_bias=has_bias)
        norms = {
            "input_layernorm": ("attention_norm", width),
            "post_attention_layernorm": ("feed_forward_norm", width),
        }
        if c.has_head_norms:
            norms["self_attn.q_norm"] = ("query_norm", c.head_width)
            norms["self_attn.k_norm"] = ("key_norm", c.head_width)
        for name, (ours, size) in norms.items():
            yield from norm_tensors(f"{prefix}.{name}", (layer, ours), size, has_bias=False)
    yield from norm_tensors("norm", ("norm",), width, has_bias=False)


def _architecture(
    config: type[LlamaConfig],
    name: str,
    keys: Mapping[str, tuple[str, Any]],
    nullable: Mapping[str, Any] | None = None,
    **more: Any,
) -> Architecture:
    """Return one of the family; ``nullable`` has defaults of keys whose null is another value."""
    family = decoder_architecture(
        LlamaClassifier,
        config,
        name,
        prefix="model",
        keys={**_KEYS, **keys},
        tensors=_tensors,
        **more,
    )
    defaults = dict(nullable or {})

    def read_config(values: Mapping[str, Any], path: Path) -> LlamaConfig:
        values = {**defaults, **values}
        return dataclasses.replace(
            family.read_config(values, path), rotary=read_rotary(values, path)
        )

    def write_config(c: LlamaConfig) -> dict[str, Any]:
        return dict.fromkeys(defaults) | family.write_config(c) | rotary_keys(c.rotary)

    return dataclasses.replace(family, read_config=read_config, write_config=write_config)


_BIAS = {"attention_bias": ("attention_bias", False)}
_QWEN = {
    "vocab_size": ("vocab_size", 151936),
    "intermediate_size": ("intermediate_size", 22016),
    "max_positions": ("max_position_embeddings", 32768),
}
_NO_WINDOW = {"use_sliding_window": False}

LLAMA = _architecture(
    LlamaConfig, "Llama", {**_HEAD_DIM, **_BIAS, "mlp_bias": ("mlp_bias", False)}, end_of_text=2
)
MISTRAL = _architecture(
    MistralConfig,
    "Mistral",
    {
        **_HEAD_DIM,
        "intermediate_size": ("intermediate_size", 14336),
        "max_positions": ("max_position_embeddings", 131072),
        "sliding_window": ("sliding_window", int),
    },
    nullable={"num_key_value_heads": 8, "sliding_window": 4096},
    end_of_text=2,
)
QWEN2 = _architecture(
    Qwen2Config,
    "Qwen2",
    _QWEN,
    nullable={"num_key_value_heads": 32},
    more_keys=_HEAD_DIM,
    required=_NO_WINDOW,
)
QWEN3 = _architecture(
    Qwen3Config,
    "Qwen3",
    {**_QWEN, **_BIAS, "head_dim": ("head_dim", 128)},
    nullable={"num_key_value_heads": 32},
    required=_NO_WINDOW,
)
