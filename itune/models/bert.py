"""BERT with a classification head."""

import dataclasses
from typing import ClassVar

from itune.models.blocks import TransformerConfig
from itune.models.encoder import EncoderClassifier
from itune.models.hf_encoder import encoder_architecture


@dataclasses.dataclass(frozen=True)
class BertConfig(TransformerConfig):
    """Sizes and dropout rates of a :class:`BertClassifier`; see :class:`TransformerConfig`."""

    model_type: ClassVar[str] = "bert"


class BertClassifier(EncoderClassifier):
    """BERT encoder, pooler and linear classifier.

    Attributes:
      config: Sizes and dropout rates.

    >>> import jax, jax.numpy as jnp
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

    drops_before_pooler: ClassVar[bool] = False


BERT = encoder_architecture(
    BertClassifier,
    BertConfig,
    "Bert",
    prefix="bert",
    constants={"position_embedding_type": "absolute", "pad_token_id": 0},
    pooler="pooler.dense",
    head="classifier",
    unneeded=("cls.",),
)
