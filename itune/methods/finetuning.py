"""Finetuning: label steps and nothing else, with two controls for influence tuning.

Influence tuning, as released, also switches dropout off and forgets the optimizer's moments on the
way. The controls do that alone, with no influence step between, so that either can be told from the
effect of the influence loss.
"""

from typing import Any, NamedTuple

from itune.data.dataset import Dataset
from itune.methods.base import Classifier, Method, Phase, Work, init_phase
from itune.methods.label_steps import (
    LABEL_SUMS,
    LabelConfig,
    label_epochs,
    label_optimizer,
    label_steps,
)
from itune.optimizers import reset_moments


class FinetuningState(NamedTuple):
    """Parameters and the label phase."""

    params: Any
    label: Phase


def finetuning(
    classifier: Classifier,
    label: LabelConfig,
    train_size: int,
    seed: int,
    *,
    interval: int | None = None,
    drops_dropout: bool = False,
    resets: bool = False,
) -> Method:
    """Minimises the label loss; measures influence differences after every epoch.

    Args:
      classifier: the model.
      label: the label phase.
      train_size: training examples, for the learning rate's schedule.
      seed: of batches and dropout.
      interval: label steps between the moments where influence tuning would have a round; for the
        two controls.
      drops_dropout: has no dropout from the first of these moments on.
      resets: zeroes the optimizer's moments at each of them.
    """
    tx = label_optimizer(label, train_size)

    def init(params):
        return FinetuningState(params, init_phase(tx, params, *LABEL_SUMS))

    def reset(state, batch):
        del batch
        phase = state.label._replace(optimizer=reset_moments(state.label.optimizer))
        return state._replace(label=phase), {}

    def plan(train: Dataset) -> list[Work]:
        return label_epochs(
            train, label, seed, interval=interval, drops_dropout=drops_dropout, resets=resets
        )

    return Method(init, {**label_steps(classifier, tx), "reset": reset}, plan)
