"""Holm's correction against its definition, and the seeds that a test needs."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from itune.metrics.corrections import holm, least_permutation_p, seeds_needed
from itune.metrics.statistics import permutation_test

P_VALUES = st.lists(st.floats(0, 1), max_size=8)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(P_VALUES)
def test_holm_is_monotone_and_not_below_the_p_values(values):
    corrected = holm(values)
    assert all(p <= q <= 1 for p, q in zip(values, corrected, strict=True))
    order = sorted(range(len(values)), key=values.__getitem__)
    assert sorted(corrected) == [corrected[index] for index in order]


@settings(max_examples=60, deadline=None, derandomize=True)
@given(P_VALUES.filter(bool), st.floats(0.01, 0.5))
def test_holm_rejects_what_the_step_down_procedure_rejects(values, level):
    """The procedure compares the i-th smallest of m with level / (m - i + 1) until one fails."""
    rejected = 0
    for place, value in enumerate(sorted(values)):
        if value * (len(values) - place) > level:
            break
        rejected += 1
    assert sum(p <= level for p in holm(values)) == rejected


def test_a_test_that_could_not_be_made_counts_as_1():
    assert holm([math.nan, 0.01]) == [1.0, 0.02]


@pytest.mark.parametrize("seeds", [2, 3, 4])
def test_the_smallest_p_of_a_permutation_test(seeds):
    apart = permutation_test(range(seeds), range(10, 10 + seeds))
    assert apart.p == pytest.approx(least_permutation_p(seeds))


@pytest.mark.parametrize("tests", [1, 3, 8])
def test_seeds_needed_are_enough_and_no_more(tests):
    seeds = seeds_needed(tests)
    assert tests * least_permutation_p(seeds) < 0.05 <= tests * least_permutation_p(seeds - 1)
