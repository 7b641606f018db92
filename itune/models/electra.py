"""ELECTRA with a classification head: its configuration, module and names in files.

It differs from BERT in the width of its embeddings, which may be projected to that of the layers,
and in its head, a dense layer with gelu that belongs to the classifier.
"""

import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

import jax
from flax import linen as nn

from itune.models.activations import ACTIVATIONS
from itune.models.architecture import Architecture, TensorSpec, dense_tensors
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

_KEYS = {
    **CONFIG_KEYS,
    "hidden_size": ("hidden_size", 256),
    "num_heads": ("num_attention_heads", 4),
    "intermediate_size": ("intermediate_size", 1024),
    "embedding_size": ("embedding_size", 128),
}


@dataclasses.dataclass(frozen=True)
class ElectraConfig(EncoderConfig):
    """Sizes and dropout rates of an :class:`ElectraClassifier`.

    Attributes:
      embedding_size: Width of the embeddings.
    """

    model_type: ClassVar[str] = "electra"

    embedding_size: int = 128


class ElectraClassifier(nn.Module):
    """ELECTRA encoder and its classifier, dense, gelu and linear, on the first token's vector.

    Parameters are called as those of :class:`~itune.models.BertClassifier`; ``projection`` takes
    the embeddings to the width of the layers, where these differ, and ``pooler`` is the
    classifier's dense layer.

    Attributes:
      config: Sizes and dropout rates.
    """

    config: ElectraConfig

    @nn.compact
    def __call__(
        self,
        input_ids: jax.Array,
        attention_mask: jax.Array,
        token_type_ids: jax.Array | None = None,
        *,
        deterministic: bool = True,
    ) -> ClassifierOutput:
        """Score the classes of each sequence; see :meth:`itune.models.BertClassifier.__call__`."""
        c = self.config
        mask, types = checked_inputs(c, input_ids, attention_mask, token_type_ids)
        embeddings = Embeddings(c, deterministic, features=c.embedding_size, name="embeddings")
        x = embeddings(input_ids, types, positions_from_0(input_ids))
        if c.embedding_size != c.hidden_size:
            x = dense(c.hidden_size, "projection")(x)
        x = run_layers(c, x, mask, deterministic=deterministic)
        x = nn.Dropout(c.head_dropout)(x, deterministic=deterministic)
        pooled = ACTIVATIONS["gelu"](dense(c.hidden_size, "pooler")(x))
        return classify(c, pooled, deterministic=deterministic)


def _read_config(values: Mapping[str, Any], path: Path) -> ElectraConfig:
    return ElectraConfig(**read_fields(values, _KEYS, path))


def _write_config(config: ElectraConfig) -> dict[str, Any]:
    fields = written_fields(config, _KEYS, "ElectraForSequenceClassification")
    return {**fields, "position_embedding_type": "absolute", "pad_token_id": 0}


def _tensors(c: ElectraConfig) -> Iterator[TensorSpec]:
    tables = {
        "word": ("word_embeddings", c.vocab_size),
        "position": ("position_embeddings", c.max_positions),
        "token_type": ("token_type_embeddings", c.type_vocab_size),
    }
    yield from embedding_tensors("embeddings", tables, c.embedding_size)
    if c.embedding_size != c.hidden_size:
        path = ("projection",)
        yield from dense_tensors("embeddings_project", path, c.embedding_size, c.hidden_size)
    yield from layer_tensors(c, "encoder.layer")
    yield from head_tensors(c, "classifier.dense", "classifier.out_proj")


ELECTRA = Architecture(
    module=ElectraClassifier,
    read_config=_read_config,
    write_config=_write_config,
    tensors=_tensors,
    canonical_name=make_canonical("electra", "discriminator_predictions.", "generator_"),
    saved_name=lambda name: name if name.startswith("classifier.") else f"electra.{name}",
    new_layers={
        "classifier.dense": "classifier's dense layer",
        "classifier.out_proj": "classification head",
    },
    head="classifier.out_proj",
)
