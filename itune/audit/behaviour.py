"""What a classifier does on labelled data: accuracy by cell, and calibration (NumPy)."""

from typing import NamedTuple

import numpy as np

from itune.analysis.accuracy import Accuracy, accuracy
from itune.data.cells import Cell, cells_of
from itune.data.dataset import Dataset

BINS = 15


class Behaviour(NamedTuple):
    """Accuracy and calibration on one data set.

    Attributes:
      accuracy: overall, by cell, and the worst cell.
      calibration_error: expected calibration error of the predicted class, over 15 bins of equal
        width: the mean over examples of ``|accuracy - confidence|`` of their bin.
      brier: mean over examples of the squared distance of the probabilities from the truth, 0 to 2.
      entropy: mean cross entropy, in nats.
      size: examples.
      sizes: examples of each cell.
    """

    accuracy: Accuracy
    calibration_error: float
    brier: float
    entropy: float
    size: int
    sizes: dict[Cell, int]


def behaviour(logits: np.ndarray, dataset: Dataset) -> Behaviour:
    """Sums up predictions.

    Args:
      logits: ``(N, classes)``.
      dataset: the N examples.
    """
    scores = logits.astype(np.float64)
    scores -= scores.max(axis=1, keepdims=True)
    log_probs = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
    probs, rows = np.exp(log_probs), np.arange(len(dataset))
    truth = np.zeros_like(probs)
    truth[rows, dataset.label] = 1
    return Behaviour(
        accuracy=accuracy(logits, dataset),
        calibration_error=_calibration_error(probs, dataset.label),
        brier=float(np.mean(np.sum((probs - truth) ** 2, axis=1))),
        entropy=float(-np.mean(log_probs[rows, dataset.label])),
        size=len(dataset),
        sizes={cell: len(rows) for cell, rows in cells_of(dataset.label, dataset.confound).items()},
    )


def _calibration_error(probs: np.ndarray, label: np.ndarray) -> float:
    confidence = probs.max(axis=1)
    is_right = probs.argmax(axis=1) == label
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    gaps = np.bincount(bins, is_right - confidence, minlength=BINS)
    return float(np.abs(gaps).sum() / len(label))
