"""Finetuning: label steps and nothing else, with two controls for influence tuning.

Influence tuning, as released, also switches dropout off and resets the optimizer's moments; each
control does one of these alone, with no influence step.
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
    """State of finetuning."""

    params: Params
    label: Phase


def finetuning(classifier: Classifier, label: LabelConfig, train: Dataset, seed: int) -> Method:
    """Minimise the label loss."""
    tx = label_optimizer(label, len(train))

    def init(params: Params) -> FinetuningState:
        return FinetuningState(params, init_phase(tx, params, *LABEL_SUMS))

    def plan() -> list[Work]:
        return label_epochs(train, label, seed)

    return Method(init, label_steps(classifier, tx), plan)


def finetuning_without_dropout(
    classifier: Classifier, label: LabelConfig, rounds: RoundConfig, train: Dataset, seed: int
) -> Method:
    """Minimise the label loss, without dropout from where influence tuning has its first round."""

    def plan() -> list[Work]:
        return label_epochs(train, label, seed, rounds=rounds, drops_dropout=True)

    return finetuning(classifier, label, train, seed)._replace(plan=plan)


def finetuning_with_resets(
    classifier: Classifier, label: LabelConfig, rounds: RoundConfig, train: Dataset, seed: int
) -> Method:
    """Minimise the label loss; zero Adam's moments wherever influence tuning has a round.

    They are zeroed whatever ``moments`` is, since this is all that it does.
    """

    def reset(state: FinetuningState, _: Batch) -> tuple[FinetuningState, Info]:
        phase = state.label._replace(optimizer=reset_moments(state.label.optimizer))
        return state._replace(label=phase), {}

    def plan() -> list[Work]:
        return label_epochs(train, label, seed, rounds=rounds, resets=True)

    base = finetuning(classifier, label, train, seed)
    return Method(base.init, {**base.steps, "reset": reset}, plan)
