"""Encoders in Flax Linen, an architecture a file, and Hugging Face's weights in and out."""

from itune.models.architecture import ModelConfig
from itune.models.bert import BertClassifier, BertConfig
from itune.models.hf_config import load_config
from itune.models.hf_weights import Params, from_hugging_face, to_hugging_face
from itune.models.hub import load_tokenizer, resolve_encoder
from itune.models.loading import (
    TrainedClassifier,
    find_model,
    has_head,
    load_classifier,
    load_encoder,
    model_folder,
)
from itune.models.random_init import write_random_encoder
from itune.models.registry import make_model
from itune.models.saving import save_classifier

__all__ = [
    "BertClassifier",
    "BertConfig",
    "ModelConfig",
    "Params",
    "TrainedClassifier",
    "find_model",
    "from_hugging_face",
    "has_head",
    "load_classifier",
    "load_config",
    "load_encoder",
    "load_tokenizer",
    "make_model",
    "model_folder",
    "resolve_encoder",
    "save_classifier",
    "to_hugging_face",
    "write_random_encoder",
]
