"""BERT with a classification head: its configuration, module and names in Hugging Face's files."""

import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
from flax import linen as nn

from itune.models.architecture import Architecture, TensorSpec
from itune.models.blocks import (
    CONFIG_KEYS,
    ClassifierOutput,
    Embeddings,
    EncoderConfig,
    checked_inputs,
    classify,
    dense,
    embedding_tensors,
    head_tensors,
    layer_tensors,
    make_canonical,
    positions_from_0,
    read_fields,
    run_layers,
    written_fields,
)


@dataclasses.dataclass(frozen=True)
class BertConfig(EncoderConfig):
    """Sizes and dropout rates of a :class:`BertClassifier`; see :class:`EncoderConfig`."""

    model_type: ClassVar[str] = "bert"


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
    >>> params["layer_1"]["query"]["kernel"].shape
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
          state after the pooler's tanh.

        Raises:
          UserError: The three shapes differ, or T is greater than ``max_positions``.
        """
        c = self.config
        mask, types = checked_inputs(c, input_ids, attention_mask, token_type_ids)
        positions = positions_from_0(input_ids)
        x = Embeddings(c, deterministic, name="embeddings")(input_ids, types, positions)
        x = run_layers(c, x, mask, deterministic=deterministic)
        pooled = jnp.tanh(dense(c.hidden_size, "pooler")(x))
        return classify(c, pooled, deterministic=deterministic)


def _read_config(values: Mapping[str, Any], path: Path) -> BertConfig:
    return BertConfig(**read_fields(values, CONFIG_KEYS, path))


def _write_config(config: BertConfig) -> dict[str, Any]:
    fields = written_fields(config, CONFIG_KEYS, "BertForSequenceClassification")
    return {**fields, "position_embedding_type": "absolute", "pad_token_id": 0}


def _tensors(c: BertConfig) -> Iterator[TensorSpec]:
    tables = {
        "word": ("word_embeddings", c.vocab_size),
        "position": ("position_embeddings", c.max_positions),
        "token_type": ("token_type_embeddings", c.type_vocab_size),
    }
    yield from embedding_tensors("embeddings", tables, c.hidden_size)
    yield from layer_tensors(c, "encoder.layer")
    yield from head_tensors(c, "pooler.dense", "classifier")


BERT = Architecture(
    module=BertClassifier,
    read_config=_read_config,
    write_config=_write_config,
    tensors=_tensors,
    canonical_name=make_canonical("bert", "cls."),
    saved_name=lambda name: name if name.startswith("classifier.") else f"bert.{name}",
    new_layers={"pooler.dense": "pooler", "classifier": "classification head"},
    head="classifier",
)
