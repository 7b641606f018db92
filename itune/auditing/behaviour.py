"""What a classifier does on labelled data: accuracy by group, and calibration (NumPy)."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from scipy.special import log_softmax

from itune.data.dataset import Dataset
from itune.groups import HIDDEN, Group, groups_of
from itune.metrics.accuracy import Accuracy
from itune.metrics.proportions import stratified, wilson

BINS = 15


class Behaviour(NamedTuple):
    """Accuracy and calibration on one data set.

    Where the examples were drawn group by group, all means weigh each group as in the whole.

    Attributes:
      accuracy: overall, by group, and the worst group, annotated ones first.
      calibration_error: expected calibration error of the predicted class, over 15 bins of equal
        width: the mean over examples of ``|accuracy - confidence|`` of their bin.
      brier: mean over examples of the squared distance of the probabilities from the truth, 0 to 2.
      entropy: mean cross entropy, in nats.
      size: examples that were predicted.
      total: examples that they stand for.
      interval: of the overall accuracy, 95 %, put together from those of the groups.
      intervals: of the accuracy of each group, 95 % (Wilson).
      sizes: examples of each group that were predicted.
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


def behaviour(
    logits: np.ndarray, dataset: Dataset, totals: Mapping[Group, int] | None = None
) -> Behaviour:
    """Sums up predictions.

    Args:
      logits: ``(N, classes)``.
      dataset: the N examples.
      totals: for each group the number of examples that those of ``dataset`` stand for; its own if
        None.
    """
    log_probs = log_softmax(logits.astype(np.float64), axis=1)
    rows = np.arange(len(dataset))
    probs = np.exp(log_probs)
    truth = np.zeros_like(probs)
    truth[rows, dataset.label] = 1
    is_right = logits.argmax(axis=1) == dataset.label
    groups = groups_of(dataset.label, dataset.confound)
    totals = totals or {group: len(indices) for group, indices in groups.items()}
    total = sum(totals[group] for group in groups)
    weights = np.empty(len(dataset))
    for group, indices in groups.items():
        weights[indices] = totals[group] / total / len(indices)
    shares = {group: float(is_right[indices].mean()) for group, indices in groups.items()}
    intervals = {group: wilson(is_right[rows].sum(), len(rows)) for group, rows in groups.items()}
    return Behaviour(
        accuracy=Accuracy(float(weights[is_right].sum() / weights.sum()), shares, _worst(shares)),
        calibration_error=_calibration_error(probs, is_right, weights),
        brier=float(weights @ np.sum((probs - truth) ** 2, axis=1)),
        entropy=float(-weights @ log_probs[rows, dataset.label]),
        size=len(dataset),
        total=total,
        interval=stratified(
            list(shares.values()),
            list(intervals.values()),
            [totals[group] / total for group in groups],
        ),
        intervals=intervals,
        sizes={group: len(indices) for group, indices in groups.items()},
    )


def _worst(shares: dict[Group, float]) -> Group:
    return min(shares, key=lambda group: (group.confound == HIDDEN, shares[group]))


def _calibration_error(probs: np.ndarray, is_right: np.ndarray, weights: np.ndarray) -> float:
    confidence = probs.max(axis=1)
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    gaps = np.bincount(bins, weights * (is_right - confidence), minlength=BINS)
    return float(np.abs(gaps).sum())
