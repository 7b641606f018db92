"""Predictions, and accuracies overall and by group."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import numpy as np

from itune.data.dataset import Dataset, chunks_by_length, collate_shared
from itune.groups import HIDDEN, Group, groups_of
from itune.influence.types import Params
from itune.utils.compiling import jit
from itune.utils.devices import lay_out, on_all


class Accuracy(NamedTuple):
    """Accuracies of one data set, as fractions from 0 to 1.

    Attributes:
      overall: Accuracy over all examples.
      by_group: Accuracy of each group that has examples; those whose confound is not annotated are
        in none.
      worst: Group of the lowest accuracy, the first of equals; None where there is no group.
    """

    overall: float
    by_group: dict[Group, float]
    worst: Group | None

    def to_dict(self) -> dict[str, Any]:
        """Return a dict for JSON, with groups by name such as ``"y=0 c=1"``."""
        return {
            "accuracy": self.overall,
            "groups": {str(group): value for group, value in self.by_group.items()},
            "worst_group": None if self.worst is None else str(self.worst),
            "worst_group_accuracy": None if self.worst is None else self.by_group[self.worst],
        }


def make_logits(
    logits_fn: Callable[[Params, dict[str, jax.Array]], jax.Array], *, chunk: int = 32
) -> Callable[[Params, Dataset], np.ndarray]:
    """Build a function that computes the logits of a data set.

    Args:
      logits_fn: ``logits_fn(params, examples) -> (n, classes)``, pure; it is compiled here.
      chunk: Number of examples computed at once on each device, of similar length.

    Returns:
      ``fun(params, dataset) -> (N, classes)``, a NumPy array in the data's order and the dtype of
      ``logits_fn``.
    """
    compiled = jit(logits_fn)

    def fun(params: Params, dataset: Dataset) -> np.ndarray:
        params, rows = lay_out(params), {}
        for indices, is_real in chunks_by_length(dataset, np.arange(len(dataset)), on_all(chunk)):
            logits = np.asarray(compiled(params, collate_shared(dataset, indices)))
            rows |= zip(indices[is_real].tolist(), logits[is_real], strict=True)
        return np.stack([rows[index] for index in range(len(dataset))])

    return fun


def accuracy(logits: np.ndarray, dataset: Dataset) -> Accuracy:
    """Compute accuracies of the most likely class.

    Args:
      logits: Logits ``(N, classes)``, in the data's order.
      dataset: The N examples.

    Returns:
      Accuracies overall, by group and of the worst group.
    """
    is_right = logits.argmax(axis=-1) == dataset.label
    by_group = {
        group: float(is_right[indices].mean())
        for group, indices in groups_of(dataset.label, dataset.confound).items()
        if group.confound != HIDDEN
    }
    worst = min(by_group, key=lambda group: by_group[group], default=None)
    return Accuracy(float(is_right.mean()), by_group, worst)
