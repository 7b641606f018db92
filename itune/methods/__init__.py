"""Training methods, each a record of pure functions in a file of its own."""

from itune.methods.finetuning import finetuning
from itune.methods.influence_tuning import InfluenceConfig, influence_tuning
from itune.methods.label import LabelConfig
from itune.methods.method import Classifier, Method, Work

__all__ = [
    "InfluenceConfig",
    "LabelConfig",
    "Method",
    "Classifier",
    "Work",
    "finetuning",
    "influence_tuning",
]
