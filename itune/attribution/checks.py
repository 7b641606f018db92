"""What callers can get wrong, each a ``ValueError`` of one line: name, value, remedy."""

from typing import Any

import jax
import numpy as np


def require_positive(**settings: float) -> None:
    """Refuses a setting that is not above 0, NaN included."""
    for name, value in settings.items():
        if not value > 0:
            raise ValueError(f"{name} is {value}; it must be positive")


def require_examples(examples: Any, name: str) -> int:
    """The number of examples: the leading axis that all leaves share, and of at least 1."""
    shapes = [np.shape(leaf) for leaf in jax.tree.leaves(examples)]
    lengths = {shape[:1] for shape in shapes}
    if len(lengths) != 1 or () in lengths:
        raise ValueError(
            f"{name} has leaves of shapes {shapes}; give all of them the same leading axis, one "
            "row for each example"
        )
    (count,) = lengths.pop()
    if count == 0:
        raise ValueError(f"{name} holds no example; give at least one")
    return count


def require_finite(scores: np.ndarray) -> np.ndarray:
    """The scores ``(P, N)`` themselves, all of them finite."""
    bad = ~np.isfinite(scores)
    if bad.any():
        probe, train = np.argwhere(bad)[0]
        raise ValueError(
            f"the score of training example {train} on probe {probe} is {scores[probe, train]} "
            f"({bad.sum()} of {bad.size} scores are not finite); look for NaN, infinity or huge "
            "numbers in the parameters and in these two"
        )
    return scores


def require_finite_rows(is_finite: np.ndarray, what: str, start: int = 0) -> None:
    """Refuses rows ``(n,)`` that are not all finite; the first is numbered ``start``."""
    if not np.all(is_finite):
        raise ValueError(
            f"the {what} {start + int(np.argmin(is_finite))} is not finite; look for NaN, infinity "
            "or huge numbers in the parameters and in that example"
        )
