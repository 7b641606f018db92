"""Counterfactual augmentation: label steps on examples whose confound is deleted or swapped.

Counterfactual data substitution (Maudslay et al. 2019, "It's all in the name: mitigating gender
bias with name-based counterfactual data substitution").
"""

from dataclasses import dataclass

import numpy as np

from itune.data.dataset import Dataset
from itune.data.twins import split_twins
from itune.errors import require
from itune.methods.base import Classifier, Method, Work
from itune.methods.finetuning import finetuning
from itune.methods.label_steps import LabelConfig, label_epochs, label_plan


@dataclass(frozen=True)
class CounterfactualConfig:
    """Counterfactual augmentation; other settings are those of the label steps.

    Attributes:
      share: Probability that an example is replaced by its twin in an epoch; 0 is finetuning, and
        1 trains on twins wherever there is one.
    """

    share: float = 0.5

    def __post_init__(self) -> None:
        require(self, "a number from 0 to 1", lambda v: 0 <= v <= 1, "share")


def counterfactual_augmentation(
    classifier: Classifier,
    label: LabelConfig,
    config: CounterfactualConfig,
    train: Dataset,
    seed: int,
) -> Method:
    """Minimise the label loss of examples and of their counterfactual twins, in turn at random.

    An example's twin has its label and another confound, whose text is deleted or swapped. Batches
    are those of finetuning; in each epoch the twin is drawn in place of its example with the
    probability ``share``, so that there are no more label steps. Examples without a twin, such as
    those whose confound is hidden, stay as they are.

    This differs from the paper in: 1. what is deleted or swapped is the confound, whatever words,
    prefix or regular expression make it; 2. twins are drawn anew in every epoch, where the paper
    draws once for each text; 3. a sentence is not mended where grammar asks for more.
    """
    own, twin = split_twins(train, "counterfactual_augmentation")

    def draw(_: Dataset, label: LabelConfig, order: np.random.Generator) -> list[list[np.ndarray]]:
        rng = np.random.default_rng([seed, 2])

        def drawn(batch: np.ndarray) -> np.ndarray:
            is_replaced = (rng.random(len(batch)) < config.share) & (twin[batch] >= 0)
            return np.where(is_replaced, twin[batch], batch)

        return [list(map(drawn, epoch)) for epoch in label_plan(own, label, order)]

    def plan() -> list[Work]:
        return label_epochs(train, label, seed, draw=draw, reads_confound=True)

    return finetuning(classifier, label, own, seed)._replace(plan=plan)
