"""MPNet with a classification head.

It differs from BERT in attention, which adds a bias for how far apart two tokens are; in its
positions, which are counted from the row after the padding token's; in having no segments; and in
its head, whose dense layer belongs to the classifier.
"""

import dataclasses
from collections.abc import Iterator
from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from itune.models.architecture import TensorSpec
from itune.models.blocks import TransformerConfig, embed
from itune.models.encoder import EncoderClassifier
from itune.models.hf_encoder import CONFIG_KEYS, ENCODER, LAYER_NAMES, encoder_architecture

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
_BUCKET_COUNT = {"relative_attention_num_buckets": _BUCKETS}


@dataclasses.dataclass(frozen=True)
class MPNetConfig(TransformerConfig):
    """Sizes and dropout rates of an :class:`MPNetClassifier`, which ignores segment ids.

    A file's ``max_position_embeddings`` is greater than ``max_positions`` by 2.
    """

    model_type: ClassVar[str] = "mpnet"

    type_vocab_size: int = 0

    @property
    def reserved_positions(self) -> int:
        """Number of rows of the table of positions in front of that of the first token."""
        return _PADDING + 1


class MPNetClassifier(EncoderClassifier):
    """MPNet encoder and its classifier, dense, tanh and linear, on the first token's vector.

    Beside the parameters of other families, ``relative_attention_bias`` is the table of biases that
    all layers share, a row for each bucket of distances and a column for each head.

    Attributes:
      config: Sizes and dropout rates.
    """

    def attention_bias(self, input_ids: jax.Array) -> jax.Array:
        """Return what all layers add to the scores of attention, ``(..., heads, T, T)``."""
        # Each row is looked up once: an entry for each pair of tokens would cost their square.
        rows = jax.lax.broadcasted_iota(
            jnp.int32, (*input_ids.shape[:-1], _BUCKETS), input_ids.ndim - 1
        )
        table = embed(_BUCKETS, self.config.num_heads, "relative_attention_bias")(rows)
        return jnp.swapaxes(table, -1, -2)[..., relative_buckets(input_ids.shape[-1])]


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


def _more_tensors(c: MPNetConfig) -> Iterator[TensorSpec]:
    path = ("relative_attention_bias", "embedding")
    yield TensorSpec("encoder.relative_attention_bias.weight", (_BUCKETS, c.num_heads), path)


MPNET = encoder_architecture(
    MPNetClassifier,
    MPNetConfig,
    "MPNet",
    prefix="mpnet",
    keys=_KEYS,
    constants={**_BUCKET_COUNT, "pad_token_id": _PADDING},
    required={**ENCODER, **_BUCKET_COUNT},
    layer_names=_LAYER,
    unneeded=("lm_head.", "pooler."),
    more_tensors=_more_tensors,
)
