"""DeBERTa with a classification head, and what its second version shares with it.

They differ from BERT in attention, whose scores add to ``q . k`` what a query makes of the distance
to a key, ``q . (W r)``, and a key of that to a query, ``(W' r) . k``, where ``r`` is the row of the
distance in a table that all layers share; in embeddings, which may lack positions and segments, are
projected before they are normalised, and are 0 for padding; and in queries of padding, which attend
to everything alike.
"""

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen as nn

from itune.errors import UserError
from itune.models.activations import ACTIVATIONS, require_activation
from itune.models.architecture import Part, TensorSpec, dense_tensors
from itune.models.blocks import Embeddings, TransformerConfig, dense, embed, layer_name
from itune.models.encoder import EncoderClassifier, EncoderLayer
from itune.models.hf_encoder import CONFIG_KEYS, ENCODER, LAYER_NAMES, encoder_architecture

KEYS: dict[str, tuple[str, Any]] = {
    **CONFIG_KEYS,
    "type_vocab_size": ("type_vocab_size", 0),
    "layer_norm_eps": ("layer_norm_eps", 1e-7),
    "classifier_dropout": ("cls_dropout", float),
    "embedding_size": ("embedding_size", int),
    "pooler_dropout": ("pooler_dropout", 0.0),
    "pooler_hidden_act": ("pooler_hidden_act", "gelu"),
    "position_biased_input": ("position_biased_input", True),
    "relative_attention": ("relative_attention", False),
    "pos_att_type": ("pos_att_type", tuple),
    "max_relative_positions": ("max_relative_positions", -1),
}


