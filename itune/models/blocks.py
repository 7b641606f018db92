"""Blocks that encoders are made of: embeddings, attention layers, and the two kinds of head.

They differ from the usual Flax ports in:

1. Inputs may have any number of leading axes, none included, so ``jax.vmap`` over single examples
   needs no dummy batch axis.
2. Layers are written out, not scanned: each tensor is a parameter of its own, as clipping of single
   tensors and Hugging Face's names have it.
3. Every parameter belongs to an ``nn.Dense``, ``nn.Embed`` or ``nn.LayerNorm``, each called once,
   so ``nn.intercept_methods`` sees all of them.
4. No dtype is written down: computation follows the parameters, float32 or float64.
5. The last layer computes the first token alone, the only one that the heads read; its keys and
   values still come from every token. Logits are the same, a tenth or so of the work is not done.
"""

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp
from flax import linen as nn

from itune.errors import UserError
from itune.models.activations import ACTIVATIONS
from itune.models.architecture import TensorSpec, config_value, dense_tensors, norm_tensors

_INIT = nn.initializers.normal(0.02)


@dataclasses.dataclass(frozen=True)
class EncoderConfig:
    """Sizes and dropout rates that encoders of the BERT family have in common.

    Attributes:
      vocab_size: Number of tokens.
      hidden_size: Width of the residual stream; a multiple of ``num_heads``.
      num_layers: Number of encoder layers.
      num_heads: Number of attention heads in each layer.
      intermediate_size: Width of the feed-forward layer.
      max_positions: Length of the longest input in tokens.
      type_vocab_size: Number of segment ids.
      layer_norm_eps: Added to the variance in every layer normalisation.
      hidden_dropout: Dropout rate of embeddings, residual branches and (unless
        ``classifier_dropout`` says otherwise) the head.
      attention_dropout: Dropout rate of attention probabilities.
      num_labels: Number of classes.
      hidden_act: ``"gelu"`` (exact, by erf), ``"gelu_new"`` (tanh approximation) or ``"relu"``.
      classifier_dropout: Dropout rate of the head; None means ``hidden_dropout``.

    Raises:
      UserError: The activation is unknown, or ``num_heads`` does not divide ``hidden_size``.
    """

    model_type: ClassVar[str]

    vocab_size: int
    hidden_size: int
    num_layers: int
    num_heads: int
    intermediate_size: int
    max_positions: int = 512
    type_vocab_size: int = 2
    layer_norm_eps: float = 1e-12
    hidden_dropout: float = 0.1
    attention_dropout: float = 0.1
    num_labels: int = 2
    hidden_act: str = "gelu"
    classifier_dropout: float | None = None

    def __post_init__(self) -> None:
        if self.hidden_act not in ACTIVATIONS:
            known = ", ".join(sorted(ACTIVATIONS))
            raise UserError(f"hidden_act {self.hidden_act!r} is not supported; use one of {known}")
        if self.hidden_size % self.num_heads:
            raise UserError(
                f"hidden_size {self.hidden_size} is not a multiple of num_heads {self.num_heads}"
            )

    @property
    def takes_pairs(self) -> bool:
        """Whether an input may be two texts, which BERT tells apart by their segments."""
        return self.type_vocab_size >= 2

    @property
    def head_dropout(self) -> float:
        """Dropout rate of the head."""
        return self.hidden_dropout if self.classifier_dropout is None else self.classifier_dropout


class ClassifierOutput(NamedTuple):
    """What a classifier returns.

    Attributes:
      logits: Scores of the classes, ``(..., num_labels)``.
      pooled: Vector in front of the linear head, before dropout, ``(..., hidden_size)``.
    """

    logits: jax.Array
    pooled: jax.Array


def layer_name(number: int) -> str:
    """Return the name of encoder layer ``number``, counted from 0, in the parameters."""
    return f"layer_{number}"


def dense(features: int, name: str) -> nn.Dense:
    """Return a dense layer whose weights are drawn as Hugging Face draws them."""
    return nn.Dense(features, kernel_init=_INIT, name=name)


