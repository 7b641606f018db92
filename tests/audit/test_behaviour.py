import numpy as np
import pytest

from itune.audit import behaviour
from itune.data.cells import Cell
from itune.data.dataset import Dataset


def make(label, probs):
    label = np.array(label, np.int32)
    data = Dataset([np.ones(1, np.int32)] * len(label), label, np.zeros_like(label))
    return behaviour(np.log(np.array(probs)) + 5, data)


def test_by_hand():
    """Confidences 0.8 and 0.8 in one bin, half right; 0.6, right."""
    found = make([0, 1, 1], [[0.8, 0.2], [0.8, 0.2], [0.4, 0.6]])
    assert found.size == 3 and found.sizes == {Cell(0, 0): 1, Cell(1, 0): 2}
    assert found.accuracy.overall == pytest.approx(2 / 3)
    assert found.calibration_error == pytest.approx((2 * abs(0.5 - 0.8) + abs(1 - 0.6)) / 3)
    assert found.brier == pytest.approx((0.08 + 1.28 + 0.32) / 3)
    assert found.entropy == pytest.approx(-np.log([0.8, 0.2, 0.6]).mean())


def test_certain_and_right_is_perfect():
    label = np.array([0, 1, 2], np.int32)
    data = Dataset([np.ones(1, np.int32)] * 3, label, label)
    found = behaviour(1e4 * np.eye(3, dtype=np.float32), data)
    assert (found.calibration_error, found.brier, found.entropy) == (0, 0, 0)
