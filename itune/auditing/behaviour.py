"""Accuracy by group and calibration of a classifier on labelled data (NumPy)."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.special import log_softmax

from itune.data.dataset import Dataset
from itune.groups import HIDDEN, Group, groups_of
from itune.metrics.accuracy import Accuracy
from itune.metrics.proportions import stratified, wilson

BINS = 15


@dataclass(frozen=True)
class Behaviour:
    """Accuracy and calibration on one data set.

    If only some examples of each group were predicted, every mean weighs each group by its share of
    the whole data set.

    Attributes:
      accuracy: Accuracy overall, of each group, and the worst group. Groups that are not annotated
        are the worst only if no group is annotated.
      calibration_error: Expected calibration error of the predicted class, 0 to 1, over 15 bins of
        equal width: the mean over examples of ``|accuracy - confidence|`` of their bin.
      brier: Brier score, 0 to 2: the mean over examples of the squared distance between the
        probabilities and the one-hot label.
      entropy: Mean cross entropy, in nats.
      size: Number of examples that were predicted.
      total: Number of examples that the predicted examples stand for.
      interval: 95 % interval of the overall accuracy, combined from the intervals of the groups.
      intervals: 95 % interval of the accuracy of each group (Wilson).
      sizes: Number of predicted examples of each group.
    """

    accuracy: Accuracy
    calibration_error: float
    brier: float
    entropy: float
    size: int
    total: int
    interval: tuple[float, float]
    intervals: dict[Group, tuple[float, float]]
    sizes: dict[Group, int]


def measure_behaviour(
    logits: np.ndarray, dataset: Dataset, totals: Mapping[Group, int] | None = None
) -> Behaviour:
    """Compute accuracy and calibration from the logits of a data set, ``(N, classes)``.

    ``totals`` is the number of examples that those of each group stand for; None if the data set is
    the whole.
    """
    log_probs = log_softmax(logits.astype(np.float64), axis=1)
    rows = np.arange(len(dataset))
    probs = np.exp(log_probs)
    truth = np.eye(probs.shape[1])[dataset.label]
    is_right = logits.argmax(axis=1) == dataset.label
    groups = groups_of(dataset.label, dataset.confound)
    totals = totals or {group: len(indices) for group, indices in groups.items()}
    total = sum(totals[group] for group in groups)
    weights = np.empty(len(dataset))
    for group, indices in groups.items():
        weights[indices] = totals[group] / total / len(indices)
    accuracies = {group: float(is_right[indices].mean()) for group, indices in groups.items()}
    intervals = {group: wilson(is_right[rows].sum(), len(rows)) for group, rows in groups.items()}
    return Behaviour(
        accuracy=Accuracy(
            float(weights[is_right].sum() / weights.sum()), accuracies, _worst(accuracies)
        ),
        calibration_error=_calibration_error(probs, is_right, weights),
        brier=float(weights @ np.sum((probs - truth) ** 2, axis=1)),
        entropy=float(-weights @ log_probs[rows, dataset.label]),
        size=len(dataset),
        total=total,
        interval=stratified(
            list(accuracies.values()),
            list(intervals.values()),
            [totals[group] / total for group in groups],
        ),
        intervals=intervals,
        sizes={group: len(indices) for group, indices in groups.items()},
    )


def _worst(accuracies: dict[Group, float]) -> Group:
    return min(accuracies, key=lambda group: (group.confound == HIDDEN, accuracies[group]))


def _calibration_error(probs: np.ndarray, is_right: np.ndarray, weights: np.ndarray) -> float:
    confidence = probs.max(axis=1)
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    gaps = np.bincount(bins, weights * (is_right - confidence), minlength=BINS)
    return float(np.abs(gaps).sum())
