"""ModernBERT with a classification head.

Its layers are those of Llama with other normalisations, in which every token sees those on both
sides: all of them, or in local layers those within a window. The head normalises the first token's
vector, or the mean of all, after a dense layer.
"""

import dataclasses
import functools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
from flax import linen as nn

from itune.errors import UserError
from itune.models.activations import ACTIVATIONS, require_activation
from itune.models.architecture import Part, TensorSpec, config_value, dense_tensors, norm_tensors
from itune.models.blocks import ClassifierOutput, Embeddings, dense, layer_name, normalised
from itune.models.hf_encoder import ENCODER
from itune.models.hf_family import family_architecture
from itune.models.llama import LlamaConfig, LlamaLayer
from itune.models.pre_norm import PreNormClassifier, PreNormLayer
from itune.models.rotary import Rotary

_GLOBAL, _LOCAL = "full_attention", "sliding_attention"
_SAME_NAMES = {
    "pad_token_id": 50283,
    "embedding_dropout": 0.0,
    "attention_dropout": 0.0,
    "mlp_dropout": 0.0,
    "classifier_dropout": 0.0,
    "norm_bias": False,
    "attention_bias": False,
    "mlp_bias": False,
    "classifier_bias": False,
    "classifier_pooling": "cls",
    "classifier_activation": "gelu",
    "local_attention": 128,
    "layer_types": tuple,
}
_KEYS = {
    "vocab_size": ("vocab_size", 50368),
    "hidden_size": ("hidden_size", 768),
    "num_layers": ("num_hidden_layers", 22),
    "num_heads": ("num_attention_heads", 12),
    "intermediate_size": ("intermediate_size", 1152),
    "max_positions": ("max_position_embeddings", 8192),
    "layer_norm_eps": ("norm_eps", 1e-5),
    "hidden_act": ("hidden_activation", "gelu"),
    **{name: (name, default) for name, default in _SAME_NAMES.items()},
}
_MORE_KEYS = {
    "period": ("global_attn_every_n_layers", 3),
    "global_theta": ("global_rope_theta", 160000.0),
    "local_theta": ("local_rope_theta", 10000.0),
}


@dataclasses.dataclass(frozen=True)
class ModernBertConfig(LlamaConfig):
    """Sizes and dropout rates of a :class:`ModernBertClassifier`.

    Attributes:
      norm_bias: Whether normalisations have biases.
      classifier_bias: Whether the dense layer of the head has one.
      classifier_pooling: ``"cls"`` for the first token's vector, or ``"mean"``.
      classifier_activation: Activation of the head, one of those of ``hidden_act``.
      local_attention: Number of tokens in the window of local layers.
      layer_types: ``"full_attention"`` or ``"sliding_attention"`` for each layer; None for one
        global layer in ``period``, the first of them.
      period: See ``layer_types``.
      global_theta: Base of the wavelengths of positions in global layers.
      local_theta: Base of the wavelengths of positions in local layers.
    """

    model_type: ClassVar[str] = "modernbert"

    attention_dropout: float = 0.0
    layer_norm_eps: float = 1e-5
    classifier_dropout: float | None = 0.0
    norm_bias: bool = False
    classifier_bias: bool = False
    classifier_pooling: str = "cls"
    classifier_activation: str = "gelu"
    local_attention: int = 128
    layer_types: tuple[str, ...] | None = None
    period: int = 3
    global_theta: float = 160000.0
    local_theta: float = 10000.0

    def __post_init__(self) -> None:
        super().__post_init__()
        require_activation("classifier_activation", self.classifier_activation)
        if self.classifier_pooling not in ("cls", "mean"):
            raise UserError(
                f"classifier_pooling {self.classifier_pooling!r} is not supported; use cls or mean"
            )
        types = self.layer_types
        if types and (set(types) - {_GLOBAL, _LOCAL} or len(types) < self.num_layers):
            raise UserError(
                f"layer_types {list(types)} is not {_GLOBAL} or {_LOCAL} for each of "
                f"{self.num_layers} layers"
            )

    @property
    def takes_pairs(self) -> bool:
        """Whether an input may be two texts; its separators tell them apart."""
        return True

    def is_local(self, number: int) -> bool:
        """Return whether tokens of a layer see a window."""
        if self.layer_types is None:
            return number % self.period > 0
        return self.layer_types[number] == _LOCAL


