"""Plans of work: evaluations added or left out, and what a plan reads of the training data."""

from collections.abc import Mapping, Sequence

import numpy as np

from itune.data.dataset import Dataset
from itune.methods.base import ACCURACY, CID, EVALUATIONS, Work

AT_START = "start"
"""Note of the evaluations before the first step."""

AVERAGE = "average"
"""Kind of work that adds the present weights to their mean."""

BETWEEN = "between epochs"
"""Note of the evaluations after every so many label steps."""

RESTART = "restart"
"""Kind of work that goes back to the initial parameters, for methods that train twice."""


def renamed(plan: Sequence[Work], kinds: Mapping[str, str]) -> list[Work]:
    """Return a plan in which some kinds of work are called otherwise."""
    return [work._replace(kind=kinds.get(work.kind, work.kind)) for work in plan]


def last_training(plan: Sequence[Work]) -> list[Work]:
    """Return what a plan does after its last restart; all of it if there is none."""
    last = max((place for place, work in enumerate(plan) if work.kind == RESTART), default=-1)
    return list(plan[last + 1 :])


def last_evaluation_only(plan: Sequence[Work], kind: str) -> list[Work]:
    """Return a plan without its evaluations of one kind, but for the last of them."""
    last = max((place for place, work in enumerate(plan) if work.kind == kind), default=None)
    return [work for place, work in enumerate(plan) if work.kind != kind or place == last]


def evaluated_at_start(plan: Sequence[Work]) -> list[Work]:
    """Return a plan with every evaluation before its first step as well."""
    return [*(Work(kind, 0, note=AT_START) for kind in EVALUATIONS), *plan]


def evaluated_after_rounds(plan: Sequence[Work]) -> list[Work]:
    """Return a plan with accuracies after every round as well."""
    work = []
    for piece in plan:
        work.append(piece)
        if piece.kind == CID and piece.note.startswith("after round"):
            work.append(piece._replace(kind=ACCURACY))
    return work


def evaluated_every(plan: Sequence[Work], interval: int) -> list[Work]:
    """Return a plan with accuracies after every ``interval`` label steps as well.

    There is one only where a plan has it in any case; what belongs to a step comes before it. Of
    two trainings the last is evaluated, whose models alone may be selected.
    """
    last = last_training(plan)
    work, done = list(plan[: len(plan) - len(last)]), 0
    for place, piece in enumerate(last):
        work.append(piece)
        done += piece.kind == "label_update"
        is_step = piece.kind in ("label_update", AVERAGE)
        if is_step and done % interval == 0 and not _is_evaluated(last[place + 1 :]):
            work.append(Work(ACCURACY, piece.step + 1, note=BETWEEN))
    return work


def _is_evaluated(rest: Sequence[Work]) -> bool:
    """Return whether an evaluation of accuracy comes before anything that changes the model."""
    after = next((piece.kind for piece in rest if piece.kind != CID), None)
    return after in (ACCURACY, AVERAGE)  # after the average is added, it is asked again


def looked_into(plan: Sequence[Work]) -> list[Work]:
    """Return a plan with diagnostics after every evaluation of CID."""
    work = []
    for piece in plan:
        work += [piece, piece._replace(kind="diagnostics")] if piece.kind == CID else [piece]
    return work


def confounds_read(plan: Sequence[Work], train: Dataset) -> int:
    """Return how many different training examples' confounds a plan makes use of.

    A twin tells the confound of the example that it is made of.
    """
    read = [np.ravel(w.examples) for w in plan if w.reads_confound and w.examples is not None]
    if not read:
        return 0
    rows = np.concatenate(read)
    if train.twin_of is not None:
        rows = np.where(train.twin_of[rows] >= 0, train.twin_of[rows], rows)
    return len(np.intersect1d(rows, train.visible))


def labels_in_steps(plan: Sequence[Work], train: Dataset) -> np.ndarray:
    """Return the labels of the examples of all label steps, each as often as it is used."""
    kinds = ("label", "label_without_dropout")
    used = [
        work.examples[np.asarray(work.arrays["is_real"])]
        for work in plan
        if work.kind in kinds and work.examples is not None
    ]
    return train.label[np.concatenate(used)]
