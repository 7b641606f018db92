"""Predictions, and accuracies overall and by cell."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import numpy as np

from itune.compiling import jit
from itune.data.cells import HIDDEN, Cell, cells_of
from itune.data.dataset import Dataset, chunks_by_length, collate


class Accuracy(NamedTuple):
    """Accuracies of one data set, as fractions.

    Attributes:
      overall: over all examples.
      by_cell: over each cell that has any; examples whose confound is not annotated are in none.
      worst: the cell of the lowest accuracy; None where there is no cell.
    """

    overall: float
    by_cell: dict[Cell, float]
    worst: Cell | None

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready, cells by name."""
        return {
            "accuracy": self.overall,
            "cells": {str(cell): value for cell, value in self.by_cell.items()},
            "worst_cell": None if self.worst is None else str(self.worst),
            "worst_cell_accuracy": self.by_cell.get(self.worst),
        }


def make_logits(
    logits_fn: Callable[[Any, dict[str, jax.Array]], jax.Array], *, chunk: int = 32
) -> Callable[[Any, Dataset], np.ndarray]:
    """Builds ``fun(params, dataset) -> (N, classes)`` float32 logits, in the data's order.

    Args:
      logits_fn: ``(params, examples) -> (n, classes)``, pure.
      chunk: examples computed at once.
    """
    compiled = jit(logits_fn)

    def fun(params, dataset):
        rows = [None] * len(dataset)
        for indices, is_real in chunks_by_length(dataset, np.arange(len(dataset)), chunk):
            logits = np.asarray(compiled(params, collate(dataset, indices)))
            for index, row in zip(indices[is_real], logits[is_real], strict=True):
                rows[index] = row
        return np.stack(rows)

    return fun


def accuracy(logits: np.ndarray, dataset: Dataset) -> Accuracy:
    """Accuracies of the most likely class.

    Args:
      logits: ``(N, classes)``.
      dataset: the N examples.
    """
    is_right = logits.argmax(axis=-1) == dataset.label
    by_cell = {
        cell: float(is_right[indices].mean())
        for cell, indices in cells_of(dataset.label, dataset.confound).items()
        if cell.confound != HIDDEN
    }
    worst = min(by_cell, key=by_cell.get, default=None)
    return Accuracy(float(is_right.mean()), by_cell, worst)
