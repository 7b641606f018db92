"""What a classifier does on labelled data: accuracy by cell, and calibration (NumPy)."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from scipy.special import log_softmax

from itune.analysis.accuracy import Accuracy
from itune.audit.proportions import stratified, wilson
from itune.data.cells import HIDDEN, Cell, cells_of
from itune.data.dataset import Dataset

BINS = 15


class Behaviour(NamedTuple):
    """Accuracy and calibration on one data set.

    Where the examples were drawn cell by cell, all means weigh each cell as in the whole.

    Attributes:
      accuracy: overall, by cell, and the worst cell, annotated ones first.
      calibration_error: expected calibration error of the predicted class, over 15 bins of equal
        width: the mean over examples of ``|accuracy - confidence|`` of their bin.
      brier: mean over examples of the squared distance of the probabilities from the truth, 0 to 2.
      entropy: mean cross entropy, in nats.
      size: examples that were predicted.
      total: examples that they stand for.
      interval: of the overall accuracy, 95 %, put together from those of the cells.
      intervals: of the accuracy of each cell, 95 % (Wilson).
      sizes: examples of each cell that were predicted.
    """

    accuracy: Accuracy
    calibration_error: float
    brier: float
    entropy: float
    size: int
    total: int
    interval: tuple[float, float]
    intervals: dict[Cell, tuple[float, float]]
    sizes: dict[Cell, int]


def behaviour(
    logits: np.ndarray, dataset: Dataset, totals: Mapping[Cell, int] | None = None
) -> Behaviour:
    """Sums up predictions.

    Args:
      logits: ``(N, classes)``.
      dataset: the N examples.
      totals: for each cell the number of examples that those of ``dataset`` stand for; its own if
        None.
    """
    log_probs = log_softmax(logits.astype(np.float64), axis=1)
    rows = np.arange(len(dataset))
    probs = np.exp(log_probs)
    truth = np.zeros_like(probs)
    truth[rows, dataset.label] = 1
    is_right = logits.argmax(axis=1) == dataset.label
    cells = cells_of(dataset.label, dataset.confound)
    totals = totals or {cell: len(indices) for cell, indices in cells.items()}
    total = sum(totals[cell] for cell in cells)
    weights = np.empty(len(dataset))
    for cell, indices in cells.items():
        weights[indices] = totals[cell] / total / len(indices)
    shares = {cell: float(is_right[indices].mean()) for cell, indices in cells.items()}
    intervals = {cell: wilson(is_right[rows].sum(), len(rows)) for cell, rows in cells.items()}
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
            [totals[cell] / total for cell in cells],
        ),
        intervals=intervals,
        sizes={cell: len(indices) for cell, indices in cells.items()},
    )


def _worst(shares: dict[Cell, float]) -> Cell:
    return min(shares, key=lambda cell: (cell.confound == HIDDEN, shares[cell]))


def _calibration_error(probs: np.ndarray, is_right: np.ndarray, weights: np.ndarray) -> float:
    confidence = probs.max(axis=1)
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    gaps = np.bincount(bins, weights * (is_right - confidence), minlength=BINS)
    return float(np.abs(gaps).sum())
