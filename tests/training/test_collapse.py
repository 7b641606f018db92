import numpy as np
import pytest

from itune.training.collapse import chance_limit, make_collapse_test

LABEL = np.array([0] * 50 + [1] * 50)
CHANCE, SOUND = 0.5, 0.8


@pytest.fixture
def has_collapsed():
    """200 label steps, 20 an epoch: a window of 50 that begins at step 40."""
    return make_collapse_test(LABEL, batch=64, epoch_steps=20, total_steps=200)


def test_never_learnt(has_collapsed):
    accuracies = [CHANCE] * 200
    verdicts = [has_collapsed(accuracies[:n]) for n in range(201)]
    assert verdicts == [n >= 90 for n in range(201)]


def test_collapses_on_the_way(has_collapsed):
    accuracies = [SOUND] * 100 + [CHANCE] * 100
    first = next(n for n in range(201) if has_collapsed(accuracies[:n]))
    assert 145 <= first <= 150  # the mean over 50 steps must fall below 0.5265


def test_recovery(has_collapsed):
    accuracies = [SOUND] * 100 + [CHANCE] * 40 + [SOUND] * 60
    assert not any(has_collapsed(accuracies[:n]) for n in range(201))


def test_slow_start(has_collapsed):
    accuracies = [CHANCE] * 70 + [SOUND] * 130
    assert not any(has_collapsed(accuracies[:n]) for n in range(201))


def test_long_epochs_make_a_long_window():
    test = make_collapse_test(LABEL, batch=64, epoch_steps=78, total_steps=234)
    assert not test([CHANCE] * (47 + 77)) and test([CHANCE] * (47 + 78))


def test_chance_is_the_largest_class():
    """Three errors of 100 answers: 0.7 + 3 * 0.0458."""
    label = np.array([0] * 70 + [1] * 20 + [2] * 10)
    assert chance_limit(label, 100) == pytest.approx(0.7 + 3 * np.sqrt(0.21 / 100))
