"""Methods of training a classifier, each a record of pure functions in a file of its own.

A method is made by its name: ``METHODS["influence_tuning"].make(config, classifier, train, seed)``.
"""

from itune.methods.adversarial import AdversarialConfig
from itune.methods.base import Classifier, Method, Work
from itune.methods.bcsi import BcsiConfig
from itune.methods.cnc import CncConfig
from itune.methods.counterfactual_augmentation import CounterfactualConfig
from itune.methods.d3m import D3mConfig
from itune.methods.embedding_tuning import EmbeddingConfig
from itune.methods.fish import FishConfig
from itune.methods.group_dro import GroupDroConfig
from itune.methods.iffair import IffairConfig
from itune.methods.influence_tuning import InfluenceConfig
from itune.methods.ipg import IpgConfig
from itune.methods.just_train_twice import JttConfig
from itune.methods.label_steps import LabelConfig
from itune.methods.last_layer_retraining import LastLayerConfig
from itune.methods.lisa import LisaConfig
from itune.methods.product_of_experts import ExpertsConfig
from itune.methods.registry import METHODS, MethodSpec
from itune.methods.rounds import RoundConfig

__all__ = [
    "METHODS",
    "AdversarialConfig",
    "BcsiConfig",
    "Classifier",
    "CncConfig",
    "CounterfactualConfig",
    "D3mConfig",
    "EmbeddingConfig",
    "ExpertsConfig",
    "FishConfig",
    "GroupDroConfig",
    "IffairConfig",
    "InfluenceConfig",
    "IpgConfig",
    "JttConfig",
    "LabelConfig",
    "LastLayerConfig",
    "LisaConfig",
    "Method",
    "MethodSpec",
    "RoundConfig",
    "Work",
]
