"""Errors against a feature's label, and what changes when it is taken out."""

import numpy as np
import pytest

from itune.discovery.confirmation import measure_change, measure_errors


def test_newcombes_interval():
    """The published example: 56 of 70 and 48 of 80."""
    has = np.arange(150) < 70
    is_right = ~np.isin(np.arange(150), [*range(56), *range(70, 118)])
    found = measure_errors(is_right, np.zeros(150, int), has, usual=1)
    assert (found.size, found.error, found.elsewhere) == (70, 0.8, 0.6)
    assert (round(found.low, 4), round(found.high, 4)) == (0.0524, 0.3339)
    assert found.worst_group == pytest.approx(14 / 70)


def test_rows_of_the_usual_label_count_elsewhere():
    label, has = np.array([0, 0, 1, 1]), np.array([True, True, True, False])
    found = measure_errors(np.array([True, False, False, True]), label, has, usual=0)
    assert (found.size, found.error, found.elsewhere) == (1, 1.0, pytest.approx(1 / 3))
    none = measure_errors(np.ones(4, bool), label, np.zeros(4, bool), usual=0)
    assert none.size == 0 and np.isnan(none.gap) and np.isnan(none.low)


def test_changes_are_counted():
    before, after = np.array([0, 0, 1, 1, 0]), np.array([1, 0, 0, 1, 2])
    found = measure_change(before, after, usual=0, labels=4)
    assert (found.size, found.changed, found.away, found.share) == (5, 3, 2, 0.6)
    assert found.towards == (1, 1, 1, 0) and 0 < found.low < 0.6 < found.high < 1
    assert measure_change(np.array([]), np.array([]), usual=0, labels=2) is None
