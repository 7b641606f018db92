"""Methods of training a classifier, each a record of pure functions in a file of its own."""

from itune.methods.adversarial import AdversarialConfig, adversarial
from itune.methods.balanced_sampling import balanced_sampling
from itune.methods.base import Classifier, Method, Work
from itune.methods.embedding_tuning import EmbeddingConfig, embedding_tuning
from itune.methods.finetuning import (
    finetuning,
    finetuning_with_resets,
    finetuning_without_dropout,
)
from itune.methods.group_dro import GroupDroConfig, group_dro
from itune.methods.influence_tuning import InfluenceConfig, influence_tuning
from itune.methods.label_steps import LabelConfig
from itune.methods.last_layer_retraining import LastLayerConfig, last_layer_retraining
from itune.methods.product_of_experts import ExpertsConfig, product_of_experts
from itune.methods.registry import METHODS, MethodSpec, require_method
from itune.methods.rounds import RoundConfig
from itune.methods.subsampling import subsampling

__all__ = [
    "METHODS",
    "AdversarialConfig",
    "Classifier",
    "EmbeddingConfig",
    "ExpertsConfig",
    "GroupDroConfig",
    "InfluenceConfig",
    "LabelConfig",
    "LastLayerConfig",
    "Method",
    "MethodSpec",
    "RoundConfig",
    "Work",
    "adversarial",
    "balanced_sampling",
    "embedding_tuning",
    "finetuning",
    "finetuning_with_resets",
    "finetuning_without_dropout",
    "group_dro",
    "influence_tuning",
    "last_layer_retraining",
    "product_of_experts",
    "require_method",
    "subsampling",
]
