"""Finetuning: label steps and nothing else, with two controls for influence tuning.

Influence tuning, as released, also switches dropout off and resets the optimizer's moments on the
way. Each control does one of these alone, with no influence step between, so that its effect can be
told from that of the influence loss.
"""

from typing import NamedTuple

from itune.data.dataset import Dataset
from itune.methods.base import Batch, Classifier, Info, Method, Params, Phase, Work, init_phase
from itune.methods.label_steps import (
    LABEL_SUMS,
    LabelConfig,
    label_epochs,
    label_optimizer,
    label_steps,
)
from itune.methods.rounds import RoundConfig
from itune.optimizers import reset_moments


class FinetuningState(NamedTuple):
    """State of finetuning.

    Attributes:
      params: Parameters of the model.
      label: Phase of the label steps.
    """

    params: Params
    label: Phase


def finetuning(classifier: Classifier, label: LabelConfig, train: Dataset, seed: int) -> Method:
    """Minimise the label loss.

    Args:
      classifier: The model.
      label: Settings of the label steps.
      train: Training data.
      seed: Seed of batches and dropout; an integer from 0 to 2**32 - 1.

    Raises:
      UserError: A batch is larger than the training data.
    """
    tx = label_optimizer(label, len(train))

    def init(params: Params) -> FinetuningState:
        return FinetuningState(params, init_phase(tx, params, *LABEL_SUMS))

    def plan() -> list[Work]:
        return label_epochs(train, label, seed)

    return Method(init, label_steps(classifier, tx), plan)


def finetuning_without_dropout(
    classifier: Classifier, label: LabelConfig, rounds: RoundConfig, train: Dataset, seed: int
) -> Method:
    """Minimise the label loss, without dropout from where influence tuning has its first round.

    Args:
      classifier: The model.
      label: Settings of the label steps.
      rounds: Settings of the rounds that influence tuning would have; only ``interval`` is used.
      train: Training data.
      seed: Seed of batches and dropout, which are those of :func:`finetuning` with this seed.

    Raises:
      UserError: A batch is larger than the training data.
    """

    def plan() -> list[Work]:
        return label_epochs(train, label, seed, interval=rounds.interval, drops_dropout=True)

    return finetuning(classifier, label, train, seed)._replace(plan=plan)


def finetuning_with_resets(
    classifier: Classifier, label: LabelConfig, rounds: RoundConfig, train: Dataset, seed: int
) -> Method:
    """Minimise the label loss; zero Adam's moments wherever influence tuning has a round.

    Args:
      classifier: The model.
      label: Settings of the label steps.
      rounds: Settings of the rounds that influence tuning would have; only ``interval`` is used.
      train: Training data.
      seed: Seed of batches and dropout, which are those of :func:`finetuning` with this seed.

    Raises:
      UserError: A batch is larger than the training data.
    """

    def reset(state: FinetuningState, batch: Batch) -> tuple[FinetuningState, Info]:
        del batch
        phase = state.label._replace(optimizer=reset_moments(state.label.optimizer))
        return state._replace(label=phase), {}

    def plan() -> list[Work]:
        return label_epochs(train, label, seed, interval=rounds.interval, resets=True)

    base = finetuning(classifier, label, train, seed)
    return Method(base.init, {**base.steps, "reset": reset}, plan)
