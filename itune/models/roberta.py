"""RoBERTa with a classification head, and its kin: XLM-RoBERTa, CamemBERT, BERTweet.

It differs from BERT in its positions, which are counted from the row after the padding token's, and
in its head, whose dense layer belongs to the classifier.
"""

import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
from flax import linen as nn

from itune.models.architecture import Architecture, TensorSpec, config_value
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
    positions_after_padding,
    read_fields,
    run_layers,
    written_fields,
)

_KEYS = {**CONFIG_KEYS, "pad_token_id": ("pad_token_id", 1)}


@dataclasses.dataclass(frozen=True)
class RobertaConfig(EncoderConfig):
    """Sizes and dropout rates of a :class:`RobertaClassifier`.

    Attributes:
      pad_token_id: Id of the padding token, which is also the row of its position; a file's
        ``max_position_embeddings`` is greater than ``max_positions`` by this and 1.
    """

    model_type: ClassVar[str] = "roberta"

    pad_token_id: int = 1

    @property
    def takes_pairs(self) -> bool:
        """Whether an input may be two texts; its separators tell them apart."""
        return True

    @property
    def rows(self) -> int:
        """Number of rows of the table of positions."""
        return self.max_positions + self.pad_token_id + 1


class XlmRobertaConfig(RobertaConfig):
    """RoBERTa by its name for many languages."""

    model_type: ClassVar[str] = "xlm-roberta"


class CamembertConfig(RobertaConfig):
    """RoBERTa by its name for French."""

    model_type: ClassVar[str] = "camembert"


class RobertaClassifier(nn.Module):
    """RoBERTa encoder and its classifier, dense, tanh and linear, on the first token's vector.

    Parameters are called as those of :class:`~itune.models.BertClassifier`; ``pooler`` is the
    classifier's dense layer.

    Attributes:
      config: Sizes and dropout rates.
    """

    config: RobertaConfig

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
        types = jnp.minimum(types, c.type_vocab_size - 1)
        positions = positions_after_padding(input_ids, mask, c.pad_token_id)
        embeddings = Embeddings(c, deterministic, rows=c.rows, name="embeddings")
        x = embeddings(input_ids, types, positions)
        x = run_layers(c, x, mask, deterministic=deterministic)
        x = nn.Dropout(c.head_dropout)(x, deterministic=deterministic)
        pooled = jnp.tanh(dense(c.hidden_size, "pooler")(x))
        return classify(c, pooled, deterministic=deterministic)


def _architecture(config: type[RobertaConfig], name: str, vocab_size: int) -> Architecture:
    keys = {**_KEYS, "vocab_size": ("vocab_size", vocab_size)}

    def read_config(values: Mapping[str, Any], path: Path) -> RobertaConfig:
        fields = read_fields(values, keys, path)
        padding = config_value(values, "pad_token_id", 1, path)
        return config(**{**fields, "max_positions": fields["max_positions"] - padding - 1})

    def write_config(c: RobertaConfig) -> dict[str, Any]:
        fields = written_fields(c, keys, f"{name}ForSequenceClassification")
        return {**fields, "max_position_embeddings": c.rows}

    return Architecture(
        module=RobertaClassifier,
        read_config=read_config,
        write_config=write_config,
        tensors=_tensors,
        canonical_name=make_canonical("roberta", "lm_head.", "pooler."),
        saved_name=lambda name: name if name.startswith("classifier.") else f"roberta.{name}",
        new_layers={
            "classifier.dense": "classifier's dense layer",
            "classifier.out_proj": "classification head",
        },
        head="classifier.out_proj",
    )


def _tensors(c: RobertaConfig) -> Iterator[TensorSpec]:
    tables = {
        "word": ("word_embeddings", c.vocab_size),
        "position": ("position_embeddings", c.rows),
        "token_type": ("token_type_embeddings", c.type_vocab_size),
    }
    yield from embedding_tensors("embeddings", tables, c.hidden_size)
    yield from layer_tensors(c, "encoder.layer")
    yield from head_tensors(c, "classifier.dense", "classifier.out_proj")


ROBERTA = _architecture(RobertaConfig, "Roberta", 50265)
XLM_ROBERTA = _architecture(XlmRobertaConfig, "XLMRoberta", 30522)
CAMEMBERT = _architecture(CamembertConfig, "Camembert", 30522)
