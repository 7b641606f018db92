"""Decoders with a classification head: each token attends to those before it, the last is scored.

They have in common layers whose parts are normalised before and not after, a last normalisation,
and a linear head without bias. The last layer computes the last token alone, its keys and values
come from every token.
"""

import abc
import dataclasses
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
from flax import linen as nn

from itune.models.architecture import Architecture, TensorSpec, dense_tensors
from itune.models.blocks import (
    ClassifierOutput,
    Embeddings,
    EncoderConfig,
    attention,
    checked_inputs,
    dense,
    layer_name,
    norm,
    positions_from_0,
    weighted,
)
from itune.models.hf_family import family_architecture


@dataclasses.dataclass(frozen=True)
class DecoderConfig(EncoderConfig):
    """Sizes and dropout rates that decoders have in common.

    Attributes:
      embedding_dropout: Dropout rate of embeddings.
      pad_token_id: Id of the padding token, which is never the last token; None if there is none.
    """

    type_vocab_size: int = 0
    hidden_dropout: float = 0.0
    embedding_dropout: float = 0.0
    pad_token_id: int | None = None

    @property
    def takes_pairs(self) -> bool:
        """Whether an input may be two texts; nothing would tell them apart."""
        return False

    @property
    def window(self) -> int | None:
        """Number of tokens that one attends to, itself included; None for all before it."""
        return None


class DecoderEmbeddings(Embeddings):
    """Sum of word and position vectors.

    Attributes:
      config: Sizes and dropout rates.
      deterministic: Whether dropout is off.
    """

    config: DecoderConfig  # pyrefly: ignore[bad-override-mutable-attribute]  (never assigned)

    def finish(self, x: jax.Array, mask: jax.Array) -> jax.Array:
        """Return the vectors from their sums, without a normalisation."""
        del mask
        return nn.Dropout(self.config.embedding_dropout)(x, deterministic=self.deterministic)


def picked(x: jax.Array, last: jax.Array | None) -> jax.Array:
    """Return the row at ``last``, ``(..., 1)``, of ``x``, ``(..., T, n)``; all rows if None."""
    return x if last is None else jnp.take_along_axis(x, last[..., None], axis=-2)


def heads(x: jax.Array, width: int) -> jax.Array:
    """Return vectors as the parts of the heads, ``(..., heads, width)``."""
    return x.reshape(*x.shape[:-1], -1, width)


class DecoderLayer(nn.Module, abc.ABC):
    """Self-attention and a feed-forward network of what is normalised, each added to its input.

    Attributes:
      config: Sizes and dropout rates.
      deterministic: Whether dropout is off.
      number: Number of the layer, counted from 0.
    """

    config: DecoderConfig
    deterministic: bool
    number: int

    norm = staticmethod(norm)

    @nn.compact
    def __call__(self, x: jax.Array, visible: jax.Array, last: jax.Array | None) -> jax.Array:
        """Return the new ``x`` of the token at ``last``, of all if None.

        Args:
          x: Vectors of the tokens, ``(..., T, hidden)``.
          visible: Booleans ``(..., T, T)``; which queries attend to which keys.
          last: Position of one token, ``(..., 1)``.
        """
        c = self.config
        q, k, v = self.project(self.normalised(x, "attention_norm"), last)
        scores = jnp.einsum("...thd,...shd->...hts", q, k) * self.scale(q.shape[-1])
        probs = self.drop(self.attention(scores, picked(visible, last)), c.attention_dropout)
        x = picked(x, last) + self.drop(self.output(weighted(probs, v)), c.hidden_dropout)
        h = self.feed_forward(self.normalised(x, "feed_forward_norm"))
        return x + self.drop(h, c.hidden_dropout)

    def drop(self, x: jax.Array, rate: float) -> jax.Array:
        """Apply dropout."""
        return nn.Dropout(rate)(x, deterministic=self.deterministic)

    @abc.abstractmethod
    def project(
        self, x: jax.Array, last: jax.Array | None
    ) -> tuple[jax.Array, jax.Array, jax.Array]:
        """Return queries (at ``last``), keys and values, each ``(..., T, heads, width)``."""

    def normalised(self, x: jax.Array, name: str) -> jax.Array:
        """Return normalised vectors."""
        return self.norm(self.config.layer_norm_eps, x, name)

    def attention(self, scores: jax.Array, visible: jax.Array) -> jax.Array:
        """Return what each query pays to each key."""
        return attention(scores, visible)

    def scale(self, width: int) -> float:
        """Return the factor of the scores of attention."""
        return width**-0.5

    def output(self, x: jax.Array) -> jax.Array:
        """Return what attention adds, from the heads side by side."""
        return dense(self.config.hidden_size, "attention_output")(x)

    @abc.abstractmethod
    def feed_forward(self, x: jax.Array) -> jax.Array:
        """Return what the feed-forward network adds."""