def embed(rows: int, features: int, name: str) -> nn.Embed:
    """Return a table whose weights are drawn as Hugging Face draws them."""
    return nn.Embed(rows, features, embedding_init=_INIT, name=name)


def norm(epsilon: float, x: jax.Array, name: str) -> jax.Array:
    """Normalise ``x`` over its last axis, with a scale and a bias."""
    return nn.LayerNorm(
        epsilon=epsilon,
        use_fast_variance=False,
        # Otherwise Flax asks for float64 promoted with float32, which strict promotion forbids.
        param_dtype=x.dtype,
        force_float32_reductions=jnp.finfo(x.dtype).bits < 32,
        name=name,
    )(x)


def positions_from_0(input_ids: jax.Array) -> jax.Array:
    """Return the place of each token in its input, ``(..., T)``.

    There is one id for each token, leading axes included, so that each example owns all its rows.
    """
    return jax.lax.broadcasted_iota(jnp.int32, input_ids.shape, input_ids.ndim - 1)


def positions_after_padding(input_ids: jax.Array, mask: jax.Array, padding: int) -> jax.Array:
    """Return the position of each token, ``(..., T)``, counted from the row after ``padding``.

    ``padding`` is the id of the padding token and also the row of its position.
    """
    is_token = mask & (input_ids != padding)
    count = jnp.cumsum(is_token, axis=-1, dtype=jnp.int32)
    return jnp.where(is_token, count, 0) + padding


class Embeddings(nn.Module):
    """Sum of word, segment and position vectors, normalised.

    Attributes:
      config: Sizes and dropout rates.
      deterministic: Whether dropout is off.
      features: Width of the vectors; None for ``hidden_size``.
      rows: Number of positions in the table; None for ``max_positions``.
      has_types: Whether there are segment vectors.
    """

    config: EncoderConfig
    deterministic: bool
    features: int | None = None
    rows: int | None = None
    has_types: bool = True

    @nn.compact
    def __call__(
        self, input_ids: jax.Array, token_type_ids: jax.Array, positions: jax.Array
    ) -> jax.Array:
        """Return the vectors of the tokens, ``(..., T, features)``."""
        c = self.config
        features = self.features or c.hidden_size
        x = embed(c.vocab_size, features, "word")(input_ids)
        if self.has_types:
            x += embed(c.type_vocab_size, features, "token_type")(token_type_ids)
        x += embed(self.rows or c.max_positions, features, "position")(positions)
        x = norm(c.layer_norm_eps, x, "norm")
        return nn.Dropout(c.hidden_dropout)(x, deterministic=self.deterministic)