def _norm(c: ModernBertConfig, x: jax.Array, name: str) -> jax.Array:
    kind = functools.partial(nn.LayerNorm, use_bias=c.norm_bias)
    return normalised(kind, c.layer_norm_eps, x, name)


class ModernBertEmbeddings(Embeddings):
    """Word vectors, normalised."""

    config: ModernBertConfig  # pyrefly: ignore[bad-override-mutable-attribute] (modules are frozen)

    def finish(self, x: jax.Array, mask: jax.Array) -> jax.Array:
        """Return the vectors from their sums."""
        del mask
        c = self.config
        x = _norm(c, x, "norm")
        return nn.Dropout(c.embedding_dropout)(x, deterministic=self.deterministic)


class ModernBertLayer(LlamaLayer):
    """A layer of ModernBERT.

    Attributes:
      config: Sizes and dropout rates.
      deterministic: Whether dropout is off.
      number: Number of the layer, counted from 0.
    """

    config: ModernBertConfig  # pyrefly: ignore[bad-override-mutable-attribute] (modules are frozen)

    def normalised(self, x: jax.Array, name: str) -> jax.Array:
        """Return normalised vectors; those of embeddings are as they are."""
        c = self.config
        if self.number == 0 and name == "attention_norm":
            return x
        return _norm(c, x, name)

    def rotary(self) -> Rotary:
        """Return the angles of positions."""
        c = self.config
        return Rotary(c.local_theta if c.is_local(self.number) else c.global_theta)

    def attention(self, scores: jax.Array, visible: jax.Array) -> jax.Array:
        """Return what each query pays to each key: nothing where it sees none, as in PyTorch."""
        sees = jnp.any(visible, axis=-1, keepdims=True)[..., None, :, :]
        return jnp.where(sees, super().attention(scores, visible), 0)

    def output(self, x: jax.Array) -> jax.Array:
        """Return what attention adds, from the heads side by side."""
        return self.drop(super().output(x), self.config.attention_dropout)


class ModernBertClassifier(PreNormClassifier):
    """ModernBERT encoder and its classifier, dense, activation, normalisation and linear.

    Parameters are those of Llama's layers, whose normalisations have other means, and
    ``embeddings`` (``word``, ``norm``), ``norm``, ``pooler``, ``pooler_norm`` and ``classifier``.

    Attributes:
      config: Sizes and dropout rates.
    """

    config: ModernBertConfig  # pyrefly: ignore[bad-override-mutable-attribute] (modules are frozen)

    embeddings: ClassVar[type[Embeddings]] = ModernBertEmbeddings
    layer: ClassVar[type[PreNormLayer]] = ModernBertLayer

    def scored(self, input_ids: jax.Array, mask: jax.Array, places: jax.Array) -> jax.Array | None:
        """Return the place of the first token, ``(..., 1)``; None where the head reads all."""
        return places[..., :1] if self.config.classifier_pooling == "cls" else None

    def visible(self, mask: jax.Array, distance: jax.Array, number: int) -> jax.Array:
        """Return which queries attend to which keys in a layer, ``(..., T, T)``."""
        c = self.config
        visible = jnp.broadcast_to(mask[..., None, :], distance.shape)
        if c.is_local(number):
            visible &= jnp.abs(distance) <= c.local_attention // 2
        return visible

    def head(self, x: jax.Array, mask: jax.Array, *, deterministic: bool) -> ClassifierOutput:
        """Return the scores of the classes from the last layer's vectors, ``(..., T or 1, n)``."""
        c = self.config
        x = _norm(c, x, "norm")
        if c.classifier_pooling == "cls":
            x = x[..., 0, :]
        else:
            count = jnp.maximum(jnp.sum(mask, axis=-1, keepdims=True), 1)
            x = jnp.sum(jnp.where(mask[..., None], x, 0), axis=-2) / count.astype(x.dtype)
        x = dense(c.hidden_size, "pooler", use_bias=c.classifier_bias)(x)
        x = ACTIVATIONS[c.classifier_activation](x)
        pooled = _norm(c, x, "pooler_norm")
        dropped = nn.Dropout(c.head_dropout)(pooled, deterministic=deterministic)
        return ClassifierOutput(dense(c.num_labels, "classifier")(dropped), pooled)


