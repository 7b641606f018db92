"""Collapsed runs: training accuracy falls to chance, say after too large influence steps."""

import math
from collections.abc import Callable, Sequence

import numpy as np

SOUND_SHARE, WINDOW_SHARE, LEAST_ANSWERS = 0.2, 0.25, 1000
STANDARD_ERRORS, LARGEST_MARGIN = 3.0, 0.05


def make_collapse_test(
    label: np.ndarray, *, batch: int, epoch_steps: int, total_steps: int
) -> Callable[[Sequence[float]], bool]:
    """Build ``has_collapsed(accuracies)``, a test whether a run has collapsed.

    Its argument is the training accuracies of all label updates so far. It is true once their mean
    over a window is at chance (:func:`chance_limit`). The window is an epoch or a quarter of all
    label steps, whichever is longer; it has at least 1000 answers and does not reach into the first
    fifth of the steps. So a run is stopped before its middle at the earliest, one that recovers
    from a round within a quarter of its steps goes on, and one too short to tell is never stopped.
    """
    window = max(epoch_steps, round(WINDOW_SHARE * total_steps), math.ceil(LEAST_ANSWERS / batch))
    start = round(SOUND_SHARE * total_steps)
    limit = chance_limit(label, window * batch)

    def has_collapsed(accuracies: Sequence[float]) -> bool:
        if len(accuracies) < start + window:
            return False
        return float(np.mean(accuracies[-window:])) < limit

    return has_collapsed


def chance_limit(label: np.ndarray, count: int) -> float:
    """Return the accuracy below which answers are no better than always the largest class.

    It is the share of that class plus a margin of three standard errors, at most 0.05.
    """
    chance = np.bincount(label).max() / len(label)
    error = STANDARD_ERRORS * np.sqrt(chance * (1 - chance) / count)
    return float(chance + min(error, LARGEST_MARGIN))
