"""DistilBERT with a classification head: its configuration, module and names in files.

It differs from BERT in having no segments and no pooler, a relu in front of the linear head, and no
dropout of what attention adds.
"""

import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

import jax
from flax import linen as nn

from itune.models.architecture import Architecture, TensorSpec
from itune.models.blocks import (
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
    "vocab_size": ("vocab_size", 30522),
    "hidden_size": ("dim", 768),
    "num_layers": ("n_layers", 6),
    "num_heads": ("n_heads", 12),
    "intermediate_size": ("hidden_dim", 3072),
    "max_positions": ("max_position_embeddings", 512),
    "hidden_dropout": ("dropout", 0.1),
    "attention_dropout": ("attention_dropout", 0.1),
    "hidden_act": ("activation", "gelu"),
    "classifier_dropout": ("seq_classif_dropout", 0.2),
}
_LAYER = {
    "query": "attention.q_lin",
    "key": "attention.k_lin",
    "value": "attention.v_lin",
    "attention_output": "attention.out_lin",
    "attention_norm": "sa_layer_norm",
    "intermediate": "ffn.lin1",
    "output": "ffn.lin2",
    "output_norm": "output_layer_norm",
}


@dataclasses.dataclass(frozen=True)
class DistilBertConfig(EncoderConfig):
    """Sizes and dropout rates of a :class:`DistilBertClassifier`, which ignores segment ids."""

    model_type: ClassVar[str] = "distilbert"


class DistilBertClassifier(nn.Module):
    """DistilBERT encoder and its classifier, dense, relu and linear, on the first token's vector.

    Parameters are called as those of :class:`~itune.models.BertClassifier`, but for the segments;
    ``pooler`` is the dense layer in front of the head.

    Attributes:
      config: Sizes and dropout rates.
    """

    config: DistilBertConfig

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
        embeddings = Embeddings(c, deterministic, has_types=False, name="embeddings")
        x = embeddings(input_ids, types, positions_from_0(input_ids))
        x = run_layers(c, x, mask, deterministic=deterministic, attention_output_dropout=0.0)
        pooled = jax.nn.relu(dense(c.hidden_size, "pooler")(x))
        return classify(c, pooled, deterministic=deterministic)


def _read_config(values: Mapping[str, Any], path: Path) -> DistilBertConfig:
    return DistilBertConfig(**read_fields(values, _KEYS, path))


def _write_config(config: DistilBertConfig) -> dict[str, Any]:
    written = dataclasses.replace(config, classifier_dropout=config.head_dropout)
    fields = written_fields(written, _KEYS, "DistilBertForSequenceClassification")
    return {**fields, "pad_token_id": 0}


def _tensors(c: DistilBertConfig) -> Iterator[TensorSpec]:
    tables = {
        "word": ("word_embeddings", c.vocab_size),
        "position": ("position_embeddings", c.max_positions),
    }
    yield from embedding_tensors("embeddings", tables, c.hidden_size)
    yield from layer_tensors(c, "transformer.layer", _LAYER)
    yield from head_tensors(c, "pre_classifier", "classifier")


DISTILBERT = Architecture(
    module=DistilBertClassifier,
    read_config=_read_config,
    write_config=_write_config,
    tensors=_tensors,
    canonical_name=make_canonical("distilbert", "vocab_"),
    saved_name=lambda name: (
        name if name.startswith(("classifier.", "pre_classifier.")) else f"distilbert.{name}"
    ),
    new_layers={"pre_classifier": "classifier's dense layer", "classifier": "classification head"},
    head="classifier",
)
