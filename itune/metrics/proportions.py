"""Intervals of proportions, of one sample and of groups put together (NumPy)."""

import math
from collections.abc import Sequence

import numpy as np

Z = 1.959963984540054
"""Of a two-sided 95 % interval."""


def wilson(successes: float, size: int) -> tuple[float, float]:
    """The 95 % interval of Wilson's score for a proportion; NaN of no trials.

    ``(p + z²/2n ± z sqrt(p (1 - p) / n + z²/4n²)) / (1 + z²/n)``

    >>> [round(end, 4) for end in wilson(5, 10)]
    [0.2366, 0.7634]
    """
    if not size:
        return math.nan, math.nan
    share = float(successes) / size
    half = Z * math.sqrt(share * (1 - share) / size + Z**2 / (4 * size**2))
    center, scale = share + Z**2 / (2 * size), 1 + Z**2 / size
    return max((center - half) / scale, 0.0), min((center + half) / scale, 1.0)


def stratified(
    shares: Sequence[float], intervals: Sequence[tuple[float, float]], weights: Sequence[float]
) -> tuple[float, float]:
    """The interval of a weighted mean of proportions, out of theirs.

    ``p - sqrt(sum_c w_c² (p_c - low_c)²)`` and ``p + sqrt(sum_c w_c² (high_c - p_c)²)``, the method
    of variance estimates recovery: of one stratum, its own interval.

    Args:
      shares: the proportions.
      intervals: of each.
      weights: of each; they sum to 1.
    """
    shares, weights, ends = (np.asarray(values) for values in (shares, weights, intervals))
    mean = float(weights @ shares)
    down, up = (np.linalg.norm(weights * (shares - end)) for end in ends.T)
    return max(mean - float(down), 0.0), min(mean + float(up), 1.0)
