"""Just train twice: what a first, short training gets wrong weighs more in the second.

JTT (Liu et al. 2021, "Just train twice: improving group robustness without training group
information").
"""

from dataclasses import dataclass

import numpy as np

from itune.data.dataset import Dataset
from itune.errors import require
from itune.methods.base import Batch, Classifier, Info, Method, Params, Work
from itune.methods.label_steps import FORWARD_COST, LabelConfig, label_optimizer, right_answers
from itune.methods.retraining import (
    RetrainingState,
    init_retraining,
    require_epochs,
    retraining_plan,
    retraining_steps,
    row_chunks,
    set_rows,
    weights_of_marked,
)


@dataclass(frozen=True)
class JttConfig:
    """Just train twice; other settings are those of the label steps.

    Attributes:
      epochs: Epochs of the first training, the first ones of finetuning; ``label.epochs`` at most.
        The paper takes 2 of 5 on MultiNLI, and 2 of 3 on CivilComments.
      upweight: Weight of an example that the first training gets wrong, where others have 1. The
        paper chooses 4 for MultiNLI, and 6 for CivilComments.
    """

    epochs: int = 2
    upweight: float = 6.0

    def __post_init__(self) -> None:
        require(self, "a positive integer", lambda v: v >= 1, "epochs")
        require(self, "a positive number", lambda v: v > 0, "upweight")


def just_train_twice(
    classifier: Classifier, label: LabelConfig, config: JttConfig, train: Dataset, seed: int
) -> Method:
    """Finetune for some epochs, mark the examples that are then wrong, and finetune anew.

    The second training starts from the same initial parameters. It minimises the mean label loss in
    which marked examples have the weight ``upweight``, divided by the mean weight. Answers are
    without dropout. Confounds are not made use of: those that are visible are counted among the
    marked examples, and logged.

    This differs from the paper in: 1. marked examples have weights, where the paper repeats them,
    and trains for longer on the larger data; a batch may so hold more or less weight; 2. BertAdam
    in place of AdamW; 3. settings are those given, where the paper chooses by the worst group of
    dev, unless ``selection`` or a search does that.
    """
    require_epochs("jtt", config.epochs, label)
    tx = label_optimizer(label, len(train))

    def init(params: Params) -> RetrainingState:
        return init_retraining(tx, params, train)

    def mark_wrong(state: RetrainingState, batch: Batch) -> tuple[RetrainingState, Info]:
        outputs = classifier.outputs(state.params, batch["examples"], None)
        is_wrong = ~right_answers(outputs, batch)
        return state._replace(marked=set_rows(state.marked, batch, is_wrong)), {}

    def plan() -> list[Work]:
        rows = np.arange(len(train))
        between = row_chunks(train, label, rows, "mark_wrong", FORWARD_COST)
        return retraining_plan(train, label, seed, epochs=config.epochs, between=between)

    steps = retraining_steps(classifier, tx, train, weights_of_marked(config.upweight))
    return Method(init, {**steps, "mark_wrong": mark_wrong}, plan)
