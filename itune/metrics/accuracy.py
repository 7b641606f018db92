"""Predictions, and accuracies overall and by group."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import numpy as np

from itune.data.dataset import Dataset, chunks_by_length, collate
from itune.groups import HIDDEN, Group, groups_of
from itune.utils.compiling import jit


class Accuracy(NamedTuple):
    """Accuracies of one data set, as fractions.

    Attributes:
      overall: over all examples.
      by_group: over each group that has any; examples whose confound is not annotated are in none.
      worst: the group of the lowest accuracy; None where there is no group.
    """

    overall: float
    by_group: dict[Group, float]
    worst: Group | None

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready, groups by name."""
        return {
            "accuracy": self.overall,
            "groups": {str(group): value for group, value in self.by_group.items()},
            "worst_group": None if self.worst is None else str(self.worst),
            "worst_group_accuracy": self.by_group.get(self.worst),
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
    by_group = {
        group: float(is_right[indices].mean())
        for group, indices in groups_of(dataset.label, dataset.confound).items()
        if group.confound != HIDDEN
    }
    worst = min(by_group, key=by_group.get, default=None)
    return Accuracy(float(is_right.mean()), by_group, worst)
