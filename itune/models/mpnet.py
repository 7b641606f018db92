"""MPNet with a classification head: its configuration, module and names in files.

It differs from BERT in attention, which adds a bias for how far apart two tokens are; in its
positions, which are counted from the row after the padding token's; in having no segments; and in
its head, whose dense layer belongs to the classifier.
"""

import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen as nn

from itune.errors import UserError
from itune.models.architecture import Architecture, TensorSpec, config_value
from itune.models.blocks import (
    CONFIG_KEYS,
    LAYER_NAMES,
    ClassifierOutput,
    Embeddings,
    EncoderConfig,
    checked_inputs,
    classify,
    dense,
    embed,
    embedding_tensors,
    head_tensors,
    layer_tensors,
    make_canonical,
    positions_after_padding,
    read_fields,
    run_layers,
    written_fields,
)

_KEYS = {name: key for name, key in CONFIG_KEYS.items() if name != "type_vocab_size"}
_KEYS["vocab_size"] = ("vocab_size", 30527)
_LAYER = {
    **LAYER_NAMES,
    "query": "attention.attn.q",
    "key": "attention.attn.k",
    "value": "attention.attn.v",
    "attention_output": "attention.attn.o",
    "attention_norm": "attention.LayerNorm",
}
# transformers has these two as constants, whatever config.json says.
_PADDING = 1
_BUCKETS = 32


@dataclasses.dataclass(frozen=True)
class MPNetConfig(EncoderConfig):
    """Sizes and dropout rates of an :class:`MPNetClassifier`, which ignores segment ids.

    A file's ``max_position_embeddings`` is greater than ``max_positions`` by 2.
    """

    model_type: ClassVar[str] = "mpnet"

    @property
    def takes_pairs(self) -> bool:
        """Whether an input may be two texts; its separators tell them apart."""
        return True

    @property
    def rows(self) -> int:
        """Number of rows of the table of positions."""
        return self.max_positions + _PADDING + 1


class MPNetClassifier(nn.Module):
    """MPNet encoder and its classifier, dense, tanh and linear, on the first token's vector.

    Parameters are called as those of :class:`~itune.models.BertClassifier`, but for the segments;
    ``relative_attention_bias`` is the table of biases, a row for each bucket of distances and a
    column for each head, which all layers share, and ``pooler`` is the classifier's dense layer.

    Attributes:
      config: Sizes and dropout rates.
    """

    config: MPNetConfig

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
        embeddings = Embeddings(c, deterministic, rows=c.rows, has_types=False, name="embeddings")
        x = embeddings(input_ids, types, positions_after_padding(input_ids, mask, _PADDING))
        # Each row is looked up once: an entry for each pair of tokens would cost their square.
        rows = jax.lax.broadcasted_iota(
            jnp.int32, (*input_ids.shape[:-1], _BUCKETS), input_ids.ndim - 1
        )
        table = embed(_BUCKETS, c.num_heads, "relative_attention_bias")(rows)
        bias = jnp.swapaxes(table, -1, -2)[..., relative_buckets(input_ids.shape[-1])]
        x = run_layers(c, x, mask, deterministic=deterministic, bias=bias)
        x = nn.Dropout(c.head_dropout)(x, deterministic=deterministic)
        pooled = jnp.tanh(dense(c.hidden_size, "pooler")(x))
        return classify(c, pooled, deterministic=deterministic)


def relative_buckets(length: int) -> np.ndarray:
    """Return the row of the bias table for each query and key, integers ``(length, length)``.

    By T5's rule keys at or before the query have rows 0 to 15, others 16 to 31, and a distance n of
    8 or more shares row ``8 + floor(2 log2(n / 8))`` of its half, the last from 91 on.
    """
    place = np.arange(length)
    offset = place[None, :] - place[:, None]
    distance = np.abs(offset)
    half = _BUCKETS // 2
    exact = half // 2
    # Squares are integers, so that a rounded logarithm decides nothing.
    bounds = exact**2 * 2 ** np.arange(1, half - exact)
    far = exact + np.searchsorted(bounds, distance**2, side="right")
    return np.where(distance < exact, distance, far) + half * (offset > 0)


def _read_config(values: Mapping[str, Any], path: Path) -> MPNetConfig:
    name = "relative_attention_num_buckets"
    if (buckets := config_value(values, name, _BUCKETS, path)) != _BUCKETS:
        raise UserError(f"{path} has {name} {buckets}; only {_BUCKETS} is supported")
    fields = read_fields(values, _KEYS, path)
    return MPNetConfig(**{**fields, "max_positions": fields["max_positions"] - _PADDING - 1})


def _write_config(config: MPNetConfig) -> dict[str, Any]:
    fields = written_fields(config, _KEYS, "MPNetForSequenceClassification")
    if config.classifier_dropout is None:  # a key that transformers' MPNet does not know
        del fields["classifier_dropout"]
    return {
        **fields,
        "max_position_embeddings": config.rows,
        "relative_attention_num_buckets": _BUCKETS,
        "pad_token_id": _PADDING,
    }


def _tensors(c: MPNetConfig) -> Iterator[TensorSpec]:
    tables = {
        "word": ("word_embeddings", c.vocab_size),
        "position": ("position_embeddings", c.rows),
    }
    yield from embedding_tensors("embeddings", tables, c.hidden_size)
    path = ("relative_attention_bias", "embedding")
    yield TensorSpec("encoder.relative_attention_bias.weight", (_BUCKETS, c.num_heads), path)
    yield from layer_tensors(c, "encoder.layer", _LAYER)
    yield from head_tensors(c, "classifier.dense", "classifier.out_proj")


MPNET = Architecture(
    module=MPNetClassifier,
    read_config=_read_config,
    write_config=_write_config,
    tensors=_tensors,
    canonical_name=make_canonical("mpnet", "lm_head.", "pooler."),
    saved_name=lambda name: name if name.startswith("classifier.") else f"mpnet.{name}",
    new_layers={
        "classifier.dense": "classifier's dense layer",
        "classifier.out_proj": "classification head",
    },
    head="classifier.out_proj",
)
