"""Transformers that normalise before each part of a layer, not after, and once more at the end.

Decoders do, and ModernBERT. Which tokens see which, and which one the head reads, is the family's.
"""

import abc
from typing import ClassVar

import jax
import jax.numpy as jnp
from flax import linen as nn

from itune.models.blocks import (
    ClassifierOutput,
    Embeddings,
    TransformerConfig,
    attention,
    checked_inputs,
    dense,
    layer_name,
    norm,
    positions_from_0,
    weighted,
)


def picked(x: jax.Array, last: jax.Array | None) -> jax.Array:
    """Return the row at ``last``, ``(..., 1)``, of ``x``, ``(..., T, n)``; all rows if None."""
    return x if last is None else jnp.take_along_axis(x, last[..., None], axis=-2)


def heads(x: jax.Array, width: int) -> jax.Array:
    """Return vectors as the parts of the heads, ``(..., heads, width)``."""
    return x.reshape(*x.shape[:-1], -1, width)


class PreNormLayer(nn.Module, abc.ABC):
    """Self-attention and a feed-forward network of what is normalised, each added to its input.

    Attributes:
      config: Sizes and dropout rates.
      deterministic: Whether dropout is off.
      number: Number of the layer, counted from 0.
    """

    config: TransformerConfig
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


class PreNormClassifier(nn.Module, abc.ABC):
    """Transformer and classifier, whose families say which tokens see which, and what is read.

    Parameters live under ``embeddings`` (``word``, ``position``), ``layer_0`` and on, ``norm`` and
    ``classifier``.

    Attributes:
      config: Sizes and dropout rates.
    """

    config: TransformerConfig

    embeddings: ClassVar[type[Embeddings]]
    layer: ClassVar[type[PreNormLayer]]

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
          token_type_ids: Segment ids, ``(..., T)``, for tables of segments; ignored without them.
          deterministic: Whether dropout is off; its random stream is ``"dropout"``.

        Returns:
          Logits ``(..., num_labels)`` and the vectors in front of the linear head, ``(...,
          hidden_size)``.

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

    @abc.abstractmethod
    def scored(self, input_ids: jax.Array, mask: jax.Array, places: jax.Array) -> jax.Array | None:
        """Return the place of the token that the head reads, ``(..., 1)``; None for all of them."""

    @abc.abstractmethod
    def visible(self, mask: jax.Array, distance: jax.Array, number: int) -> jax.Array:
        """Return which queries of a layer attend to which keys, ``(..., T, T)``.

        Args:
          mask: Booleans ``(..., T)``; which tokens are no padding.
          distance: Places of queries less those of keys, integers ``(..., T, T)``.
          number: Number of the layer, counted from 0.
        """

    @abc.abstractmethod
    def head(self, x: jax.Array, mask: jax.Array, *, deterministic: bool) -> ClassifierOutput:
        """Return the scores of the classes from the last layer's vectors, ``(..., T or 1, n)``."""