class DecoderClassifier(nn.Module):
    """Decoder and linear classifier of its last token.

    Parameters live under ``embeddings`` (``word``, ``position``), ``layer_0`` and on, ``norm`` and
    ``classifier``.

    Attributes:
      config: Sizes and dropout rates.
    """

    config: DecoderConfig

    embeddings: ClassVar[type[Embeddings]] = DecoderEmbeddings
    layer: ClassVar[type[DecoderLayer]]

    @nn.compact
    def __call__(
        self,
        input_ids: jax.Array,
        attention_mask: jax.Array,
        token_type_ids: jax.Array | None = None,
        *,
        deterministic: bool = True,
    ) -> ClassifierOutput:
        """Score the classes of each sequence.

        Args:
          input_ids: Token ids, integers, ``(..., T)`` with any leading axes.
          attention_mask: Integers or bools, ``(..., T)``; 0 or False marks padding, whose keys get
            an attention probability of exactly 0.
          token_type_ids: Ignored.
          deterministic: Whether dropout is off; its random stream is ``"dropout"``.

        Returns:
          Logits ``(..., num_labels)`` and the last token's states, ``(..., hidden_size)``.

        Raises:
          UserError: The shapes differ, or T is greater than ``max_positions``.
        """
        c = self.config
        mask, types = checked_inputs(c, input_ids, attention_mask, token_type_ids)
        places = positions_from_0(input_ids)
        distance = places[..., :, None] - places[..., None, :]
        scored = self.scored(input_ids, mask, places)
        x = self.embeddings(c, deterministic, name="embeddings")(input_ids, types, places, mask)
        for number in range(c.num_layers):
            layer = self.layer(c, deterministic, number, name=layer_name(number))
            visible = self.visible(mask, distance, number)
            x = layer(x, visible, scored if number == c.num_layers - 1 else None)
        return self.head(x, mask, deterministic=deterministic)

    def scored(self, input_ids: jax.Array, mask: jax.Array, places: jax.Array) -> jax.Array | None:
        """Return the place of the token that the head reads, ``(..., 1)``; None for all of them."""
        # As transformers has it, which goes by the id alone.
        padding = self.config.pad_token_id
        is_token = mask if padding is None else mask & (input_ids != padding)
        return jnp.max(jnp.where(is_token, places, 0), axis=-1, keepdims=True)

    def visible(self, mask: jax.Array, distance: jax.Array, number: int) -> jax.Array:
        """Return which queries attend to which keys, that far before them, ``(..., T, T)``."""
        del number
        visible = mask[..., None, :] & (distance >= 0)
        window = self.config.window
        return visible if window is None else visible & (distance < window)

    def head(self, x: jax.Array, mask: jax.Array, *, deterministic: bool) -> ClassifierOutput:
        """Return scores of classes from the last layer's vectors, of the token that is read."""
        del mask, deterministic
        c = self.config
        pooled = self.layer.norm(c.layer_norm_eps, x, "norm")[..., 0, :]
        return ClassifierOutput(dense(c.num_labels, "classifier", use_bias=False)(pooled), pooled)


def decoder_architecture(
    module: type[DecoderClassifier],
    config: type[DecoderConfig],
    name: str,
    *,
    prefix: str,
    keys: Mapping[str, tuple[str, Any]],
    tensors: Callable[[Any], Iterator[TensorSpec]],
    more_keys: Mapping[str, tuple[str, Any]] | None = None,
    required: Mapping[str, Any] | None = None,
    end_of_text: int | None = None,
) -> Architecture:
    """Return the architecture of a decoder, as Hugging Face's folders hold it.

    Padding is the end of a text where ``config.json`` names no padding; ``end_of_text`` is that of
    a file that does not name it either. Without, transformers scores one text at a time.
    """

    def all_tensors(c: DecoderConfig) -> Iterator[TensorSpec]:
        yield from tensors(c)
        yield from dense_tensors(
            "score", ("classifier",), c.hidden_size, c.num_labels, has_bias=False
        )

    family = family_architecture(
        module,
        config,
        name,
        prefix=prefix,
        keys={**keys, "pad_token_id": ("pad_token_id", int)},
        tensors=all_tensors,
        new_layers={"score": "classification head"},
        own=("score.",),
        more_keys=more_keys,
        required=required,
        unneeded=("lm_head.",),
    )

    def read_config(values: Mapping[str, Any], path: Path) -> DecoderConfig:
        padding = values.get("pad_token_id")
        if padding in (None, -1):
            padding = values.get("eos_token_id", end_of_text)
            padding = padding[0] if isinstance(padding, list) and padding else padding
        return family.read_config({**values, "pad_token_id": padding}, path)

    return dataclasses.replace(family, read_config=read_config, padding=lambda c: c.pad_token_id)
