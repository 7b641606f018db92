"""Collapsed runs: training accuracy at chance, as it happens after too strong an influence step."""

from collections.abc import Callable, Sequence

import numpy as np

START, SHARE, ERRORS = 0.2, 0.25, 3.0


def make_collapse_test(
    label: np.ndarray, *, batch: int, epoch_steps: int, total_steps: int
) -> Callable[[Sequence[float]], bool]:
    """Builds ``has_collapsed(accuracies)``, of the training accuracies of all label updates so far.

    True once their mean over a window is at chance: less than three standard errors above the share
    of the largest class. The window is an epoch or a quarter of all label steps, whichever is
    longer, and does not reach into the first fifth of them, when a sound run may not have learnt
    anything yet. So a run is stopped before its middle at the earliest, and one that recovers
    from a round within a quarter of its steps goes on.

    Args:
      label: of the training examples.
      batch: examples of an update.
      epoch_steps: label updates of an epoch.
      total_steps: of the run.
    """
    window = max(epoch_steps, round(SHARE * total_steps))
    start = round(START * total_steps)
    limit = chance_limit(label, window * batch)

    def has_collapsed(accuracies: Sequence[float]) -> bool:
        if len(accuracies) < start + window:
            return False
        return float(np.mean(accuracies[-window:])) < limit

    return has_collapsed


def chance_limit(label: np.ndarray, count: int) -> float:
    """Accuracy below which ``count`` answers are no better than always the largest class."""
    chance = np.bincount(label).max() / len(label)
    return float(chance + ERRORS * np.sqrt(chance * (1 - chance) / count))
