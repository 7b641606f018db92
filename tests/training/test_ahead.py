"""A loop that runs ahead of the devices ends as one that waits for them."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from itune.errors import UserError
from itune.methods import LabelConfig
from itune.methods.finetuning import finetuning
from itune.methods.influence_tuning import InfluenceConfig, influence_tuning
from itune.training import loop
from itune.training.loop import Evaluator, Training, train
from itune.training.metrics_log import MetricsLog, read_metrics
from tests.helpers.tiny_method import CLASSIFIER, EVEN, initial_params

LABEL = LabelConfig(epochs=3, batch=6, chunk=2, learning_rate=0.1)
ROUNDS = InfluenceConfig(interval=4, epochs=2, batch=5, probes=6, k=2, chunk=2, learning_rate=0.03)
# Made once, so that their steps are compiled once.
TUNING = influence_tuning(CLASSIFIER, replace(LABEL, epochs=2, chunk=3), ROUNDS, EVEN, 1)
FINETUNING = finetuning(CLASSIFIER, LABEL, EVEN, 1)


def run(folder, method=TUNING, checkpoint_seconds=1e9, **options):
    evaluator = Evaluator(lambda params: {"bias": float(params["classifier"]["bias"][0])}, 1.0)
    folder.mkdir(exist_ok=True)
    evaluators = dict.fromkeys(("cid", "accuracy"), evaluator)
    training = Training(method, initial_params(), EVEN, evaluators, folder, **options)
    return train([training], checkpoint_seconds=checkpoint_seconds)[0]


def same(one, other):
    return jax.tree.all(jax.tree.map(np.array_equal, one.params, other.params))


@pytest.fixture
def unsaved(monkeypatch):
    """Checkpoints, which most of these runs have only in the end, are not written."""
    monkeypatch.setattr(loop.Checkpoints, "save", lambda *args: None)


@pytest.fixture(scope="module")
def waits(tmp_path_factory):
    """The outcome of a loop that waits for each piece, and what it logs."""
    folder = tmp_path_factory.mktemp("waits")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "AHEAD", 1)
        outcome = run(folder)
    return outcome, (folder / "metrics.jsonl").read_bytes()


@pytest.mark.usefixtures("unsaved")
@pytest.mark.parametrize(("ahead", "seconds"), [(2, 1e9), (5, 1e9), (99, 1e9), (99, 0)])
def test_same_bytes_as_a_loop_that_waits(ahead, seconds, waits, tmp_path, monkeypatch):
    """With dropout; and with all work done after each piece, as before a checkpoint."""
    monkeypatch.setattr(loop, "AHEAD", ahead)
    outcome, log = waits
    assert same(run(tmp_path, checkpoint_seconds=seconds), outcome)
    assert (tmp_path / "metrics.jsonl").read_bytes() == log and log.count(b"label_update") == 8


def test_freed_memory_is_given_back_after_evaluations_and_in_the_end(tmp_path, monkeypatch):
    given = []
    monkeypatch.setattr(loop, "return_freed_memory", lambda: given.append(1))
    run(tmp_path)
    rows = read_metrics(tmp_path / "metrics.jsonl")
    assert len(given) == 1 + sum(row["kind"] in ("cid", "accuracy") for row in rows) > 3


def collapses(least, mean):
    return lambda accuracies: len(accuracies) >= least and np.mean(accuracies[-2:]) < mean


@pytest.fixture(scope="module")
def accuracies(tmp_path_factory):
    """Those of the label updates of a run that nothing stops."""
    folder = tmp_path_factory.mktemp("whole")
    run(folder, FINETUNING)
    rows = read_metrics(folder / "metrics.jsonl")
    return [row["accuracy"] for row in rows if row["kind"] == "label_update"]


@pytest.mark.usefixtures("unsaved")
@pytest.mark.parametrize("mean", [0.0, 0.1, 0.2, 0.3])
@pytest.mark.parametrize("ahead", [1, 5, 99])
def test_collapse_is_found_at_its_step(mean, ahead, accuracies, tmp_path, monkeypatch):
    monkeypatch.setattr(loop, "AHEAD", ahead)
    test = collapses(5, mean)
    expected = next((n for n in range(13) if test(accuracies[:n])), None)
    assert expected == {0.0: None, 0.1: 9, 0.2: 8, 0.3: 5}[mean]
    outcome = run(tmp_path / "stopped", FINETUNING, has_collapsed=test)
    rows = read_metrics(tmp_path / "stopped" / "metrics.jsonl")
    assert outcome.has_collapsed == (expected is not None)
    assert [row["kind"] for row in rows].count("label_update") == (expected or 12)


class Killed(BaseException):
    pass


def test_collapse_is_found_at_its_step_by_a_resumed_run(tmp_path, monkeypatch):
    method, test = FINETUNING, collapses(8, 2)
    batch_of, calls = loop.batch_of, []

    def dying(*args):
        calls.append(args)
        if len(calls) == 21:
            raise Killed
        return batch_of(*args)

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(loop, "batch_of", dying)
        run(tmp_path / "run", method, has_collapsed=test, checkpoint_seconds=0)
    run(tmp_path / "run", method, has_collapsed=test)
    whole = run(tmp_path / "whole", method, has_collapsed=test)
    assert whole.has_collapsed
    logs = [(tmp_path / name / "metrics.jsonl").read_bytes() for name in ("run", "whole")]
    assert logs[0] == logs[1] and logs[0].count(b"label_update") == 8


def events(tmp_path, monkeypatch, ahead, chunk=2):
    """Train; return where batches are made, what is logged, and waits for the whole state."""
    found = []

    def noting(name, function):
        def noted(*args):
            found.append(name)
            return function(*args)

        return noted

    monkeypatch.setattr(loop, "AHEAD", ahead)
    monkeypatch.setattr(loop, "batch_of", noting("batch", loop.batch_of))
    monkeypatch.setattr(MetricsLog, "write", noting("row", MetricsLog.write))
    monkeypatch.setattr(loop.jax, "block_until_ready", noting("wait", jax.block_until_ready))
    label = LabelConfig(epochs=1, batch=6, chunk=chunk, learning_rate=0.1)
    run(tmp_path / "run", finetuning(CLASSIFIER, label, EVEN, 1))
    return found[:-2]  # but for both evaluations


@pytest.mark.usefixtures("unsaved")
def test_batches_are_made_before_metrics_are_read(tmp_path, monkeypatch):
    """Four label steps of three chunks and an update each."""
    assert events(tmp_path, monkeypatch, 32) == ["batch"] * 16 + ["row"] * 4


@pytest.mark.usefixtures("unsaved")
def test_no_further_ahead(tmp_path, monkeypatch):
    found = events(tmp_path, monkeypatch, 5)
    rows = [place for place, name in enumerate(found) if name == "row"]
    made = [found[:place].count("batch") for place in rows]
    assert made == [4 + 4, 8 + 4, 12 + 4, 16]  # when the update is read, which was the fourth


@pytest.mark.usefixtures("unsaved")
@pytest.mark.parametrize(("ahead", "waits"), [(1, 8), (3, 4), (32, 0)])
def test_work_that_logs_nothing_is_waited_for(ahead, waits, tmp_path, monkeypatch):
    """Six chunks before each of four updates; nothing tells of them when they are done."""
    assert events(tmp_path, monkeypatch, ahead, chunk=1).count("wait") == waits


def spoilt(method, number):
    """Return a method whose label update of this number logs a loss that is not finite."""

    def spoilt_update(state, batch):
        state, info = method.steps["label_update"](state, batch)
        return state, info | {"loss": info["loss"] * jnp.nan}

    plan = method.plan()
    place = [place for place, work in enumerate(plan) if work.kind == "label_update"][number - 1]
    plan[place] = plan[place]._replace(kind="spoilt_update")
    steps = {**method.steps, "spoilt_update": spoilt_update}
    return method._replace(steps=steps, plan=lambda: plan), place


@pytest.mark.parametrize("ahead", [1, 32])
@pytest.mark.parametrize("seconds", [0, 1e9])
def test_nothing_is_kept_behind_a_loss_that_is_not_finite(ahead, seconds, tmp_path, monkeypatch):
    monkeypatch.setattr(loop, "AHEAD", ahead)
    method, place = spoilt(FINETUNING, 3)
    with pytest.raises(UserError, match=r"loss is nan at label step 2 \(spoilt_update\)"):
        run(tmp_path / "run", method, checkpoint_seconds=seconds)
    rows = read_metrics(tmp_path / "run" / "metrics.jsonl")
    assert [row["step"] for row in rows] == [0, 1]
    saved = [int(path.name) for path in (tmp_path / "run" / "checkpoints").iterdir()]
    assert max(saved, default=0) == (place if seconds == 0 else 0)
