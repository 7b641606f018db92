"""BERT in Flax Linen, and Hugging Face's weights in and out."""

from itune.models.bert import BertClassifier, BertConfig, BertOutput
from itune.models.classifier import TrainedClassifier, find_model, load_classifier, model_folder
from itune.models.folder import has_head, load_config, load_encoder, save_classifier
from itune.models.hf_weights import from_hugging_face, to_hugging_face
from itune.models.hub import load_tokenizer, resolve_encoder
from itune.models.random_init import write_fresh_encoder

__all__ = [
    "BertClassifier",
    "BertConfig",
    "BertOutput",
    "TrainedClassifier",
    "find_model",
    "from_hugging_face",
    "has_head",
    "load_classifier",
    "load_config",
    "load_encoder",
    "load_tokenizer",
    "model_folder",
    "resolve_encoder",
    "save_classifier",
    "to_hugging_face",
    "write_fresh_encoder",
]
