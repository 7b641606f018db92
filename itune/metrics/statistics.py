"""Statistics over seeds: means, spreads, and tests of a difference of means (NumPy, SciPy).

Nothing warns, and NaN stands for what cannot be said: the mean of no value; the spread of fewer
than two, and the tests of such samples; ``t`` where all values of each side are alike.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np

Sample: TypeAlias = Sequence[float] | np.ndarray

EXACT_PARTITIONS = 200_000
"""Largest number of partitions that are enumerated: two samples of ten are."""

DRAWN_PARTITIONS = 99_999
"""Number of partitions drawn where there are more."""


class Summary(NamedTuple):
    """Mean and spread of some values.

    Attributes:
      mean: Arithmetic mean.
      sd: Standard deviation of the population they are drawn from (``ddof=1``).
      count: Number of values.
    """

    mean: float
    sd: float
    count: int


class TTest(NamedTuple):
    """A t-test of a difference of means, two-sided.

    Attributes:
      t: Difference in units of its standard error; above 0 where the first mean is larger.
      p: Probability of a ``t`` at least as far from 0 if the means were equal.
      degrees: Degrees of freedom.
    """

    t: float
    p: float
    degrees: float


UNDEFINED = TTest(math.nan, math.nan, math.nan)


class PermutationTest(NamedTuple):
    """A permutation test of a difference of means, two-sided.

    Attributes:
      difference: First mean minus second.
      p: Share of partitions whose difference is at least as far from 0, up to rounding.
      is_exact: Whether every partition was counted. Otherwise :data:`DRAWN_PARTITIONS` were drawn,
        and the one observed counts as well.
    """

    difference: float
    p: float
    is_exact: bool


def summarise(values: Sample) -> Summary:
    """Compute mean, standard deviation and number of some values.

    Args:
      values: Numbers, such as accuracies of several seeds.

    >>> summarise([1.0, 2.0, 3.0])
    Summary(mean=2.0, sd=1.0, count=3)
    >>> summarise([1.0])
    Summary(mean=1.0, sd=nan, count=1)
    """
    mean = float(np.mean(values)) if len(values) else math.nan
    sd = float(np.std(values, ddof=1)) if len(values) > 1 else math.nan
    return Summary(mean, sd, len(values))


def welch_test(first: Sample, second: Sample) -> TTest:
    """Test by Welch whether two samples, perhaps of unequal variance, have equal means.

    ``t = (mean_1 - mean_2) / sqrt(e_1 + e_2)`` with ``e = sd^2 / count``, and, after Welch and
    Satterthwaite, ``degrees = (e_1 + e_2)^2 / (e_1^2 / (count_1 - 1) + e_2^2 / (count_2 - 1))``.

    >>> test = welch_test([1.0, 2.0, 3.0], [2.0, 4.0, 6.0, 8.0])
    >>> f"t={test.t:.2f} p={test.p:.3f}"
    't=-2.12 p=0.100'
    """

    def error(a: Summary, b: Summary) -> tuple[float, float]:
        parts = [side.sd**2 / side.count for side in (a, b)]
        free = sum(e**2 / (side.count - 1) for e, side in zip(parts, (a, b), strict=True))
        return sum(parts), sum(parts) ** 2 / free

    return _t_test(first, second, error)


def student_test(first: Sample, second: Sample) -> TTest:
    """Test by Student whether two samples of equal variance have equal means.

    ``t = (mean_1 - mean_2) / sqrt(s^2 / count_1 + s^2 / count_2)`` with the pooled variance ``s^2``
    of both samples, and ``degrees = count_1 + count_2 - 2``: the test of the paper's Table 2.
    """

    def error(a: Summary, b: Summary) -> tuple[float, float]:
        degrees = a.count + b.count - 2
        pooled = ((a.count - 1) * a.sd**2 + (b.count - 1) * b.sd**2) / degrees
        return pooled / a.count + pooled / b.count, degrees

    return _t_test(first, second, error)


def paired_test(first: Sample, second: Sample) -> TTest:
    """Test whether the differences of two samples, value by value, have the mean 0.

    ``t = mean(d) / (sd(d) / sqrt(count))`` of ``d = first - second``, with ``count - 1`` degrees of
    freedom.

    Args:
      first: Values, such as accuracies of one method with several seeds.
      second: As many values, of another method with the seeds in this order.

    Returns:
      The test; NaN where there are fewer than two differences, or all are alike.

    >>> test = paired_test([3.0, 5.0, 6.0], [1.0, 2.0, 5.0])
    >>> f"t={test.t:.2f} p={test.p:.3f}"
    't=3.46 p=0.074'
    """
    differences = np.subtract(first, second)
    mean, sd, count = summarise(differences)
    if count < 2 or not sd > 0:
        return UNDEFINED
    return _two_sided(mean / (sd / math.sqrt(count)), count - 1)


def _t_test(
    first: Sample, second: Sample, error: Callable[[Summary, Summary], tuple[float, float]]
) -> TTest:
    """Make a t-test from the squared standard error of the difference, and degrees of freedom."""
    a, b = summarise(first), summarise(second)
    is_spread = any(len(set(values)) > 1 for values in (first, second))
    if min(a.count, b.count) < 2 or not is_spread:
        return UNDEFINED
    squared, degrees = error(a, b)
    return _two_sided((a.mean - b.mean) / math.sqrt(squared), degrees)


def _two_sided(t: float, degrees: float) -> TTest:
    from scipy.special import stdtr

    return TTest(t, float(2 * stdtr(degrees, -abs(t))), float(degrees))


def permutation_test(first: Sample, second: Sample, *, seed: int = 0) -> PermutationTest:
    """Test whether two samples could have been dealt the other way round.

    Of all partitions of the values into samples of these sizes, counts those whose means differ by
    as much. Differences that agree to 12 decimals count as equal.

    Args:
      first: The first sample.
      second: The second sample.
      seed: Seed of the random generator, a non-negative integer, where there are more than 200000
        partitions and 99999 of them are drawn.

    Returns:
      The test; its p is NaN where a sample has fewer than two values.

    >>> permutation_test([1.0, 2.0, 3.0], [4.0, 5.0, 6.0])
    PermutationTest(difference=-3.0, p=0.1, is_exact=True)
    """
    if min(len(first), len(second)) < 2:
        return PermutationTest(_difference(first, second), math.nan, True)
    from scipy import stats

    def distance(a: np.ndarray, b: np.ndarray, axis: int) -> Any:
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


def _difference(first: Sample, second: Sample) -> float:
    return summarise(first).mean - summarise(second).mean
