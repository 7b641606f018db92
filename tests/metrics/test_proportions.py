"""Intervals of proportions."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from itune.metrics.proportions import stratified, wilson


@pytest.mark.parametrize(("successes", "size"), [(0, 5), (1, 7), (30, 40), (5, 5)])
def test_wilson(successes, size):
    expected = binomtest(successes, size).proportion_ci(method="wilson")
    assert wilson(successes, size) == pytest.approx((expected.low, expected.high), abs=1e-9)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.integers(1, 10**6).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_contains_the_share_and_mirrors(successes_and_size):
    successes, size = successes_and_size
    low, high = wilson(successes, size)
    assert 0 <= low <= successes / size + 1e-12 and successes / size - 1e-12 <= high <= 1
    mirrored = wilson(size - successes, size)
    assert mirrored == pytest.approx((1 - high, 1 - low), abs=1e-9)


def test_no_trials():
    assert all(map(math.isnan, wilson(0, 0)))


def test_strata():
    one = wilson(3, 10)
    assert stratified([0.3], [one], [1.0]) == pytest.approx(one)
    low, high = stratified([0.3, 0.5], [(0.2, 0.5), (0.1, 0.7)], [0.75, 0.25])
    assert low == pytest.approx(0.35 - math.hypot(0.75 * 0.1, 0.25 * 0.4))
    assert high == pytest.approx(0.35 + math.hypot(0.75 * 0.2, 0.25 * 0.2))
