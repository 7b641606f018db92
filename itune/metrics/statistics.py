"""Statistics over seeds: means, spreads, and tests of a difference of means (NumPy, SciPy).

==========================================  =====================================================
values                                      what comes out
==========================================  =====================================================
none                                        every mean is NaN
fewer than two (of one side, for a test)    spread, ``t`` and ``p`` are NaN
all of a side alike, the other side spread  as usual
all of each side alike                      ``t`` and its ``p`` are NaN; permutation as usual
==========================================  =====================================================

Nothing warns, and NaN stands for what cannot be said.
"""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

EXACT_PARTITIONS = 200_000
"""So many partitions are enumerated at most: two samples of ten are."""

DRAWN_PARTITIONS = 99_999
"""So many are drawn where there are more."""


class Summary(NamedTuple):
    """Mean and spread of some values.

    Attributes:
      mean: arithmetic mean.
      sd: standard deviation of the population they are drawn from (``ddof=1``).
      count: how many there are.
    """

    mean: float
    sd: float
    count: int


class TTest(NamedTuple):
    """A t-test of a difference of means, two-sided.

    Attributes:
      t: difference in units of its standard error; above 0 where the first mean is larger.
      p: probability of a ``t`` at least as far from 0 if the means were equal.
      degrees: of freedom.
    """

    t: float
    p: float
    degrees: float


class PermutationTest(NamedTuple):
    """A permutation test of a difference of means, two-sided.

    Attributes:
      difference: first mean minus second.
      p: share of partitions whose difference is at least as far from 0, up to rounding.
      is_exact: every partition was counted; otherwise so many were drawn, and the one seen counts.
    """

    difference: float
    p: float
    is_exact: bool


def summarise(values: Sequence[float]) -> Summary:
    """Mean, sd and count.

    >>> summarise([1.0, 2.0, 3.0])
    Summary(mean=2.0, sd=1.0, count=3)
    >>> summarise([1.0])
    Summary(mean=1.0, sd=nan, count=1)
    """
    mean = float(np.mean(values)) if len(values) else math.nan
    sd = float(np.std(values, ddof=1)) if len(values) > 1 else math.nan
    return Summary(mean, sd, len(values))


def welch_test(first: Sequence[float], second: Sequence[float]) -> TTest:
    """Tests whether two samples, perhaps of unequal variance, have equal means.

    ``t = (mean_1 - mean_2) / sqrt(e_1 + e_2)`` with ``e = sd^2 / count``, and, after Welch and
    Satterthwaite, ``degrees = (e_1 + e_2)^2 / (e_1^2 / (count_1 - 1) + e_2^2 / (count_2 - 1))``.
    """

    def error(a, b):
        parts = [side.sd**2 / side.count for side in (a, b)]
        free = sum(e**2 / (side.count - 1) for e, side in zip(parts, (a, b), strict=True))
        return sum(parts), sum(parts) ** 2 / free

    return _t_test(first, second, error)


def student_test(first: Sequence[float], second: Sequence[float]) -> TTest:
    """The same by Student's test, which takes both variances to be equal, and pools them.

    It is the test of the paper's Table 2.
    """

    def error(a, b):
        degrees = a.count + b.count - 2
        pooled = ((a.count - 1) * a.sd**2 + (b.count - 1) * b.sd**2) / degrees
        return pooled / a.count + pooled / b.count, degrees

    return _t_test(first, second, error)


def _t_test(first, second, error: Callable[[Summary, Summary], tuple[float, float]]) -> TTest:
    """A t-test from the squared standard error of the difference, and its degrees of freedom."""
    a, b = summarise(first), summarise(second)
    is_spread = any(len(set(values)) > 1 for values in (first, second))
    if min(a.count, b.count) < 2 or not is_spread:
        return TTest(math.nan, math.nan, math.nan)
    from scipy.special import stdtr

    squared, degrees = error(a, b)
    t = (a.mean - b.mean) / math.sqrt(squared)
    return TTest(t, float(2 * stdtr(degrees, -abs(t))), float(degrees))


def permutation_test(
    first: Sequence[float], second: Sequence[float], *, seed: int = 0
) -> PermutationTest:
    """Tests whether two samples could have been dealt the other way round.

    Of all partitions of the values into samples of these sizes, counts those whose means differ by
    as much. Differences that agree to 12 decimals count as equal.

    Args:
      first: a sample.
      second: another.
      seed: of the partitions drawn, where there are more than :data:`EXACT_PARTITIONS`.
    """
    if min(len(first), len(second)) < 2:
        return PermutationTest(_difference(first, second), math.nan, True)
    from scipy import stats

    def distance(a, b, axis):
        return np.abs(np.mean(a, axis) - np.mean(b, axis)).round(12)

    is_exact = math.comb(len(first) + len(second), len(first)) <= EXACT_PARTITIONS
    test = stats.permutation_test(
        (first, second),
        distance,
        alternative="greater",
        n_resamples=math.inf if is_exact else DRAWN_PARTITIONS,
        batch=1000,
        vectorized=True,
        rng=np.random.default_rng(seed),
    )
    return PermutationTest(_difference(first, second), float(test.pvalue), is_exact)


def _difference(first, second) -> float:
    return summarise(first).mean - summarise(second).mean