@dataclasses.dataclass(frozen=True)
class DebertaConfig(TransformerConfig):
    """Sizes and dropout rates of a :class:`DebertaClassifier`.

    Attributes:
      embedding_size: Width of the embeddings; None for ``hidden_size``.
      pooler_dropout: Dropout rate in front of the pooler.
      pooler_hidden_act: Activation of the pooler, one of those of ``hidden_act``.
      position_biased_input: Whether embeddings have positions.
      relative_attention: Whether attention has a table of distances.
      pos_att_type: What distances add to scores, of ``"c2p"``, by the query, and ``"p2c"``, by the
        key; scores are divided by the square root of their number and 1 whether they are added or
        not. None for nothing.
      max_relative_positions: Half the number of distances; 0 or less for ``max_positions``.
    """

    model_type: ClassVar[str] = "deberta"

    type_vocab_size: int = 0
    layer_norm_eps: float = 1e-7
    embedding_size: int | None = None
    pooler_dropout: float = 0.0
    pooler_hidden_act: str = "gelu"
    position_biased_input: bool = True
    relative_attention: bool = False
    pos_att_type: tuple[str, ...] | None = None
    max_relative_positions: int = -1

    def __post_init__(self) -> None:
        super().__post_init__()
        require_activation("pooler_hidden_act", self.pooler_hidden_act)
        kinds = self.pos_att_type or ()
        if set(kinds) - {"c2p", "p2c"}:
            raise UserError(f"pos_att_type {list(kinds)} is not supported; use c2p and p2c")
        if self.relative_attention and not kinds:
            raise UserError("relative_attention has no effect without pos_att_type, c2p or p2c")

    @property
    def has_positions(self) -> bool:
        """Whether embeddings have positions."""
        return self.position_biased_input

    @property
    def embedding_width(self) -> int:
        """Width of the embeddings."""
        return self.embedding_size or self.hidden_size

    @property
    def has_projection(self) -> bool:
        """Whether a dense layer projects normalised embeddings; here they are projected before."""
        return False

    @property
    def pooler_rate(self) -> float:
        """Dropout rate in front of the pooler."""
        return self.pooler_dropout

    @property
    def distance_scores(self) -> tuple[str, ...]:
        """What distances add to scores."""
        return (self.pos_att_type or ()) if self.relative_attention else ()

    @property
    def longest_distance(self) -> int:
        """Distances from here on are one."""
        longest = self.max_relative_positions
        return longest if longest > 0 else self.max_positions

    @property
    def span(self) -> int:
        """Half the number of rows of the table of distances."""
        return self.longest_distance

    def bucket(self, distance: np.ndarray) -> np.ndarray:
        """Return distances from keys to queries as the table tells them apart."""
        return distance

    def distance_rows(self, length: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the rows of the table that an input reads, and which of these each pair reads.

        The second are integers ``(length, length)``, of queries and keys.
        """
        place = np.arange(length)
        rows = self.bucket(place[:, None] - place) + self.span
        used, index = np.unique(rows.clip(0, 2 * self.span - 1), return_inverse=True)
        return used, index.reshape(length, length)


class DebertaEmbeddings(Embeddings):
    """Sum of vectors, projected and normalised, and 0 for padding."""

    config: DebertaConfig  # pyrefly: ignore[bad-override-mutable-attribute] (modules are frozen)

    def finish(self, x: jax.Array, mask: jax.Array) -> jax.Array:
        """Return the vectors from their sums."""
        c = self.config
        if c.embedding_width != c.hidden_size:
            x = dense(c.hidden_size, "projection", use_bias=False)(x)
        return jnp.where(mask[..., None], super().finish(x, mask), 0)


class DebertaLayer(EncoderLayer):
    """Disentangled attention, and a feed-forward network; ``bias`` is the table of distances."""

    unbiased: ClassVar[tuple[str, ...]] = ("key",)

    config: DebertaConfig  # pyrefly: ignore[bad-override-mutable-attribute] (modules are frozen)

    def scores(
        self, q: jax.Array, k: jax.Array, bias: jax.Array | None, project: Mapping[str, nn.Dense]
    ) -> jax.Array:
        """Return scores of attention, ``(..., heads, queries, keys)``."""
        c = self.config
        scores = jnp.einsum("...thd,...shd->...hts", q, k)
        if bias is not None:
            table = self.drop(bias, c.hidden_dropout)
            place = np.arange(k.shape[-3])
            rows = c.distance_rows(len(place))[1][: q.shape[-3]]
            if "c2p" in c.distance_scores:
                r = self.heads(self.position_key(project)(table))
                by_row = jnp.einsum("...thd,rhd->...htr", q, r)
                scores += by_row[..., place[: q.shape[-3], None], rows]
            if "p2c" in c.distance_scores:
                r = self.heads(self.position_query(project)(table))
                by_row = jnp.einsum("...shd,rhd->...hsr", k, r)
                scores += by_row[..., place, rows]
        return scores / (q.shape[-1] * (1 + len(c.pos_att_type or ()))) ** 0.5

    def position_key(self, project: Mapping[str, nn.Dense]) -> nn.Dense:
        """Return the layer that makes keys of distances."""
        del project
        return dense(self.config.hidden_size, "position_key", use_bias=False)

    def position_query(self, project: Mapping[str, nn.Dense]) -> nn.Dense:
        """Return the layer that makes queries of distances."""
        del project
        return dense(self.config.hidden_size, "position_query")


class DebertaClassifier(EncoderClassifier):
    """DeBERTa encoder, pooler and linear classifier.

    Beside the parameters of other families, ``distances`` is the table that all layers share, and
    layers have ``position_key`` and ``position_query``.

    Attributes:
      config: Sizes and dropout rates.
    """

    config: DebertaConfig  # pyrefly: ignore[bad-override-mutable-attribute] (modules are frozen)

    embeddings: ClassVar[type[Embeddings]] = DebertaEmbeddings
    layer: ClassVar[type[EncoderLayer]] = DebertaLayer

    def visible(self, mask: jax.Array) -> jax.Array:
        """Return which queries attend to which keys, ``(..., T, T)``; those of padding to none."""
        return mask[..., None, :] & mask[..., None]

    def attention_bias(self, input_ids: jax.Array) -> jax.Array | None:
        """Return the table of distances, the rows that occur, ``(rows, hidden_size)``."""
        c = self.config
        if not c.relative_attention:
            return None
        # All examples of a batch share what layers make of them, so that it is computed once.
        rows, _ = c.distance_rows(input_ids.shape[-1])
        return embed(2 * c.span, c.hidden_size, "distances")(jnp.asarray(rows))

    def activation(self, x: jax.Array) -> jax.Array:
        """Return the pooled vector from the pooler's output."""
        return ACTIVATIONS[self.config.pooler_hidden_act](x)


def more_tensors(c: DebertaConfig) -> Iterator[TensorSpec]:
    """Yield the tensors that other families lack, but for those of layers."""
    if c.embedding_width != c.hidden_size:
        shape = (c.hidden_size, c.embedding_width)
        yield TensorSpec(
            "embeddings.embed_proj.weight", shape, ("embeddings", "projection", "kernel")
        )
    if c.relative_attention:
        shape = (2 * c.span, c.hidden_size)
        yield TensorSpec("encoder.rel_embeddings.weight", shape, ("distances", "embedding"))


def _more_tensors(c: DebertaConfig) -> Iterator[TensorSpec]:
    """Yield those, and the layers that project tokens, whose rows are packed, and distances."""
    yield from more_tensors(c)
    width = c.hidden_size
    for number in range(c.num_layers):
        name, layer = f"encoder.layer.{number}.attention.self", layer_name(number)
        for place, ours in enumerate(("query", "key", "value")):
            path, part = (layer, ours, "kernel"), Part(c.num_heads, 3, place)
            yield TensorSpec(f"{name}.in_proj.weight", (3 * width, width), path, part)
        yield TensorSpec(f"{name}.q_bias", (width,), (layer, "query", "bias"))
        yield TensorSpec(f"{name}.v_bias", (width,), (layer, "value", "bias"))
        if "c2p" in c.distance_scores:
            path = (layer, "position_key")
            yield from dense_tensors(f"{name}.pos_proj", path, width, width, has_bias=False)
        if "p2c" in c.distance_scores:
            path = (layer, "position_query")
            yield from dense_tensors(f"{name}.pos_q_proj", path, width, width)


DEBERTA = encoder_architecture(
    DebertaClassifier,
    DebertaConfig,
    "Deberta",
    prefix="deberta",
    keys={**KEYS, "vocab_size": ("vocab_size", 50265)},
    constants={"pad_token_id": 0},
    required={**ENCODER, "talking_head": False},
    layer_names={
        ours: theirs
        for ours, theirs in LAYER_NAMES.items()
        if ours not in ("query", "key", "value")
    },
    pooler="pooler.dense",
    head="classifier",
    own=("pooler.", "classifier."),
    unneeded=("cls.", "lm_predictions."),
    leftovers=("embeddings.position_embeddings.",),
    more_tensors=_more_tensors,
)
