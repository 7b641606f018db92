"""GPT-2 with a classification head: one dense layer for queries, keys and values together."""

import dataclasses
from collections.abc import Iterator
from typing import ClassVar

import jax
import jax.numpy as jnp

from itune.models.activations import ACTIVATIONS
from itune.models.architecture import TensorSpec, conv1d_tensors, norm_tensors
from itune.models.blocks import dense, layer_name
from itune.models.decoder import DecoderClassifier, DecoderConfig, decoder_architecture
from itune.models.pre_norm import PreNormLayer, heads, picked

_KEYS = {
    "vocab_size": ("vocab_size", 50257),
    "hidden_size": ("n_embd", 768),
    "num_layers": ("n_layer", 12),
    "num_heads": ("n_head", 12),
    "intermediate_size": ("n_inner", int),
    "max_positions": ("n_positions", 1024),
    "layer_norm_eps": ("layer_norm_epsilon", 1e-5),
    "hidden_dropout": ("resid_pdrop", 0.1),
    "embedding_dropout": ("embd_pdrop", 0.1),
    "attention_dropout": ("attn_pdrop", 0.1),
    "hidden_act": ("activation_function", "gelu_new"),
    "scale_attn_weights": ("scale_attn_weights", True),
    "scale_attn_by_inverse_layer_idx": ("scale_attn_by_inverse_layer_idx", False),
}


@dataclasses.dataclass(frozen=True)
class Gpt2Config(DecoderConfig):
    """Sizes and dropout rates of a :class:`Gpt2Classifier`.

    Attributes:
      intermediate_size: Width of the feed-forward layer; None for four times ``hidden_size``.
      scale_attn_weights: Whether scores of attention are divided by the root of a head's width.
      scale_attn_by_inverse_layer_idx: Whether they are divided by the layer's number, from 1.
    """

    model_type: ClassVar[str] = "gpt2"

    intermediate_size: int | None = None  # pyrefly: ignore[bad-override]  (inner_size is it)
    scale_attn_weights: bool = True
    scale_attn_by_inverse_layer_idx: bool = False

    @property
    def inner_size(self) -> int:
        """Width of the feed-forward layer."""
        return self.intermediate_size or 4 * self.hidden_size


class Gpt2Layer(PreNormLayer):
    """A layer of GPT-2.

    Attributes:
      config: Sizes and dropout rates.
      deterministic: Whether dropout is off.
      number: Number of the layer, counted from 0.
    """

    config: Gpt2Config  # pyrefly: ignore[bad-override-mutable-attribute]  (never assigned)

    def project(
        self, x: jax.Array, last: jax.Array | None
    ) -> tuple[jax.Array, jax.Array, jax.Array]:
        """Return queries (at ``last``), keys and values, each ``(..., T, heads, width)``."""
        c = self.config
        q, k, v = jnp.split(dense(3 * c.hidden_size, "query_key_value")(x), 3, axis=-1)
        width = c.hidden_size // c.num_heads
        return heads(picked(q, last), width), heads(k, width), heads(v, width)

    def scale(self, width: int) -> float:
        """Return the factor of the scores of attention."""
        c = self.config
        scale = width**-0.5 if c.scale_attn_weights else 1.0
        return scale / (self.number + 1) if c.scale_attn_by_inverse_layer_idx else scale

    def feed_forward(self, x: jax.Array) -> jax.Array:
        """Return what the feed-forward network adds."""
        c = self.config
        x = ACTIVATIONS[c.hidden_act](dense(c.inner_size, "intermediate")(x))
        return dense(c.hidden_size, "output")(x)


class Gpt2Classifier(DecoderClassifier):
    """GPT-2 and a linear classifier of its last token.

    Attributes:
      config: Sizes and dropout rates.
    """

    layer: ClassVar[type[PreNormLayer]] = Gpt2Layer


def _tensors(c: Gpt2Config) -> Iterator[TensorSpec]:
    width, inner = c.hidden_size, c.inner_size
    for name, ours, rows in (("wte", "word", c.vocab_size), ("wpe", "position", c.max_positions)):
        yield TensorSpec(f"{name}.weight", (rows, width), ("embeddings", ours, "embedding"))
    for number in range(c.num_layers):
        layer = layer_name(number)
        for name, ours in (("ln_1", "attention_norm"), ("ln_2", "feed_forward_norm")):
            yield from norm_tensors(f"h.{number}.{name}", (layer, ours), width)
        for name, ours, inputs, outputs in (
            ("attn.c_attn", "query_key_value", width, 3 * width),
            ("attn.c_proj", "attention_output", width, width),
            ("mlp.c_fc", "intermediate", width, inner),
            ("mlp.c_proj", "output", inner, width),
        ):
            yield from conv1d_tensors(f"h.{number}.{name}", (layer, ours), inputs, outputs)
    yield from norm_tensors("ln_f", ("norm",), width)


GPT2 = decoder_architecture(
    Gpt2Classifier,
    Gpt2Config,
    "GPT2",
    prefix="transformer",
    keys=_KEYS,
    tensors=_tensors,
    required={"add_cross_attention": False},
    end_of_text=50256,
)
