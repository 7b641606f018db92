"""BERT with a classification head: its configuration, module and names in Hugging Face's files.

The module differs from the usual Flax ports in:

1. Inputs may have any number of leading axes, none included, so ``jax.vmap`` over single examples
   needs no dummy batch axis.
2. Layers are written out, not scanned: each tensor is a parameter of its own, as clipping of single
   tensors and Hugging Face's names have it.
3. Every parameter belongs to an ``nn.Dense``, ``nn.Embed`` or ``nn.LayerNorm``, each called once,
   so ``nn.intercept_methods`` sees all of them.
4. No dtype is written down: computation follows the parameters, float32 or float64.
5. The last layer computes the first token alone, the only one the pooler reads; its keys and values
   still come from every token. Logits are the same, a tenth or so of the work is not done.
"""

import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp
from flax import linen as nn

from itune.errors import UserError
from itune.models.activations import ACTIVATIONS
from itune.models.architecture import (
    Architecture,
    TensorSpec,
    config_value,
    dense_tensors,
    norm_tensors,
)

_INIT = nn.initializers.normal(0.02)


@dataclasses.dataclass(frozen=True)
class BertConfig:
    """Sizes and dropout rates of a :class:`BertClassifier`.

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
        ``classifier_dropout`` says otherwise) the pooled vector.
      attention_dropout: Dropout rate of attention probabilities.
      num_labels: Number of classes.
      hidden_act: ``"gelu"`` (exact, by erf), ``"gelu_new"`` (tanh approximation) or ``"relu"``.
      classifier_dropout: Dropout rate of the pooled vector; None means ``hidden_dropout``.

    Raises:
      UserError: The activation is unknown, or ``num_heads`` does not divide ``hidden_size``.
    """

    model_type: ClassVar[str] = "bert"

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


def layer_name(number: int) -> str:
    """Return the name of encoder layer ``number``, counted from 0, in the parameters."""
    return f"layer_{number}"


class BertOutput(NamedTuple):
    """What :class:`BertClassifier` returns.

    Attributes:
      logits: Scores of the classes, ``(..., num_labels)``.
      pooled: First token's state after the pooler's tanh, before dropout, ``(..., hidden_size)``.
    """

    logits: jax.Array
    pooled: jax.Array


def _dense(features: int, name: str) -> nn.Dense:
    return nn.Dense(features, kernel_init=_INIT, name=name)


def _norm(config: BertConfig, x: jax.Array, name: str) -> jax.Array:
    return nn.LayerNorm(
        epsilon=config.layer_norm_eps,
        use_fast_variance=False,
        # Otherwise Flax asks for float64 promoted with float32, which strict promotion forbids.
        param_dtype=x.dtype,
        force_float32_reductions=jnp.finfo(x.dtype).bits < 32,
        name=name,
    )(x)


class _Embeddings(nn.Module):
    config: BertConfig
    deterministic: bool

    @nn.compact
    def __call__(self, input_ids: jax.Array, token_type_ids: jax.Array) -> jax.Array:
        c = self.config
        # One position id per token, leading axes included: each example owns all its rows.
        positions = jax.lax.broadcasted_iota(jnp.int32, input_ids.shape, input_ids.ndim - 1)
        x = nn.Embed(c.vocab_size, c.hidden_size, embedding_init=_INIT, name="word")(input_ids)
        x += nn.Embed(c.type_vocab_size, c.hidden_size, embedding_init=_INIT, name="token_type")(
            token_type_ids
        )
        x += nn.Embed(c.max_positions, c.hidden_size, embedding_init=_INIT, name="position")(
            positions
        )
        x = _norm(c, x, "norm")
        return nn.Dropout(c.hidden_dropout)(x, deterministic=self.deterministic)


