"""DistilBERT with a classification head.

It differs from BERT in having no segments and no pooler, a relu in front of the linear head, and no
dropout of what attention adds.
"""

import dataclasses
from typing import ClassVar

import jax

from itune.models.blocks import TransformerConfig
from itune.models.encoder import EncoderClassifier
from itune.models.hf_encoder import encoder_architecture

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
class DistilBertConfig(TransformerConfig):
    """Sizes and dropout rates of a :class:`DistilBertClassifier`, which ignores segment ids."""

    model_type: ClassVar[str] = "distilbert"

    type_vocab_size: int = 0
    classifier_dropout: float = 0.2


class DistilBertClassifier(EncoderClassifier):
    """DistilBERT encoder and its classifier, dense, relu and linear, on the first token's vector.

    Attributes:
      config: Sizes and dropout rates.
    """

    drops: ClassVar[tuple[str, ...]] = ("output",)
    drops_before_pooler: ClassVar[bool] = False

    def activation(self, x: jax.Array) -> jax.Array:
        """Return the pooled vector from the output of the dense layer."""
        return jax.nn.relu(x)


DISTILBERT = encoder_architecture(
    DistilBertClassifier,
    DistilBertConfig,
    "DistilBert",
    prefix="distilbert",
    keys=_KEYS,
    constants={"pad_token_id": 0},
    layers=lambda config, number: f"transformer.layer.{number}",
    layer_names=_LAYER,
    pooler="pre_classifier",
    head="classifier",
    unneeded=("vocab_",),
)
