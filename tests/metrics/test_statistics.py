"""Statistics over seeds, against SciPy, hand calculation and the paper's p values."""

import math
from itertools import combinations

import numpy as np
import pytest
from scipy import stats

from itune.metrics import statistics
from itune.metrics.statistics import permutation_test, student_test, summarise, welch_test
from itune.results import published as paper

TEXTLEN, MSGS = paper.TEST_ACCURACY["textlen"], paper.TEST_ACCURACY["msgs"]
UNEQUAL = [0.1, 0.5, 0.2, 0.9], [0.4, 0.45, 0.7, 0.8, 0.85, 1.9]


def test_summary():
    assert summarise([2, 4, 9]) == pytest.approx((5, math.sqrt(13), 3))
    assert summarise([7.0])[::2] == (7, 1) and math.isnan(summarise([7.0]).sd)
    assert summarise([]).count == 0 and np.isnan(summarise([])[:2]).all()


@pytest.mark.parametrize("samples", [UNEQUAL, UNEQUAL[::-1], ([1, 2], [2, 3, 4])])
@pytest.mark.parametrize("test", [welch_test, student_test])
def test_against_scipy(test, samples):
    result = test(*samples)
    expected = stats.ttest_ind(*samples, equal_var=test is student_test)
    assert result == pytest.approx((expected.statistic, expected.pvalue, expected.df), rel=1e-10)


@pytest.mark.parametrize(
    ("task", "method"),
    [(task, method) for task, methods in paper.P_AGAINST_FINETUNING.items() for method in methods],
)
def test_students_test_gives_the_published_p(task, method):
    accuracies = paper.TEST_ACCURACY[task]
    p = student_test(accuracies[method], accuracies["finetuning"]).p
    published = paper.P_AGAINST_FINETUNING[task][method]
    assert p < 0.001 if published == "<.001" else abs(p - float(published)) < 0.0005


@pytest.mark.parametrize(("task", "count"), [(TEXTLEN, 36), (MSGS, 92)])
def test_influence_tuning_against_adversarial(task, count):
    """The published accuracies do not tell them apart: p is 0.14 and 0.37."""
    test = permutation_test(task["influence_tuning"], task["adversarial"])
    assert test.is_exact and test.p == pytest.approx(count / 252)


def test_welch_is_the_more_careful():
    assert round(welch_test(TEXTLEN["influence_tuning"], TEXTLEN["finetuning"]).p, 3) == 0.005


def test_permutations_by_hand():
    first, second = UNEQUAL
    values = np.array(first + second)
    distances = []
    for chosen in combinations(range(10), 4):
        rest = np.setdiff1d(range(10), chosen)
        distances.append(abs(values[list(chosen)].mean() - values[rest].mean()))
    seen = abs(np.mean(first) - np.mean(second))
    share = np.mean(np.array(distances) >= seen - 1e-12)
    for pair in (UNEQUAL, UNEQUAL[::-1]):
        assert permutation_test(*pair).p == pytest.approx(share, abs=1e-15)
    assert permutation_test(first, second).difference == pytest.approx(0.425 - 0.85)


def test_equal_means_count_every_partition():
    first, second = [0.718, 0.717, 0.721], [0.719, 0.719, 0.718]
    assert permutation_test(first, second).p == 1  # though rounding makes it 0.9


def test_large_samples_are_drawn_from_the_seed(monkeypatch):
    exact = permutation_test(*UNEQUAL)
    monkeypatch.setattr(statistics, "EXACT_PARTITIONS", 100)
    monkeypatch.setattr(statistics, "DRAWN_PARTITIONS", 199)
    drawn = permutation_test(*UNEQUAL, seed=1)
    assert not drawn.is_exact and drawn.p == pytest.approx(exact.p, abs=0.1)
    assert drawn == permutation_test(*UNEQUAL, seed=1) != permutation_test(*UNEQUAL, seed=2)


@pytest.mark.parametrize("samples", [([], [1, 2]), ([3], [1, 2]), ([1, 2], [])])
def test_too_few_values(samples):
    assert np.isnan([*welch_test(*samples), *student_test(*samples)]).all()
    assert math.isnan(permutation_test(*samples).p)


def test_no_spread():
    assert np.isnan(welch_test([0.1 + 0.2] * 3, [0.3] * 3)).all()
    assert welch_test([1, 1], [2, 3, 4])[::2] == pytest.approx((-2 / math.sqrt(1 / 3), 2))
    assert permutation_test([1, 1, 1], [2, 2, 2]).p == pytest.approx(0.1)
    assert permutation_test([1, 1], [1, 1]).p == 1


def test_published_means():
    """As printed in Table 2, which was rounded from unrounded accuracies."""
    printed = {
        "textlen": (76.00, 78.44, 80.48, 82.20, 84.96),
        "msgs": (75.33, 83.41, 88.23, 87.45),
    }
    for task, means in printed.items():
        result = [summarise(values).mean for values in paper.TEST_ACCURACY[task].values()]
        assert result == pytest.approx(means, abs=0.03)
