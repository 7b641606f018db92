"""Encoders of the BERT family: a layer that normalises after each part, and the whole."""

from collections.abc import Mapping
from typing import ClassVar

import jax
import jax.numpy as jnp
from flax import linen as nn

from itune.models.activations import ACTIVATIONS
from itune.models.blocks import (
    ClassifierOutput,
    Embeddings,
    TransformerConfig,
    attention,
    checked_inputs,
    dense,
    layer_name,
    norm,
    positions_after_padding,
    positions_from_0,
    weighted,
)


class EncoderLayer(nn.Module):
    """Self-attention and a feed-forward network, each added to its input and then normalised.

    Attributes:
      config: Sizes and dropout rates.
      deterministic: Whether dropout is off.
      drops: What dropout is applied to, of ``"attention_output"`` and ``"output"``.
    """

    config: TransformerConfig
    deterministic: bool
    drops: tuple[str, ...] = ("attention_output", "output")

    unbiased: ClassVar[tuple[str, ...]] = ()
    """Which of query, key and value have no bias."""

    @nn.compact
    def __call__(
        self,
        x: jax.Array,
        mask: jax.Array,
        bias: jax.Array | None = None,
        num_queries: int | None = None,
    ) -> jax.Array:
        """Return the new ``x`` of the first ``num_queries`` tokens, of all if None.

        Args:
          x: Vectors of the tokens, ``(..., T, hidden)``.
          mask: Booleans ``(..., T or 1, T)``; which queries attend to which keys.
          bias: What :meth:`EncoderClassifier.attention_bias` returns.
          num_queries: Number of first tokens that are computed.
        """
        c = self.config
        memory, x = x, x[..., :num_queries, :]
        attended = self._attend(x, memory, mask[..., :num_queries, :], bias)
        a = dense(c.hidden_size, "attention_output")(attended)
        x = norm(c.layer_norm_eps, x + self._added(a, "attention_output"), "attention_norm")
        h = ACTIVATIONS[c.hidden_act](dense(c.intermediate_size, "intermediate")(x))
        h = self._added(dense(c.hidden_size, "output")(h), "output")
        return norm(c.layer_norm_eps, x + h, "output_norm")

    def _attend(
        self, x: jax.Array, memory: jax.Array, mask: jax.Array, bias: jax.Array | None
    ) -> jax.Array:
        c = self.config
        project = {
            name: dense(c.hidden_size, name, use_bias=name not in self.unbiased)
            for name in ("query", "key", "value")
        }
        q, k, v = (
            self.heads(project[name](source))
            for name, source in (("query", x), ("key", memory), ("value", memory))
        )
        probs = attention(self.scores(q, k, bias, project), mask)
        return weighted(self.drop(probs, c.attention_dropout), v)

    def heads(self, x: jax.Array) -> jax.Array:
        """Return vectors ``(..., hidden)`` as the parts of the heads, ``(..., heads, width)``."""
        return x.reshape(*x.shape[:-1], self.config.num_heads, -1)

    def scores(
        self, q: jax.Array, k: jax.Array, bias: jax.Array | None, project: Mapping[str, nn.Dense]
    ) -> jax.Array:
        """Return scores of attention, ``(..., heads, queries, keys)``.

        Args:
          q: Queries, ``(..., queries, heads, width)``.
          k: Keys, ``(..., keys, heads, width)``.
          bias: What :meth:`EncoderClassifier.attention_bias` returns.
          project: The layers whose output q and k are, by name.
        """
        del project
        scores = jnp.einsum("...thd,...shd->...hts", q, k) / q.shape[-1] ** 0.5
        return scores if bias is None else scores + bias[..., : q.shape[-3], :]

    def _added(self, x: jax.Array, name: str) -> jax.Array:
        return self.drop(x, self.config.hidden_dropout if name in self.drops else 0.0)

    def drop(self, x: jax.Array, rate: float) -> jax.Array:
        """Apply dropout."""
        return nn.Dropout(rate)(x, deterministic=self.deterministic)


class EncoderClassifier(nn.Module):
    """Encoder and classifier, whose families override what they do otherwise.

    Parameters live under ``embeddings`` (``word``, ``position``, ``token_type``, ``norm``),
    ``projection`` where the embeddings have a width of their own, ``layer_0`` and on (``query``,
    ``key``, ``value``, ``attention_output``, ``attention_norm``, ``intermediate``, ``output``,
    ``output_norm``), ``pooler``, the dense layer in front of the linear head, and ``classifier``.

    Attributes:
      config: Sizes and dropout rates.
    """

    config: TransformerConfig

    drops: ClassVar[tuple[str, ...]] = ("attention_output", "output")
    """What layers apply dropout to before it is added, of what attention adds and the rest."""

    drops_before_pooler: ClassVar[bool] = True
    """Whether there is dropout in front of the pooler, which belongs to the classifier then."""

    embeddings: ClassVar[type[Embeddings]] = Embeddings
    layer: ClassVar[type[EncoderLayer]] = EncoderLayer

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
          token_type_ids: Segment ids, integers, ``(..., T)``; all 0 if None.
          deterministic: Whether dropout is off; its random stream is ``"dropout"``.

        Returns:
          Logits ``(..., num_labels)`` and pooled vectors ``(..., hidden_size)``, the first token's
          state after the pooler and its activation.

        Raises:
          UserError: The three shapes differ, or T is greater than ``max_positions``.
        """
        c = self.config
        mask, types = checked_inputs(c, input_ids, attention_mask, token_type_ids)
        embeddings = self.embeddings(c, deterministic, name="embeddings")
        padding = c.reserved_positions - 1
        positions = (
            positions_from_0(input_ids)
            if padding < 0
            else positions_after_padding(input_ids, mask, padding)
        )
        x = embeddings(input_ids, types, positions, mask)
        if c.has_projection:
            x = dense(c.hidden_size, "projection")(x)
        embedded = x
        bias = self.attention_bias(input_ids)
        visible = self.visible(mask)
        layers = {
            n: self.layer(c, deterministic, self.drops, name=layer_name(n)) for n in set(c.calls)
        }
        for place, number in enumerate(c.calls, 1):
            x = layers[number](x, visible, bias, 1 if place == len(c.calls) else None)
            if place == 1:
                x = self.after_first_layer(x, embedded, mask, deterministic=deterministic)
        x = x[..., 0, :]
        if self.drops_before_pooler:
            x = nn.Dropout(c.pooler_rate)(x, deterministic=deterministic)
        pooled = self.activation(dense(c.hidden_size, "pooler")(x))
        dropped = nn.Dropout(c.head_dropout)(pooled, deterministic=deterministic)
        return ClassifierOutput(dense(c.num_labels, "classifier")(dropped), pooled)

    def visible(self, mask: jax.Array) -> jax.Array:
        """Return which queries attend to which keys, ``(..., T or 1, T)``: all to no padding."""
        return mask[..., None, :]

    def attention_bias(self, input_ids: jax.Array) -> jax.Array | None:
        """Return what all layers add to the scores of attention, ``(..., heads, T, T)``."""
        del input_ids

    def after_first_layer(
        self, x: jax.Array, embedded: jax.Array, mask: jax.Array, *, deterministic: bool
    ) -> jax.Array:
        """Return the vectors after the first layer, from its own and those before it."""
        del embedded, mask, deterministic
        return x

    def activation(self, x: jax.Array) -> jax.Array:
        """Return the pooled vector from the pooler's output; BERT has tanh."""
        return jnp.tanh(x)
