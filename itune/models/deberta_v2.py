"""DeBERTa in its second and third version, with a classification head.

They differ from the first in distances, which are told apart the less the longer they are; in what
projects them, as a rule the layers of queries and keys; and in a convolution of the embeddings
which may be added to the first layer.
"""

import dataclasses
import itertools
from collections.abc import Iterator, Mapping
from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen as nn

from itune.errors import UserError
from itune.models.activations import ACTIVATIONS, require_activation
from itune.models.architecture import TensorSpec, dense_tensors, norm_tensors
from itune.models.blocks import dense, layer_name, norm
from itune.models.deberta import (
    KEYS,
    DebertaClassifier,
    DebertaConfig,
    DebertaLayer,
    more_tensors,
)
from itune.models.encoder import EncoderLayer
from itune.models.hf_encoder import ENCODER, LAYER_NAMES, encoder_architecture

_KEYS = {
    **KEYS,
    "vocab_size": ("vocab_size", 128100),
    "hidden_size": ("hidden_size", 1536),
    "num_layers": ("num_hidden_layers", 24),
    "num_heads": ("num_attention_heads", 24),
    "intermediate_size": ("intermediate_size", 6144),
}
_MORE_KEYS = {
    "position_buckets": ("position_buckets", -1),
    "share_att_key": ("share_att_key", False),
    "norm_rel_ebd": ("norm_rel_ebd", "none"),
    "conv_kernel_size": ("conv_kernel_size", 0),
    "conv_act": ("conv_act", "tanh"),
}
_LAYER = {
    **LAYER_NAMES,
    "query": "attention.self.query_proj",
    "key": "attention.self.key_proj",
    "value": "attention.self.value_proj",
}


@dataclasses.dataclass(frozen=True)
class DebertaV2Config(DebertaConfig):
    """Sizes and dropout rates of a :class:`DebertaV2Classifier`.

    Attributes:
      position_buckets: Half the number of distances that are told apart, up to half of it one by
        one, then by their logarithm up to ``max_relative_positions``; 0 or less for all of them.
      share_att_key: Whether the layers of keys and queries project distances, too.
      norm_rel_ebd: ``"layer_norm"`` if the table of distances is normalised, or ``"none"``.
      conv_kernel_size: Number of tokens of the convolution, odd; 0 for none.
      conv_act: Activation of the convolution.
    """

    model_type: ClassVar[str] = "deberta-v2"

    position_buckets: int = -1
    share_att_key: bool = False
    norm_rel_ebd: str = "none"
    conv_kernel_size: int = 0
    conv_act: str = "tanh"

    def __post_init__(self) -> None:
        super().__post_init__()
        require_activation("conv_act", self.conv_act)
        if self.norm_rel_ebd not in ("layer_norm", "none"):
            raise UserError(
                f"norm_rel_ebd {self.norm_rel_ebd!r} is not supported; use layer_norm or none"
            )
        if self.conv_kernel_size and self.conv_kernel_size % 2 == 0:
            raise UserError(f"conv_kernel_size {self.conv_kernel_size} is not odd")
        half = self.position_buckets // 2
        if self.position_buckets > 0 and not 1 <= half < self.longest_distance - 1:
            raise UserError(
                f"position_buckets {self.position_buckets} is not from 2 to less than twice "
                f"max_relative_positions - 1, {self.longest_distance - 1}"
            )

    @property
    def span(self) -> int:
        """Half the number of rows of the table of distances."""
        return self.position_buckets if self.position_buckets > 0 else self.longest_distance

    def bucket(self, distance: np.ndarray) -> np.ndarray:
        """Return distances from keys to queries as the table tells them apart."""
        if self.position_buckets <= 0:
            return distance
        half, last = self.position_buckets // 2, self.longest_distance - 1
        length = np.abs(distance)
        # In float32, as transformers computes it, since a rounded logarithm may decide.
        logarithm = np.log(np.maximum(length, half) / np.float32(half), dtype=np.float32)
        share = logarithm / np.log(np.float32(last / half))
        far = np.ceil(share * np.float32(half - 1)).astype(int) + half
        return np.where(length <= half, distance, np.sign(distance) * far)


