"""Intervals of proportions, of one sample and of groups put together (NumPy)."""

import math

import numpy as np
from numpy.typing import ArrayLike

Z = 1.959963984540054
"""Quantile of the standard normal distribution for a two-sided 95 % interval."""


def wilson(successes: float, size: int) -> tuple[float, float]:
    """Compute the 95 % interval of Wilson's score for a proportion; NaN where there is no trial.

    ``(p + z²/2n ± z sqrt(p (1 - p) / n + z²/4n²)) / (1 + z²/n)``, cut to 0 and 1.
    Source: Wilson (1927), Probable inference, the law of succession, and statistical inference.

    >>> [round(end, 4) for end in wilson(5, 10)]
    [0.2366, 0.7634]
    """
    if not size:
        return math.nan, math.nan
    share = float(successes) / size
    half = Z * math.sqrt(share * (1 - share) / size + Z**2 / (4 * size**2))
    center, scale = share + Z**2 / (2 * size), 1 + Z**2 / size
    return max((center - half) / scale, 0.0), min((center + half) / scale, 1.0)


def stratified(shares: ArrayLike, intervals: ArrayLike, weights: ArrayLike) -> tuple[float, float]:
    """Compute the interval of a weighted mean of C proportions, out of theirs, ``(C, 2)``.

    ``p - sqrt(sum_c w_c² (p_c - low_c)²)`` and ``p + sqrt(sum_c w_c² (high_c - p_c)²)``, the method
    of variance estimates recovery, cut to 0 and 1; weights sum to 1.
    """
    shares, weights, ends = (np.asarray(values) for values in (shares, weights, intervals))
    mean = float(weights @ shares)
    down, up = (np.linalg.norm(weights * (shares - end)) for end in ends.T)
    return max(mean - float(down), 0.0), min(mean + float(up), 1.0)