class _Layer(nn.Module):
    config: BertConfig
    deterministic: bool
    num_queries: int | None = None

    @nn.compact
    def __call__(self, x: jax.Array, mask: jax.Array) -> jax.Array:
        """Return the new ``x`` of the first ``num_queries`` tokens, of all T if None.

        Args:
          x: Vectors of the tokens, ``(..., T, hidden)``.
          mask: Booleans ``(..., T)``; False marks padding.
        """
        c = self.config
        memory, x = x, x[..., : self.num_queries, :]
        a = _dense(c.hidden_size, "attention_output")(self._attend(x, memory, mask))
        x = _norm(c, x + self._drop(a, c.hidden_dropout), "attention_norm")
        h = ACTIVATIONS[c.hidden_act](_dense(c.intermediate_size, "intermediate")(x))
        h = _dense(c.hidden_size, "output")(h)
        return _norm(c, x + self._drop(h, c.hidden_dropout), "output_norm")

    def _attend(self, x: jax.Array, memory: jax.Array, mask: jax.Array) -> jax.Array:
        c = self.config
        heads = (c.num_heads, c.hidden_size // c.num_heads)
        q, k, v = (
            _dense(c.hidden_size, name)(source).reshape(*source.shape[:-1], *heads)
            for name, source in (("query", x), ("key", memory), ("value", memory))
        )
        scores = jnp.einsum("...thd,...shd->...hts", q, k) / heads[-1] ** 0.5
        # After the softmax's shift these underflow to exactly 0; a row with no key stays finite.
        scores = jnp.where(mask[..., None, None, :], scores, jnp.finfo(scores.dtype).min)
        probs = self._drop(jax.nn.softmax(scores, axis=-1), c.attention_dropout)
        return jnp.einsum("...hts,...shd->...thd", probs, v).reshape(x.shape)

    def _drop(self, x: jax.Array, rate: float) -> jax.Array:
        return nn.Dropout(rate)(x, deterministic=self.deterministic)


class BertClassifier(nn.Module):
    """BERT encoder, pooler and linear classifier.

    Parameters live under ``embeddings`` (``word``, ``position``, ``token_type``, ``norm``),
    ``layer_0`` and on (``query``, ``key``, ``value``, ``attention_output``, ``attention_norm``,
    ``intermediate``, ``output``, ``output_norm``), ``pooler`` and ``classifier``.

    Attributes:
      config: Sizes and dropout rates.

    >>> config = BertConfig(vocab_size=50, hidden_size=8, num_layers=2, num_heads=2,
    ...                     intermediate_size=16)
    >>> model = BertClassifier(config)
    >>> ids = jnp.array([2, 7, 3])
    >>> params = jax.jit(model.init)(jax.random.key(0), ids, jnp.ones_like(ids))["params"]
    >>> jax.jit(model.apply)({"params": params}, ids, jnp.ones_like(ids)).logits.shape
    (2,)
    >>> params[layer_name(1)]["query"]["kernel"].shape
    (8, 8)
    """

    config: BertConfig

    @nn.compact
    def __call__(
        self,
        input_ids: jax.Array,
        attention_mask: jax.Array,
        token_type_ids: jax.Array | None = None,
        *,
        deterministic: bool = True,
    ) -> BertOutput:
        """Score the classes of each sequence.

        Args:
          input_ids: Token ids, integers, ``(..., T)`` with any leading axes.
          attention_mask: Integers or bools, ``(..., T)``; 0 or False marks padding, whose keys get
            an attention probability of exactly 0.
          token_type_ids: Segment ids, integers, ``(..., T)``; all 0 if None.
          deterministic: Whether dropout is off; its random stream is ``"dropout"``.

        Returns:
          Logits ``(..., num_labels)`` and pooled vectors ``(..., hidden_size)``.

        Raises:
          UserError: The three shapes differ, or T is greater than ``max_positions``.
        """
        c = self.config
        if token_type_ids is None:
            token_type_ids = jnp.zeros_like(input_ids)
        _validate(c, input_ids.shape, attention_mask.shape, token_type_ids.shape)
        x = _Embeddings(c, deterministic, name="embeddings")(input_ids, token_type_ids)
        mask = attention_mask.astype(bool)
        for number in range(c.num_layers):
            queries = 1 if number == c.num_layers - 1 else None
            x = _Layer(c, deterministic, queries, name=layer_name(number))(x, mask)
        pooled = jnp.tanh(_dense(c.hidden_size, "pooler")(x[..., 0, :]))
        rate = c.hidden_dropout if c.classifier_dropout is None else c.classifier_dropout
        dropped = nn.Dropout(rate)(pooled, deterministic=deterministic)
        return BertOutput(_dense(c.num_labels, "classifier")(dropped), pooled)


def _validate(
    config: BertConfig, ids: tuple[int, ...], mask: tuple[int, ...], types: tuple[int, ...]
) -> None:
    if not ids or ids != mask or ids != types:
        raise UserError(
            "input_ids, attention_mask and token_type_ids must have one shape (..., T); "
            f"got {ids}, {mask} and {types}"
        )
    if ids[-1] > config.max_positions:
        raise UserError(
            f"input of {ids[-1]} tokens is longer than max_positions {config.max_positions}; "
            "truncate it when tokenising"
        )


# Field of BertConfig: (key in config.json, value where the file leaves it out).
_CONFIG_KEYS = {
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
# Name in our parameters: name in Hugging Face's files.
_EMBEDDINGS = {
    "word": "word_embeddings",
    "position": "position_embeddings",
    "token_type": "token_type_embeddings",
    "norm": "LayerNorm",
}
_LAYER = {
    "query": "attention.self.query",
    "key": "attention.self.key",
    "value": "attention.self.value",
    "attention_output": "attention.output.dense",
    "attention_norm": "attention.output.LayerNorm",
    "intermediate": "intermediate.dense",
    "output": "output.dense",
    "output_norm": "output.LayerNorm",
}


def _read_config(values: Mapping[str, Any], path: Path) -> BertConfig:
    if (position := values.get("position_embedding_type", "absolute")) != "absolute":
        raise UserError(
            f'{path} has position_embedding_type {position!r}; only "absolute" is supported'
        )
    if values.get("is_decoder"):
        raise UserError(f"{path} describes a decoder (is_decoder); only encoders are supported")
    fields = {
        field: config_value(values, name, default, path)
        for field, (name, default) in _CONFIG_KEYS.items()
    }
    if values.get("classifier_dropout") is not None:
        fields["classifier_dropout"] = config_value(values, "classifier_dropout", 0.1, path)
    return BertConfig(**fields)


def _write_config(config: BertConfig) -> dict[str, Any]:
    return {
        "architectures": ["BertForSequenceClassification"],
        "model_type": config.model_type,
        **{name: getattr(config, field) for field, (name, _) in _CONFIG_KEYS.items()},
        "classifier_dropout": config.classifier_dropout,
        "position_embedding_type": "absolute",
        "pad_token_id": 0,
    }


def _tensors(c: BertConfig) -> Iterator[TensorSpec]:
    rows = {"word": c.vocab_size, "position": c.max_positions, "token_type": c.type_vocab_size}
    for ours, theirs in _EMBEDDINGS.items():
        name, path = f"embeddings.{theirs}", ("embeddings", ours)
        if ours == "norm":
            yield from norm_tensors(name, path, c.hidden_size)
        else:
            yield TensorSpec(f"{name}.weight", (rows[ours], c.hidden_size), (*path, "embedding"))
    for i in range(c.num_layers):
        for ours, theirs in _LAYER.items():
            name, path = f"encoder.layer.{i}.{theirs}", (layer_name(i), ours)
            if ours.endswith("norm"):
                yield from norm_tensors(name, path, c.hidden_size)
            else:
                inputs = c.intermediate_size if ours == "output" else c.hidden_size
                outputs = c.intermediate_size if ours == "intermediate" else c.hidden_size
                yield from dense_tensors(name, path, inputs, outputs)
    yield from dense_tensors("pooler.dense", ("pooler",), c.hidden_size, c.hidden_size)
    yield from dense_tensors("classifier", ("classifier",), c.hidden_size, c.num_labels)


def _canonical_name(name: str) -> str | None:
    """Drop the prefix, old names of normalisations, pretraining heads and buffers."""
    name = name.removeprefix("bert.")
    if name.startswith("cls.") or name.endswith((".position_ids", ".token_type_ids")):
        return None
    name = name.replace("LayerNorm.gamma", "LayerNorm.weight")
    return name.replace("LayerNorm.beta", "LayerNorm.bias")


BERT = Architecture(
    module=BertClassifier,
    read_config=_read_config,
    write_config=_write_config,
    tensors=_tensors,
    canonical_name=_canonical_name,
    saved_name=lambda name: name if name.startswith("classifier.") else f"bert.{name}",
    new_layers={"pooler.dense": "pooler", "classifier": "classification head"},
    head="classifier",
)