class DebertaV2Layer(DebertaLayer):
    """Disentangled attention, and a feed-forward network; ``bias`` is the table of distances."""

    unbiased: ClassVar[tuple[str, ...]] = ()

    config: DebertaV2Config  # pyrefly: ignore[bad-override-mutable-attribute] (modules are frozen)

    def position_key(self, project: Mapping[str, nn.Dense]) -> nn.Dense:
        """Return the layer that makes keys of distances."""
        c = self.config
        return project["key"] if c.share_att_key else dense(c.hidden_size, "position_key")

    def position_query(self, project: Mapping[str, nn.Dense]) -> nn.Dense:
        """Return the layer that makes queries of distances."""
        c = self.config
        return project["query"] if c.share_att_key else dense(c.hidden_size, "position_query")


class DebertaV2Classifier(DebertaClassifier):
    """DeBERTa encoder, pooler and linear classifier.

    Beside the parameters of the first version, ``distances_norm`` normalises the table of
    distances, and ``convolution`` and ``convolution_norm`` are after the first layer.

    Attributes:
      config: Sizes and dropout rates.
    """

    config: DebertaV2Config  # pyrefly: ignore[bad-override-mutable-attribute] (modules are frozen)

    layer: ClassVar[type[EncoderLayer]] = DebertaV2Layer

    def attention_bias(self, input_ids: jax.Array) -> jax.Array | None:
        """Return the table of distances, the rows that occur, ``(rows, hidden_size)``."""
        c, table = self.config, super().attention_bias(input_ids)
        if table is None or c.norm_rel_ebd == "none":
            return table
        return norm(c.layer_norm_eps, table, "distances_norm")

    def after_first_layer(
        self, x: jax.Array, embedded: jax.Array, mask: jax.Array, *, deterministic: bool
    ) -> jax.Array:
        """Add what a convolution makes of the embeddings; vectors of padding are 0."""
        c = self.config
        if not c.conv_kernel_size:
            return x
        convolution = nn.Conv(c.hidden_size, (c.conv_kernel_size,), name="convolution")
        a = convolution(embedded)[..., : x.shape[-2], :]
        a = nn.Dropout(c.hidden_dropout)(a, deterministic=deterministic)
        x = norm(c.layer_norm_eps, x + ACTIVATIONS[c.conv_act](a), "convolution_norm")
        return jnp.where(mask[..., : x.shape[-2], None], x, 0)


def _more_tensors(c: DebertaV2Config) -> Iterator[TensorSpec]:
    yield from more_tensors(c)
    width = c.hidden_size
    if c.relative_attention and c.norm_rel_ebd == "layer_norm":
        yield from norm_tensors("encoder.LayerNorm", ("distances_norm",), width)
    if c.conv_kernel_size:
        shape = (width, width, c.conv_kernel_size)
        yield TensorSpec("encoder.conv.conv.weight", shape, ("convolution", "kernel"))
        yield TensorSpec("encoder.conv.conv.bias", (width,), ("convolution", "bias"))
        yield from norm_tensors("encoder.conv.LayerNorm", ("convolution_norm",), width)
    if not c.share_att_key:
        parts = [{"c2p": "key", "p2c": "query"}[kind] for kind in c.distance_scores]
        for number, part in itertools.product(range(c.num_layers), parts):
            name = f"encoder.layer.{number}.attention.self.pos_{part}_proj"
            path = (layer_name(number), f"position_{part}")
            yield from dense_tensors(name, path, width, width)


DEBERTA_V2 = encoder_architecture(
    DebertaV2Classifier,
    DebertaV2Config,
    "DebertaV2",
    prefix="deberta",
    keys=_KEYS,
    more_keys=_MORE_KEYS,
    constants={"pad_token_id": 0},
    required={**ENCODER, "conv_groups": 1},
    layer_names=_LAYER,
    pooler="pooler.dense",
    head="classifier",
    own=("pooler.", "classifier."),
    unneeded=("cls.", "lm_predictions.", "mask_predictions."),
    leftovers=("embeddings.position_embeddings.",),
    more_tensors=_more_tensors,
)
