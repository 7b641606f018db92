"""Finetuning: label steps and nothing else."""

from typing import Any, NamedTuple

import numpy as np

from itune.data.dataset import Dataset
from itune.methods.label import (
    LabelConfig,
    label_optimizer,
    label_plan,
    label_steps,
    label_work,
)
from itune.methods.method import Classifier, Method, Phase, Work, init_phase


class FinetuningState(NamedTuple):
    """Parameters and the label phase."""

    params: Any
    label: Phase


def finetuning(classifier: Classifier, label: LabelConfig, train_size: int, seed: int) -> Method:
    """Minimises the label loss; measures influence differences after every epoch.

    Args:
      classifier: losses of the model.
      label: the label phase.
      train_size: training examples, for the learning rate's schedule.
      seed: of batches and dropout.
    """
    tx = label_optimizer(label, train_size)

    def init(params):
        return FinetuningState(params, init_phase(tx, params))

    def plan(train: Dataset) -> list[Work]:
        order, dropout = np.random.default_rng([seed, 0]), np.random.default_rng([seed, 1])
        work, step = [], 0
        for epoch, batches in enumerate(label_plan(train, label, order), 1):
            for batch in batches:
                work += label_work(train, label, batch, step, dropout)
                step += 1
            work += [Work(kind, step, note=f"epoch {epoch}") for kind in ("cid", "accuracy")]
        return work

    return Method(init, label_steps(classifier, tx), plan)
