"""ALBERT with a classification head.

It differs from BERT in its layers, of which one, or a few, are called again and again; in the width
of its embeddings, which are always projected to that of the layers; and in its dropout.
"""

import dataclasses
from typing import ClassVar

from itune.errors import UserError
from itune.models.blocks import TransformerConfig
from itune.models.encoder import EncoderClassifier
from itune.models.hf_encoder import CONFIG_KEYS, encoder_architecture

_KEYS = {
    **CONFIG_KEYS,
    "vocab_size": ("vocab_size", 30000),
    "hidden_size": ("hidden_size", 4096),
    "num_heads": ("num_attention_heads", 64),
    "intermediate_size": ("intermediate_size", 16384),
    "hidden_dropout": ("hidden_dropout_prob", 0.0),
    "attention_dropout": ("attention_probs_dropout_prob", 0.0),
    "hidden_act": ("hidden_act", "gelu_new"),
    "classifier_dropout": ("classifier_dropout_prob", 0.1),
    "embedding_size": ("embedding_size", 128),
    "num_groups": ("num_hidden_groups", 1),
    "group_size": ("inner_group_num", 1),
}
_LAYER = {
    "query": "attention.query",
    "key": "attention.key",
    "value": "attention.value",
    "attention_output": "attention.dense",
    "attention_norm": "attention.LayerNorm",
    "intermediate": "ffn",
    "output": "ffn_output",
    "output_norm": "full_layer_layer_norm",
}


@dataclasses.dataclass(frozen=True)
class AlbertConfig(TransformerConfig):
    """Sizes and dropout rates of an :class:`AlbertClassifier`.

    Attributes:
      embedding_size: Width of the embeddings.
      num_groups: Number of groups of layers; each is called ``num_layers / num_groups`` times in a
        row.
      group_size: Number of layers of a group.
    """

    model_type: ClassVar[str] = "albert"

    embedding_size: int = 128
    num_groups: int = 1
    group_size: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.num_groups > self.num_layers:
            raise UserError(
                f"num_hidden_groups {self.num_groups} is greater than num_hidden_layers "
                f"{self.num_layers}; each group must be called"
            )

    @property
    def embedding_width(self) -> int:
        """Width of the embeddings."""
        return self.embedding_size

    @property
    def has_projection(self) -> bool:
        """Whether a dense layer projects the embeddings, also to their own width."""
        return True

    @property
    def calls(self) -> list[int]:
        """Layers by number in the order in which they are called, group by group."""
        calls_of_group = self.num_layers / self.num_groups  # rounded as transformers rounds
        groups = [int(i / calls_of_group) for i in range(self.num_layers)]
        return [group * self.group_size + i for group in groups for i in range(self.group_size)]


class AlbertClassifier(EncoderClassifier):
    """ALBERT encoder, pooler and linear classifier; its parameters have the layers once.

    Attributes:
      config: Sizes and dropout rates.
    """

    drops: ClassVar[tuple[str, ...]] = ("attention_output",)
    drops_before_pooler: ClassVar[bool] = False


def _layer(config: AlbertConfig, number: int) -> str:
    group, place = divmod(number, config.group_size)
    return f"encoder.albert_layer_groups.{group}.albert_layers.{place}"


ALBERT = encoder_architecture(
    AlbertClassifier,
    AlbertConfig,
    "Albert",
    prefix="albert",
    keys=_KEYS,
    constants={"pad_token_id": 0},
    projection="encoder.embedding_hidden_mapping_in",
    layers=_layer,
    layer_names=_LAYER,
    pooler="pooler",
    head="classifier",
    unneeded=("predictions.", "sop_classifier."),
)