def _tensors(c: ModernBertConfig) -> Iterator[TensorSpec]:
    width, inner = c.hidden_size, c.intermediate_size

    def packed(
        name: str, layer: str, ours: tuple[str, ...], inputs: int, outputs: int, has_bias: bool
    ) -> Iterator[TensorSpec]:
        for place, part in enumerate(ours):
            for spec in dense_tensors(
                name, (layer, part), inputs, len(ours) * outputs, has_bias=has_bias
            ):
                yield spec._replace(part=Part(1, len(ours), place))

    def normalisation(name: str, *path: str) -> Iterator[TensorSpec]:
        return norm_tensors(name, path, width, has_bias=c.norm_bias)

    word = ("embeddings", "word", "embedding")
    yield TensorSpec("embeddings.tok_embeddings.weight", (c.vocab_size, width), word)
    yield from normalisation("embeddings.norm", "embeddings", "norm")
    for number in range(c.num_layers):
        prefix, layer = f"layers.{number}", layer_name(number)
        if number:
            yield from normalisation(f"{prefix}.attn_norm", layer, "attention_norm")
        for name, ours, inputs, outputs, has_bias in (
            ("attn.Wqkv", ("query", "key", "value"), width, width, c.attention_bias),
            ("attn.Wo", ("attention_output",), width, width, c.attention_bias),
            ("mlp.Wi", ("gate", "intermediate"), width, inner, c.mlp_bias),
            ("mlp.Wo", ("output",), inner, width, c.mlp_bias),
        ):
            yield from packed(f"{prefix}.{name}", layer, ours, inputs, outputs, has_bias)
        yield from normalisation(f"{prefix}.mlp_norm", layer, "feed_forward_norm")
    yield from normalisation("final_norm", "norm")
    yield from dense_tensors("head.dense", ("pooler",), width, width, has_bias=c.classifier_bias)
    yield from normalisation("head.norm", "pooler_norm")
    yield from dense_tensors("classifier", ("classifier",), width, c.num_labels)


_FAMILY = family_architecture(
    ModernBertClassifier,
    ModernBertConfig,
    "ModernBert",
    prefix="model",
    keys=_KEYS,
    more_keys=_MORE_KEYS,
    required={**ENCODER, "rope_scaling": None},
    tensors=_tensors,
    new_layers={
        "head.dense": "classifier's dense layer",
        "head.norm": "classifier's normalisation",
        "classifier": "classification head",
    },
    own=("head.", "classifier."),
    unneeded=("decoder.",),
)


def _read_config(values: Mapping[str, Any], path: Path) -> ModernBertConfig:
    """Return a configuration, whose bases newer files have in an object."""
    told = config_value(values, "rope_parameters", dict, path) or {}
    bases = {}
    for kind, key in ((_GLOBAL, "global_rope_theta"), (_LOCAL, "local_rope_theta")):
        rotary = config_value(told, kind, dict, path) or {}
        if (name := rotary.get("rope_type", "default")) != "default":
            raise UserError(f"{path} has rope_type {name!r}; only 'default' is supported")
        if "rope_theta" in rotary:
            bases[key] = config_value(rotary, "rope_theta", 1.0, path)
    return _FAMILY.read_config({**values, **bases}, path)


# Published sweeps on tasks of the GLUE benchmark chose 5e-5 to 8e-5 at BERT-base's width.
MODERNBERT = dataclasses.replace(_FAMILY, read_config=_read_config, label_rate=2.5)
