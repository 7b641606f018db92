"""Collapsed runs: training accuracy at chance, as it happens after too strong an influence step."""

import math
from collections.abc import Callable, Sequence

import numpy as np

START, SHARE, ANSWERS = 0.2, 0.25, 1000
ERRORS, MARGIN = 3.0, 0.05


def make_collapse_test(
    label: np.ndarray, *, batch: int, epoch_steps: int, total_steps: int
) -> Callable[[Sequence[float]], bool]:
    """Builds ``has_collapsed(accuracies)``, of the training accuracies of all label updates so far.

    True once their mean over a window is at chance (:func:`chance_limit`). The window is an epoch
    or a quarter of all label steps, whichever is longer, has 1000 answers at least, and does not
    reach into the first fifth of the steps, when a sound run may not have learnt anything yet. So a
    run is stopped before its middle at the earliest, one that recovers from a round within a
    quarter of its steps goes on, and so does one too short to tell.

    Args:
      label: of the examples that are answered, as often as they are.
      batch: examples of an update.
      epoch_steps: label updates of an epoch.
      total_steps: of the run.
    """
    window = max(epoch_steps, round(SHARE * total_steps), math.ceil(ANSWERS / batch))
    start = round(START * total_steps)
    limit = chance_limit(label, window * batch)

    def has_collapsed(accuracies: Sequence[float]) -> bool:
        if len(accuracies) < start + window:
            return False
        return float(np.mean(accuracies[-window:])) < limit

    return has_collapsed


def chance_limit(label: np.ndarray, count: int) -> float:
    """Accuracy below which ``count`` answers are no better than always the largest class.

    The share of that class and three standard errors, 0.05 at most.
    """
    chance = np.bincount(label).max() / len(label)
    return float(chance + min(ERRORS * np.sqrt(chance * (1 - chance) / count), MARGIN))
