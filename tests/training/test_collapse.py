from dataclasses import replace

import numpy as np
import pytest

from itune.methods import JttConfig
from itune.training import collapse
from itune.training.collapse import chance_limit, make_collapse_test
from itune.training.run import run_task
from itune.training.run_folder import RunOptions
from tests.helpers.small_run import make_config

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
    label = np.array([0] * 70 + [1] * 20 + [2] * 10)
    assert chance_limit(label, 2100) == pytest.approx(0.7 + 3 * 0.01)  # a standard error is 0.01
    assert chance_limit(label, 100) == pytest.approx(0.75)


def test_too_short_to_tell():
    test = make_collapse_test(LABEL, batch=8, epoch_steps=5, total_steps=20)
    assert not any(test([CHANCE] * n) for n in range(21))


def test_a_collapsed_run_is_stopped_measured_and_recorded(small_encoder, tmp_path, monkeypatch):
    """With a learning rate of 0 it stays where it began, at chance."""
    monkeypatch.setattr(collapse, "LEAST_ANSWERS", 1)
    monkeypatch.setattr(collapse, "LARGEST_MARGIN", 0.3)
    config = make_config(small_encoder)
    config = replace(config, label=replace(config.label, learning_rate=0.0))
    finished = run_task(config, "finetuning", 1, tmp_path / "run")
    assert finished.result["collapsed"]
    updates = [row for row in finished.metrics if row["kind"] == "label_update"]
    assert len(updates) == 7 < 10  # a window of 5 behind the first 2
    last = [(row["kind"], row["step"], row["note"]) for row in finished.metrics[-2:]]
    assert last == [("cid", 7, "collapsed"), ("accuracy", 7, "collapsed")]
    assert finished.result["cid"] == finished.metrics[-2]
    again = run_task(config, "finetuning", 1, tmp_path / "run", RunOptions(resume=True))
    assert again.result == finished.result


def test_a_second_training_is_judged_by_itself(small_encoder, tmp_path, monkeypatch):
    """5 label steps of the first training, then 7 as above."""
    monkeypatch.setattr(collapse, "LEAST_ANSWERS", 1)
    monkeypatch.setattr(collapse, "LARGEST_MARGIN", 0.3)
    config = make_config(small_encoder, jtt=JttConfig(epochs=1), cid_when="end")
    config = replace(config, label=replace(config.label, learning_rate=0.0))
    finished = run_task(config, "just_train_twice", 1, tmp_path / "run")
    assert [row["kind"] for row in finished.metrics].count("label_update") == 5 + 7


def test_a_sound_run_is_not_recorded_as_collapsed(small_encoder, tmp_path):
    config = make_config(small_encoder, cid_when="end")
    config = replace(config, label=replace(config.label, learning_rate=5e-3, epochs=12))
    assert not run_task(config, "finetuning", 1, tmp_path / "run").result["collapsed"]
