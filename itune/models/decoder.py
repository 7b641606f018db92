"""Decoders with a classification head: each token attends to those before it, the last is scored.

The head is linear, without bias. The last layer computes the last token alone, its keys and values
come from every token.
"""

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
from flax import linen as nn

from itune.models.architecture import Architecture, TensorSpec, dense_tensors
from itune.models.blocks import ClassifierOutput, Embeddings, TransformerConfig, dense
from itune.models.hf_family import family_architecture
from itune.models.pre_norm import PreNormClassifier


@dataclasses.dataclass(frozen=True)
class DecoderConfig(TransformerConfig):
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


class DecoderClassifier(PreNormClassifier):
    """Decoder and linear classifier of its last token.

    Attributes:
      config: Sizes and dropout rates.
    """

    config: DecoderConfig  # pyrefly: ignore[bad-override-mutable-attribute]  (never assigned)

    embeddings: ClassVar[type[Embeddings]] = DecoderEmbeddings

    def scored(self, input_ids: jax.Array, mask: jax.Array, places: jax.Array) -> jax.Array | None:
        """Return the place of the token that the head reads, ``(..., 1)``; None for all of them."""
        # As transformers has it, which goes by the id alone.
        padding = self.config.pad_token_id
        is_token = mask if padding is None else mask & (input_ids != padding)
        return jnp.max(jnp.where(is_token, places, 0), axis=-1, keepdims=True)

    def visible(self, mask: jax.Array, distance: jax.Array, number: int) -> jax.Array:
        """Return which queries attend to which keys, ``(..., T, T)``: to those before them."""
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
