"""RoBERTa with a classification head, and its kin: XLM-RoBERTa, CamemBERT, BERTweet.

It differs from BERT in its positions, which are counted from the row after the padding token's, and
in its head, whose dense layer belongs to the classifier.
"""

import dataclasses
from typing import ClassVar

from itune.models.architecture import Architecture
from itune.models.blocks import TransformerConfig
from itune.models.encoder import EncoderClassifier
from itune.models.hf_encoder import CONFIG_KEYS, encoder_architecture


@dataclasses.dataclass(frozen=True)
class RobertaConfig(TransformerConfig):
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
    def reserved_positions(self) -> int:
        """Number of rows of the table of positions in front of that of the first token."""
        return self.pad_token_id + 1


class XlmRobertaConfig(RobertaConfig):
    """RoBERTa by its name for many languages."""

    model_type: ClassVar[str] = "xlm-roberta"


class CamembertConfig(RobertaConfig):
    """RoBERTa by its name for French."""

    model_type: ClassVar[str] = "camembert"


class RobertaClassifier(EncoderClassifier):
    """RoBERTa encoder and its classifier, dense, tanh and linear, on the first token's vector.

    Attributes:
      config: Sizes and dropout rates.
    """


def _architecture(config: type[RobertaConfig], name: str, vocab_size: int) -> Architecture:
    own = {"vocab_size": ("vocab_size", vocab_size), "pad_token_id": ("pad_token_id", 1)}
    return encoder_architecture(
        RobertaClassifier,
        config,
        name,
        prefix="roberta",
        keys={**CONFIG_KEYS, **own},
        unneeded=("lm_head.", "pooler."),
    )


ROBERTA = _architecture(RobertaConfig, "Roberta", 50265)
XLM_ROBERTA = _architecture(XlmRobertaConfig, "XLMRoberta", 30522)
CAMEMBERT = _architecture(CamembertConfig, "Camembert", 30522)
