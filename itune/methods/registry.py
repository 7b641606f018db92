"""Every method by name; a new one is a file beside this one, and a line in :data:`METHODS`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from itune.data.dataset import Dataset
from itune.methods.adversarial import AdversarialConfig, adversarial
from itune.methods.auto_d3m import auto_d3m
from itune.methods.averaging import averaged
from itune.methods.balanced_sampling import balanced_sampling
from itune.methods.base import Classifier, Method
from itune.methods.bcsi import BcsiConfig, bcsi
from itune.methods.cnc import CncConfig, cnc
from itune.methods.counterfactual_augmentation import (
    CounterfactualConfig,
    counterfactual_augmentation,
)
from itune.methods.d3m import D3mConfig, d3m
from itune.methods.embedding_tuning import EmbeddingConfig, embedding_tuning
from itune.methods.finetuning import (
    finetuning,
    finetuning_with_resets,
    finetuning_without_dropout,
)
from itune.methods.fish import FishConfig, fish
from itune.methods.group_dro import GroupDroConfig, group_dro
from itune.methods.iffair import IffairConfig, iffair
from itune.methods.influence_tuning import InfluenceConfig, influence_tuning
from itune.methods.ipg import IpgConfig, ipg
from itune.methods.just_train_twice import JttConfig, just_train_twice
from itune.methods.last_layer_retraining import LastLayerConfig, last_layer_retraining
from itune.methods.lisa import LisaConfig, lisa
from itune.methods.mixed_precision import in_precision
from itune.methods.product_of_experts import ExpertsConfig, product_of_experts
from itune.methods.subsampling import subsampling
from itune.utils.suggestions import require_known


@dataclass(frozen=True)
class MethodSpec:
    """How a method is made from a run's configuration.

    Attributes:
      factory: ``factory(classifier, label, *own, train, seed) -> Method``; ``label`` are the
        settings of the label phase, and ``own`` those below, in their order.
      settings: Class of the method's own settings, a frozen dataclass, by the name of its section,
        which a :class:`~itune.training.TrainingConfig` has as a field. Empty if it has none;
        methods may share one.
      reads_confounds: Whether the method makes use of the training examples' confounds, and so
        depends on the section ``access``, which may hide some of them.
      uses_control: Whether the method trains on the unconfounded control of its data.
      uses_twins: Whether the training data end in counterfactual twins of the visible examples,
        which need texts that the confound can be deleted from or swapped in.
      has_fixed_steps: Whether the step functions are the same whichever confounds are hidden, so
        that runs that hide others share them.
    """

    factory: Callable[..., Method]
    settings: Mapping[str, type] = field(default_factory=dict)
    reads_confounds: bool = True
    uses_control: bool = False
    uses_twins: bool = False
    has_fixed_steps: bool = False

    def make(self, config: Any, classifier: Classifier, train: Dataset, seed: int) -> Method:
        """Make the method.

        Args:
          config: Configuration of the run, a :class:`~itune.training.TrainingConfig`.
          classifier: The model to train.
          train: Training data, in which the confounds that the method may not see are hidden.
          seed: Seed of everything that the method draws; an integer from 0 to 2**32 - 1.

        Raises:
          UserError: The method cannot be used with this data.
        """
        own = [getattr(config, name) for name in self.settings]
        classifier = in_precision(classifier, config.label.precision)
        method = self.factory(classifier, config.label, *own, train, seed)
        return averaged(method, config.label.average)


METHODS: dict[str, MethodSpec] = {
    "finetuning": MethodSpec(finetuning, reads_confounds=False, has_fixed_steps=True),
    "finetuning_without_dropout": MethodSpec(
        finetuning_without_dropout,
        {"influence": InfluenceConfig},
        reads_confounds=False,
        has_fixed_steps=True,
    ),
    "finetuning_with_resets": MethodSpec(
        finetuning_with_resets,
        {"influence": InfluenceConfig},
        reads_confounds=False,
        has_fixed_steps=True,
    ),
    "adversarial": MethodSpec(adversarial, {"adversarial": AdversarialConfig}),
    "influence_tuning": MethodSpec(
        influence_tuning, {"influence": InfluenceConfig}, has_fixed_steps=True
    ),
    "embedding_tuning": MethodSpec(
        embedding_tuning, {"embedding": EmbeddingConfig}, has_fixed_steps=True
    ),
    "balanced_sampling": MethodSpec(balanced_sampling, has_fixed_steps=True),
    "subsampling": MethodSpec(subsampling),
    "group_dro": MethodSpec(group_dro, {"group_dro": GroupDroConfig}, has_fixed_steps=True),
    "last_layer_retraining": MethodSpec(last_layer_retraining, {"last_layer": LastLayerConfig}),
    "product_of_experts": MethodSpec(product_of_experts, {"experts": ExpertsConfig}),
    "just_train_twice": MethodSpec(just_train_twice, {"jtt": JttConfig}, reads_confounds=False),
    "d3m": MethodSpec(d3m, {"d3m": D3mConfig}),
    "auto_d3m": MethodSpec(auto_d3m, {"d3m": D3mConfig}, reads_confounds=False),
    "iffair": MethodSpec(iffair, {"iffair": IffairConfig}),
    "bcsi": MethodSpec(bcsi, {"bcsi": BcsiConfig}, reads_confounds=False),
    "cnc": MethodSpec(cnc, {"cnc": CncConfig}, reads_confounds=False),
    "fish": MethodSpec(fish, {"fish": FishConfig}),
    "lisa": MethodSpec(lisa, {"lisa": LisaConfig}, has_fixed_steps=True),
    "counterfactual_augmentation": MethodSpec(
        counterfactual_augmentation,
        {"counterfactual": CounterfactualConfig},
        uses_twins=True,
        has_fixed_steps=True,
    ),
    "ipg": MethodSpec(ipg, {"ipg": IpgConfig}, uses_twins=True, has_fixed_steps=True),
    "no_spurious": MethodSpec(
        finetuning, reads_confounds=False, uses_control=True, has_fixed_steps=True
    ),
}
"""Every method by name; ``no_spurious`` is the upper bound: finetuning without the confound."""


def method_settings() -> dict[str, type]:
    """Return the class of the settings that methods have of their own, by section."""
    return {name: cls for spec in METHODS.values() for name, cls in spec.settings.items()}


def unused_sections(method: str) -> set[str]:
    """Return the sections of a configuration that only other methods than this depend on."""
    spec = METHODS[method]
    hidden = set() if spec.reads_confounds else {"access"}
    return hidden | (method_settings().keys() - spec.settings)


def require_method(name: str) -> None:
    """Raise a UserError if there is no method of this name."""
    require_known("method", name, METHODS)
