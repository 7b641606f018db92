"""Training methods, each a record of pure functions in a file of its own."""

from itune.methods.adversarial import AdversarialConfig, adversarial
from itune.methods.embedding_tuning import EmbeddingConfig, embedding_tuning
from itune.methods.finetuning import finetuning
from itune.methods.influence_tuning import InfluenceConfig, influence_tuning
from itune.methods.label import LabelConfig
from itune.methods.method import Classifier, Method, Work, confounds_read, last_cid_only
from itune.methods.rounds import RoundConfig

__all__ = [
    "AdversarialConfig",
    "Classifier",
    "EmbeddingConfig",
    "InfluenceConfig",
    "LabelConfig",
    "Method",
    "RoundConfig",
    "Work",
    "adversarial",
    "confounds_read",
    "embedding_tuning",
    "finetuning",
    "influence_tuning",
    "last_cid_only",
]
