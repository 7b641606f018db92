"""BERT in Flax Linen, and Hugging Face's weights in and out."""

from itune.models.bert import BertClassifier, BertConfig, BertOutput
from itune.models.folder import load_config, load_encoder, save_classifier
from itune.models.hub import load_tokenizer, resolve_encoder
from itune.models.names import from_hugging_face, to_hugging_face

__all__ = [
    "BertClassifier",
    "BertConfig",
    "BertOutput",
    "from_hugging_face",
    "load_config",
    "load_encoder",
    "load_tokenizer",
    "resolve_encoder",
    "save_classifier",
    "to_hugging_face",
]
