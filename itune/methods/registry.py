"""Every method by name, and which sections of a run's configuration it depends on.

A new method is a file of its own beside this one, and a line in :data:`METHODS`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from itune.data.dataset import Dataset
from itune.errors import UserError
from itune.methods.adversarial import adversarial
from itune.methods.balanced_sampling import balanced_sampling
from itune.methods.base import Classifier, Method
from itune.methods.embedding_tuning import embedding_tuning
from itune.methods.finetuning import (
    finetuning,
    finetuning_with_resets,
    finetuning_without_dropout,
)
from itune.methods.group_dro import group_dro
from itune.methods.influence_tuning import influence_tuning
from itune.methods.last_layer_retraining import last_layer_retraining
from itune.methods.product_of_experts import product_of_experts
from itune.methods.subsampling import subsampling


@dataclass(frozen=True)
class MethodSpec:
    """How a method is made from a run's configuration.

    Attributes:
      factory: ``factory(classifier, *configs, train, seed) -> Method``; ``configs`` are the
        sections of the configuration that are named below, in their order.
      sections: Names of these sections: ``label``, and the method's own, if it has any.
      reads_confounds: Whether the method makes use of the training examples' confounds, and so
        depends on the section ``access``, which may hide some of them.
      uses_control: Whether the method trains on the unconfounded control of its data.
    """

    factory: Callable[..., Method]
    sections: tuple[str, ...] = ("label",)
    reads_confounds: bool = True
    uses_control: bool = False

    def make(self, config: Any, classifier: Classifier, train: Dataset, seed: int) -> Method:
        """Make the method.

        Args:
          config: Configuration with an attribute for each of :attr:`sections`, such as a
            :class:`~itune.training.settings.TrainingConfig`.
          classifier: The model to train.
          train: Training data, in which the confounds that the method may not see are hidden.
          seed: Seed of everything that the method draws; an integer from 0 to 2**32 - 1.

        Raises:
          UserError: The method cannot be used with this data.
        """
        configs = [getattr(config, name) for name in self.sections]
        return self.factory(classifier, *configs, train, seed)


METHODS: dict[str, MethodSpec] = {
    "finetuning": MethodSpec(finetuning, reads_confounds=False),
    "finetuning_without_dropout": MethodSpec(
        finetuning_without_dropout, ("label", "influence"), reads_confounds=False
    ),
    "finetuning_with_resets": MethodSpec(
        finetuning_with_resets, ("label", "influence"), reads_confounds=False
    ),
    "adversarial": MethodSpec(adversarial, ("label", "adversarial")),
    "influence_tuning": MethodSpec(influence_tuning, ("label", "influence")),
    "embedding_tuning": MethodSpec(embedding_tuning, ("label", "embedding")),
    "balanced_sampling": MethodSpec(balanced_sampling),
    "subsampling": MethodSpec(subsampling),
    "group_dro": MethodSpec(group_dro, ("label", "group_dro")),
    "last_layer_retraining": MethodSpec(last_layer_retraining, ("label", "last_layer")),
    "product_of_experts": MethodSpec(product_of_experts, ("label", "experts")),
    "no_spurious": MethodSpec(finetuning, reads_confounds=False, uses_control=True),
}
"""Every method by name; ``no_spurious`` is the upper bound: finetuning without the confound."""


def unused_sections(method: str) -> set[str]:
    """Return the sections of a configuration that only other methods than this depend on.

    >>> sorted(unused_sections("influence_tuning"))
    ['adversarial', 'embedding', 'experts', 'group_dro', 'last_layer']
    """
    spec = METHODS[method]
    used = {*spec.sections, *(["access"] if spec.reads_confounds else [])}
    return {"access", *(name for other in METHODS.values() for name in other.sections)} - used


def require_method(name: str) -> None:
    """Check that there is a method of this name.

    Raises:
      UserError: There is none.
    """
    if name not in METHODS:
        raise UserError(f"method must be one of {', '.join(METHODS)}, got {name!r}")
