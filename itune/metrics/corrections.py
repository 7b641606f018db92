"""Several tests at once: p values corrected for their number, and how many seeds a test needs."""

import math
from collections.abc import Sequence

LEVEL = 0.05
"""Level of significance."""


def holm(values: Sequence[float]) -> list[float]:
    """Correct p values by Holm's method: the chance of any false alarm is at most the level.

    In ascending order the i-th of m is multiplied by ``m - i + 1``, and is no less than the one
    before, nor more than 1. NaN counts as 1. Source: Holm (1979), A simple sequentially rejective
    multiple test procedure.

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    known = [1.0 if math.isnan(value) else value for value in values]
    order = sorted(range(len(known)), key=known.__getitem__)
    corrected, least = [1.0] * len(known), 0.0
    for place, index in enumerate(order):
        least = max(least, min((len(known) - place) * known[index], 1.0))
        corrected[index] = least
    return corrected


def least_permutation_p(seeds: int) -> float:
    """Return the smallest p of a two-sided permutation test of two samples of this size.

    >>> [round(least_permutation_p(n), 4) for n in (2, 3, 4, 5)]
    [0.3333, 0.1, 0.0286, 0.0079]
    """
    return 2 / math.comb(2 * seeds, seeds)


def seeds_needed(tests: int, level: float = LEVEL) -> int:
    """Return the fewest seeds with which one of several tests, corrected, can be significant.

    >>> [seeds_needed(tests) for tests in (1, 2, 8)]
    [4, 5, 6]
    """
    return next(n for n in range(2, 99) if tests * least_permutation_p(n) < level)