class Layer(nn.Module):
    """Self-attention and a feed-forward network, each added to its input and then normalised.

    Attributes:
      config: Sizes and dropout rates.
      deterministic: Whether dropout is off.
      num_queries: Number of first tokens that are computed; all if None.
      attention_output_dropout: Dropout rate of what attention adds; None for ``hidden_dropout``.
    """

    config: EncoderConfig
    deterministic: bool
    num_queries: int | None = None
    attention_output_dropout: float | None = None

    @nn.compact
    def __call__(self, x: jax.Array, mask: jax.Array, bias: jax.Array | None = None) -> jax.Array:
        """Return the new ``x`` of the first ``num_queries`` tokens.

        Args:
          x: Vectors of the tokens, ``(..., T, hidden)``.
          mask: Booleans ``(..., T)``; False marks padding.
          bias: Added to the scores of attention, ``(..., heads, T, T)``: queries, then keys.
        """
        c, rate = self.config, self.attention_output_dropout
        memory, x = x, x[..., : self.num_queries, :]
        a = dense(c.hidden_size, "attention_output")(self._attend(x, memory, mask, bias))
        a = self._drop(a, c.hidden_dropout if rate is None else rate)
        x = norm(c.layer_norm_eps, x + a, "attention_norm")
        h = ACTIVATIONS[c.hidden_act](dense(c.intermediate_size, "intermediate")(x))
        h = self._drop(dense(c.hidden_size, "output")(h), c.hidden_dropout)
        return norm(c.layer_norm_eps, x + h, "output_norm")

    def _attend(
        self, x: jax.Array, memory: jax.Array, mask: jax.Array, bias: jax.Array | None
    ) -> jax.Array:
        c = self.config
        heads = (c.num_heads, c.hidden_size // c.num_heads)
        q, k, v = (
            dense(c.hidden_size, name)(source).reshape(*source.shape[:-1], *heads)
            for name, source in (("query", x), ("key", memory), ("value", memory))
        )
        scores = jnp.einsum("...thd,...shd->...hts", q, k) / heads[-1] ** 0.5
        if bias is not None:
            scores += bias[..., : self.num_queries, :]
        # After the softmax's shift these underflow to exactly 0; a row with no key stays finite.
        scores = jnp.where(mask[..., None, None, :], scores, jnp.finfo(scores.dtype).min)
        probs = self._drop(jax.nn.softmax(scores, axis=-1), c.attention_dropout)
        return jnp.einsum("...hts,...shd->...thd", probs, v).reshape(x.shape)

    def _drop(self, x: jax.Array, rate: float) -> jax.Array:
        return nn.Dropout(rate)(x, deterministic=self.deterministic)


def run_layers(
    config: EncoderConfig,
    x: jax.Array,
    mask: jax.Array,
    *,
    deterministic: bool,
    attention_output_dropout: float | None = None,
    bias: jax.Array | None = None,
) -> jax.Array:
    """Run all layers, in a compact method; return the first token's vector, ``(..., hidden)``."""
    for number in range(config.num_layers):
        queries = 1 if number == config.num_layers - 1 else None
        layer = Layer(
            config, deterministic, queries, attention_output_dropout, name=layer_name(number)
        )
        x = layer(x, mask, bias)
    return x[..., 0, :]


def classify(config: EncoderConfig, pooled: jax.Array, *, deterministic: bool) -> ClassifierOutput:
    """Apply the linear head to pooled vectors, in a compact method."""
    dropped = nn.Dropout(config.head_dropout)(pooled, deterministic=deterministic)
    return ClassifierOutput(dense(config.num_labels, "classifier")(dropped), pooled)


def checked_inputs(
    config: EncoderConfig,
    input_ids: jax.Array,
    attention_mask: jax.Array,
    token_type_ids: jax.Array | None,
) -> tuple[jax.Array, jax.Array]:
    """Return the mask as booleans, and the segment ids, all 0 if None.

    Raises:
      UserError: The three shapes differ, or an input is longer than ``max_positions``.
    """
    types = jnp.zeros_like(input_ids) if token_type_ids is None else token_type_ids
    ids, mask = input_ids.shape, attention_mask.shape
    if not ids or ids != mask or ids != types.shape:
        raise UserError(
            "input_ids, attention_mask and token_type_ids must have one shape (..., T); "
            f"got {ids}, {mask} and {types.shape}"
        )
    if ids[-1] > config.max_positions:
        raise UserError(
            f"input of {ids[-1]} tokens is longer than max_positions {config.max_positions}; "
            "truncate it when tokenising"
        )
    return attention_mask.astype(bool), types


# Hugging Face's files

CONFIG_KEYS: dict[str, tuple[str, Any]] = {
    "vocab_size": ("vocab_size", 30522),
    "hidden_size": ("hidden_size", 768),
    "num_layers": ("num_hidden_layers", 12),
    "num_heads": ("num_attention_heads", 12),
    "intermediate_size": ("intermediate_size", 3072),
    "max_positions": ("max_position_embeddings", 512),
    "type_vocab_size": ("type_vocab_size", 2),
    "layer_norm_eps": ("layer_norm_eps", 1e-12),
    "hidden_dropout": ("hidden_dropout_prob", 0.1),
    "attention_dropout": ("attention_probs_dropout_prob", 0.1),
    "hidden_act": ("hidden_act", "gelu"),
}
"""Field of :class:`EncoderConfig`: key in ``config.json``, value where the file leaves it out."""

LAYER_NAMES = {
    "query": "attention.self.query",
    "key": "attention.self.key",
    "value": "attention.self.value",
    "attention_output": "attention.output.dense",
    "attention_norm": "attention.output.LayerNorm",
    "intermediate": "intermediate.dense",
    "output": "output.dense",
    "output_norm": "output.LayerNorm",
}
"""Name in our parameters: name in BERT's files, within a layer."""


def read_fields(
    values: Mapping[str, Any], keys: Mapping[str, tuple[str, Any]], path: Path
) -> dict[str, Any]:
    """Return the fields of a configuration from the values of the ``config.json`` at a path.

    Raises:
      UserError: A value has the wrong type, or describes a variant that is not an absolute encoder.
    """
    if (position := values.get("position_embedding_type", "absolute")) != "absolute":
        raise UserError(
            f'{path} has position_embedding_type {position!r}; only "absolute" is supported'
        )
    if values.get("is_decoder"):
        raise UserError(f"{path} describes a decoder (is_decoder); only encoders are supported")
    fields = {
        field: config_value(values, name, default, path) for field, (name, default) in keys.items()
    }
    if "classifier_dropout" not in keys and values.get("classifier_dropout") is not None:
        fields["classifier_dropout"] = config_value(values, "classifier_dropout", 0.1, path)
    return fields


def written_fields(
    config: EncoderConfig, keys: Mapping[str, tuple[str, Any]], architecture: str
) -> dict[str, Any]:
    """Return what ``config.json`` says of a configuration, but for the labels."""
    written = {
        "architectures": [architecture],
        "model_type": config.model_type,
        **{name: getattr(config, field) for field, (name, _) in keys.items()},
    }
    if "classifier_dropout" not in keys:
        written["classifier_dropout"] = config.classifier_dropout
    return written


def embedding_tensors(
    prefix: str, tables: Mapping[str, tuple[str, int]], features: int
) -> Iterator[TensorSpec]:
    """Yield the tensors of the embeddings.

    Args:
      prefix: What precedes their names in files, such as ``"embeddings"``.
      tables: Name in our parameters: name in files, and number of rows.
      features: Width of the vectors.
    """
    for ours, (theirs, rows) in tables.items():
        path = ("embeddings", ours, "embedding")
        yield TensorSpec(f"{prefix}.{theirs}.weight", (rows, features), path)
    yield from norm_tensors(f"{prefix}.LayerNorm", ("embeddings", "norm"), features)


def layer_tensors(
    c: EncoderConfig, prefix: str, names: Mapping[str, str] = LAYER_NAMES
) -> Iterator[TensorSpec]:
    """Yield the tensors of all layers.

    Args:
      c: Sizes of the model.
      prefix: What precedes the number of a layer in files, such as ``"encoder.layer"``.
      names: Name in our parameters: name in files, within a layer.
    """
    for i in range(c.num_layers):
        for ours, theirs in names.items():
            name, path = f"{prefix}.{i}.{theirs}", (layer_name(i), ours)
            if ours.endswith("norm"):
                yield from norm_tensors(name, path, c.hidden_size)
            else:
                inputs = c.intermediate_size if ours == "output" else c.hidden_size
                outputs = c.intermediate_size if ours == "intermediate" else c.hidden_size
                yield from dense_tensors(name, path, inputs, outputs)


def head_tensors(c: EncoderConfig, pooler: str, classifier: str) -> Iterator[TensorSpec]:
    """Yield the tensors of the pooler and of the linear head, by their names in files."""
    yield from dense_tensors(pooler, ("pooler",), c.hidden_size, c.hidden_size)
    yield from dense_tensors(classifier, ("classifier",), c.hidden_size, c.num_labels)


def make_canonical(prefix: str, *others: str) -> Callable[[str], str | None]:
    """Build the function that gives names in files of any age their present form.

    It drops the prefix of the encoder, old names of normalisations, and what is not needed:
    buffers, and heads whose names begin with ``others``.
    """

    def canonical_name(name: str) -> str | None:
        name = name.removeprefix(f"{prefix}.")
        if name.startswith(others) or name.endswith((".position_ids", ".token_type_ids")):
            return None
        name = name.replace("LayerNorm.gamma", "LayerNorm.weight")
        return name.replace("LayerNorm.beta", "LayerNorm.bias")

    return canonical_name
