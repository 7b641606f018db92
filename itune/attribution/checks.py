"""Checks of what callers can get wrong, each a ``ValueError`` of one line: name, value, remedy."""

import jax
import numpy as np
from numpy.typing import ArrayLike

from itune.influence.types import Examples


def require_positive(**settings: float) -> None:
    """Check that settings are above 0; NaN is not."""
    for name, value in settings.items():
        if not value > 0:
            raise ValueError(f"{name} must be positive, got {value}")


def require_examples(examples: Examples, name: str) -> int:
    """Return the number of examples: the leading axis that all leaves share, of at least 1."""
    shapes = [np.shape(leaf) for leaf in jax.tree.leaves(examples)]
    lengths = {shape[:1] for shape in shapes}
    if len(lengths) != 1 or () in lengths:
        raise ValueError(
            f"{name} must have leaves with one leading axis in common, a row for each example, got "
            f"shapes {shapes}"
        )
    (count,) = lengths.pop()
    if count == 0:
        raise ValueError(f"{name} must have at least one example, got none")
    return count


def require_finite(scores: np.ndarray) -> np.ndarray:
    """Return the scores ``(P, N)``, once all of them are finite."""
    bad = ~np.isfinite(scores)
    if bad.any():
        probe, train = np.argwhere(bad)[0]
        raise ValueError(
            f"the score of training example {train} on probe {probe} is {scores[probe, train]} "
            f"({bad.sum()} of {bad.size} scores are not finite); look for NaN, infinity or huge "
            "numbers in the parameters and in these two"
        )
    return scores


def require_finite_rows(is_finite: ArrayLike, what: str, start: int = 0) -> None:
    """Check rows of which ``is_finite``, ``(n,)``, is given; the first is numbered ``start``."""
    if not np.all(is_finite):
        raise ValueError(
            f"the {what} {start + int(np.argmin(is_finite))} is not finite; look for NaN, infinity "
            "or huge numbers in the parameters and in that example"
        )
