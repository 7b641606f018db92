"""Every method by name, and how a run makes it of its configuration."""

from collections.abc import Callable
from typing import NamedTuple

from itune.data.dataset import Dataset
from itune.errors import UserError
from itune.methods import (
    Classifier,
    Method,
    adversarial,
    balanced_sampling,
    embedding_tuning,
    finetuning,
    group_dro,
    influence_tuning,
    last_layer_retraining,
    product_of_experts,
    subsampling,
)
from itune.training.settings import TrainingConfig


class Recipe(NamedTuple):
    """How a run makes its method.

    Attributes:
      make: ``make(config, classifier, train, seed) -> Method``.
      sections: of the configuration that it depends on, beside those of all.
      uses_control: trains on the unconfounded control of its data.
    """

    make: Callable[[TrainingConfig, Classifier, Dataset, int], Method]
    sections: tuple[str, ...] = ()
    uses_control: bool = False


def _finetuning(c, classifier, train, seed, **changes):
    return finetuning(classifier, c.label, len(train), seed, **changes)


METHODS: dict[str, Recipe] = {
    "finetuning": Recipe(_finetuning),
    "finetuning_without_dropout": Recipe(
        lambda c, *args: _finetuning(c, *args, interval=c.influence.interval, drops_dropout=True),
        ("influence",),
    ),
    "finetuning_with_resets": Recipe(
        lambda c, *args: _finetuning(c, *args, interval=c.influence.interval, resets=True),
        ("influence",),
    ),
    "adversarial": Recipe(
        lambda c, classifier, train, seed: adversarial(
            classifier, c.label, c.adversarial, train, seed
        ),
        ("adversarial", "access"),
    ),
    "influence_tuning": Recipe(
        lambda c, classifier, train, seed: influence_tuning(
            classifier, c.label, c.influence, len(train), seed
        ),
        ("influence", "access"),
    ),
    "embedding_tuning": Recipe(
        lambda c, classifier, train, seed: embedding_tuning(
            classifier, c.label, c.embedding, len(train), seed
        ),
        ("embedding", "access"),
    ),
    "balanced_sampling": Recipe(
        lambda c, classifier, train, seed: balanced_sampling(classifier, c.label, len(train), seed),
        ("access",),
    ),
    "subsampling": Recipe(
        lambda c, classifier, train, seed: subsampling(classifier, c.label, len(train), seed),
        ("access",),
    ),
    "group_dro": Recipe(
        lambda c, classifier, train, seed: group_dro(classifier, c.label, c.group_dro, train, seed),
        ("group_dro", "access"),
    ),
    "last_layer_retraining": Recipe(
        lambda c, classifier, train, seed: last_layer_retraining(
            classifier, c.label, c.last_layer, train, seed
        ),
        ("last_layer", "access"),
    ),
    "product_of_experts": Recipe(
        lambda c, classifier, train, seed: product_of_experts(
            classifier, c.label, c.experts, train, seed
        ),
        ("experts", "access"),
    ),
    "no_spurious": Recipe(_finetuning, uses_control=True),
}
"""Every method by name; ``no_spurious`` is the upper bound: finetuning without the confound."""

SECTIONS = (
    "access",
    "influence",
    "embedding",
    "adversarial",
    "group_dro",
    "last_layer",
    "experts",
)
"""Parts of a configuration that only some methods depend on."""


def require_method(name: str) -> None:
    """Checks that there is a method of this name.

    Raises:
      UserError: there is none.
    """
    if name not in METHODS:
        raise UserError(f"method is {name!r}; use one of {', '.join(METHODS)}")
