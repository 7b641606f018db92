import numpy as np
import pytest

from itune.auditing import measure_behaviour
from itune.data.dataset import Dataset
from itune.groups import HIDDEN, Group
from itune.metrics.proportions import stratified, wilson


def make(label, probs):
    label = np.array(label, np.int32)
    data = Dataset([np.ones(1, np.int32)] * len(label), label, np.zeros_like(label))
    return measure_behaviour(np.log(np.array(probs)) + 5, data)


def test_by_hand():
    """Confidences 0.8 and 0.8 in one bin, half right; 0.6, right."""
    found = make([0, 1, 1], [[0.8, 0.2], [0.8, 0.2], [0.4, 0.6]])
    assert found.size == 3 and found.sizes == {Group(0, 0): 1, Group(1, 0): 2}
    assert found.accuracy.overall == pytest.approx(2 / 3)
    assert found.calibration_error == pytest.approx((2 * abs(0.5 - 0.8) + abs(1 - 0.6)) / 3)
    assert found.brier == pytest.approx((0.08 + 1.28 + 0.32) / 3)
    assert found.entropy == pytest.approx(-np.log([0.8, 0.2, 0.6]).mean())


def test_certain_and_right_is_perfect():
    label = np.array([0, 1, 2], np.int32)
    data = Dataset([np.ones(1, np.int32)] * 3, label, label)
    found = measure_behaviour(1e4 * np.eye(3, dtype=np.float32), data)
    assert (found.calibration_error, found.brier, found.entropy) == (0, 0, 0)


@pytest.mark.parametrize("size", [3, 10, 49])
def test_all_right_is_1_and_not_above(size):
    label = np.arange(size, dtype=np.int32) % 2
    data = Dataset([np.ones(1, np.int32)] * size, label, label)
    assert measure_behaviour(np.eye(2, dtype=np.float32)[label], data).accuracy.overall == 1


def test_drawn_groups_weigh_as_in_the_whole():
    """Ten rows of a group stand for a thousand, ten of another for ten."""
    label = np.repeat(np.array([0, 1], np.int32), 10)
    data = Dataset([np.ones(1, np.int32)] * 20, label, np.zeros_like(label))
    is_right = np.array([1] * 5 + [0] * 5 + [1] * 10)
    logits = np.log(np.where(np.eye(2)[(label == is_right).astype(int)] > 0, 0.9, 0.1))
    totals = {Group(0, 0): 1000, Group(1, 0): 10}
    found = measure_behaviour(logits, data, totals)
    weights = np.array([1000, 10]) / 1010
    assert found.accuracy.overall == pytest.approx(weights @ [0.5, 1])
    assert found.brier == pytest.approx(weights @ [0.5 * (0.02 + 1.62), 0.02])
    assert found.calibration_error == pytest.approx(abs(0.9 - weights @ [0.5, 1]))
    assert (found.size, found.total) == (20, 1010)
    assert found.intervals == {Group(0, 0): wilson(5, 10), Group(1, 0): wilson(10, 10)}
    expected = stratified([0.5, 1.0], list(found.intervals.values()), weights)
    assert found.interval == pytest.approx(expected)


def test_the_worst_group_is_annotated():
    label, confound = np.array([0, 1, 1], np.int32), np.array([HIDDEN, 0, 1], np.int32)
    data = Dataset([np.ones(1, np.int32)] * 3, label, confound)
    wrong_but_the_last = np.array([[0, 1], [1, 0], [0, 1]], np.float32)
    assert measure_behaviour(wrong_but_the_last, data).accuracy.worst == Group(1, 0)
    hidden = Dataset(data.input_ids, label, np.full(3, HIDDEN, np.int32))
    assert measure_behaviour(wrong_but_the_last, hidden).accuracy.worst == Group(0, HIDDEN)
