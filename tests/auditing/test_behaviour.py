"""Accuracy and calibration, by hand and with groups weighted as in the whole data set."""

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss, log_loss

from itune.auditing.behaviour import measure_behaviour
from itune.data.dataset import Dataset
from itune.groups import HIDDEN, Group
from itune.metrics.proportions import stratified, wilson


def make_data(label, confound=None):
    """Examples of one token each, of confound 0 if none is given."""
    label = np.array(label, np.int32)
    confound = np.zeros_like(label) if confound is None else np.array(confound, np.int32)
    return Dataset([np.ones(1, np.int32)] * len(label), label, confound)


def test_by_hand():
    """Confidences 0.8 and 0.8 in one bin, of which half are right; and 0.6, which is right."""
    logits = np.log([[0.8, 0.2], [0.8, 0.2], [0.4, 0.6]]) + 5
    result = measure_behaviour(logits, make_data([0, 1, 1]))
    assert result.size == 3 and result.sizes == {Group(0, 0): 1, Group(1, 0): 2}
    assert result.accuracy.overall == pytest.approx(2 / 3)
    assert result.calibration_error == pytest.approx((2 * abs(0.5 - 0.8) + abs(1 - 0.6)) / 3)
    assert result.brier == pytest.approx((0.08 + 1.28 + 0.32) / 3)
    assert result.entropy == pytest.approx(-np.log([0.8, 0.2, 0.6]).mean())


def test_brier_score_and_cross_entropy_are_those_of_scikit_learn():
    rng = np.random.default_rng(0)
    probs, label = rng.dirichlet(np.ones(3), 50), rng.integers(0, 3, 50)
    result = measure_behaviour(np.log(probs), make_data(label))
    expected = brier_score_loss(label, probs, labels=[0, 1, 2], scale_by_half=False)
    assert result.brier == pytest.approx(expected, abs=1e-12)
    assert result.entropy == pytest.approx(log_loss(label, probs, labels=[0, 1, 2]), abs=1e-12)


def test_certain_and_right_is_perfect():
    logits = 1e4 * np.eye(3, dtype=np.float32)
    result = measure_behaviour(logits, make_data([0, 1, 2], [0, 1, 2]))
    assert (result.calibration_error, result.brier, result.entropy) == (0, 0, 0)


@pytest.mark.parametrize("size", [3, 10, 49])
def test_the_accuracy_of_all_right_is_1_and_not_above(size):
    label = np.arange(size) % 2
    logits = np.eye(2, dtype=np.float32)[label]
    assert measure_behaviour(logits, make_data(label, label)).accuracy.overall == 1


def test_groups_weigh_as_in_the_whole():
    """Ten rows of a group stand for a thousand, and ten of another for ten."""
    label = np.repeat([0, 1], 10)
    is_right = np.array([1] * 5 + [0] * 5 + [1] * 10)
    logits = np.log(np.where(np.eye(2)[(label == is_right).astype(int)] > 0, 0.9, 0.1))
    totals = {Group(0, 0): 1000, Group(1, 0): 10}
    result = measure_behaviour(logits, make_data(label), totals)
    weights = np.array([1000, 10]) / 1010
    assert result.accuracy.overall == pytest.approx(weights @ [0.5, 1])
    assert result.brier == pytest.approx(weights @ [0.5 * (0.02 + 1.62), 0.02])
    assert result.calibration_error == pytest.approx(abs(0.9 - weights @ [0.5, 1]))
    assert (result.size, result.total) == (20, 1010)
    assert result.intervals == {Group(0, 0): wilson(5, 10), Group(1, 0): wilson(10, 10)}
    expected = stratified([0.5, 1.0], list(result.intervals.values()), weights)
    assert result.interval == pytest.approx(expected)


def test_the_worst_group_is_annotated_if_any_group_is():
    label = [0, 1, 1]
    all_wrong_but_the_last = np.array([[0, 1], [1, 0], [0, 1]], np.float32)
    some = measure_behaviour(all_wrong_but_the_last, make_data(label, [HIDDEN, 0, 1]))
    assert some.accuracy.worst == Group(1, 0)
    none = measure_behaviour(all_wrong_but_the_last, make_data(label, [HIDDEN] * 3))
    assert none.accuracy.worst == Group(0, HIDDEN)
