"""Which moment gives the model, and that a killed run which goes on selects the same."""

import json
from dataclasses import replace

import numpy as np
import pytest

from itune.errors import UserError
from itune.training import best_checkpoint
from itune.training.best_checkpoint import BestCheckpointTracker, dev_value
from itune.training.run import run_task
from itune.training.run_folder import RunOptions
from tests.helpers.killing import kill_and_resume
from tests.helpers.small_run import make_config


def row(*groups, accuracy=0.5, note="epoch"):
    return {
        "kind": "accuracy",
        "step": len(note),
        "note": note,
        "dev_accuracy": accuracy,
        "dev_groups": dict(zip("abc", groups, strict=False)),
    }


def params(value):
    return {"a": {"b": np.full(2, float(value))}, "c": np.full(1, float(value))}


def value_of(tracker):
    found = tracker.params()
    assert found["a"]["b"].dtype == np.float64
    return float(found["a"]["b"][0])


def test_rules():
    rows = [row(0.2, 1.0, accuracy=0.9), row(0.5, 0.6, accuracy=0.7), row(0.8, 0.3, accuracy=0.8)]
    best = {
        rule: max(range(3), key=lambda i, rule=rule: dev_value(rule, rows[i]))
        for rule in ("balanced", "worst", "accuracy")
    }
    assert best == {"balanced": 0, "worst": 1, "accuracy": 0}
    assert dev_value("balanced", row(accuracy=0.25)) == 0.25


def test_the_latest_of_equal_ones(tmp_path):
    tracker = BestCheckpointTracker(tmp_path / "selected", "balanced", [])
    for number, score in enumerate((0.5, 0.7, 0.7, 0.6)):
        tracker.offer(row(score), params(number))
    assert value_of(tracker) == 2 and tracker.best().value == 0.7
    assert not tracker.best().is_last
    assert [path.name for path in (tmp_path / "selected").iterdir()] == ["2.safetensors"]


def test_the_start_is_no_candidate(tmp_path):
    tracker = BestCheckpointTracker(tmp_path / "selected", "balanced", [])
    tracker.offer(row(0.9, note="start"), params(0))
    tracker.offer(row(0.1), params(1))
    assert value_of(tracker) == 1 and tracker.best().is_last


def test_what_a_checkpoint_needs_stays(tmp_path):
    rows = [row(0.5), row(0.6), row(0.7)]
    tracker = BestCheckpointTracker(tmp_path / "selected", "balanced", [])
    tracker.offer(rows[0], params(0))
    tracker.checkpoint_saved()
    for number in (1, 2):
        tracker.offer(rows[number], params(number))
    again = BestCheckpointTracker(tmp_path / "selected", "balanced", rows[:1])
    assert value_of(again) == 0
    tracker.checkpoint_saved()
    with pytest.raises(UserError, match="0.safetensors is missing, the best model before"):
        BestCheckpointTracker(tmp_path / "selected", "balanced", rows[:1])


@pytest.fixture(scope="module")
def config(small_encoder):
    config = make_config(small_encoder)
    return replace(config, selection="accuracy")


@pytest.fixture(scope="module")
def wanted():
    """The best moment is the one after the second round, in the middle of the run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(best_checkpoint, "dev_value", lambda rule, row: -abs(row["step"] - 6.0))
        yield


@pytest.fixture(scope="module")
def whole(config, wanted, tmp_path_factory):
    return run_task(config, "influence_tuning", 2, tmp_path_factory.mktemp("whole") / "run")


def test_the_model_is_that_of_the_moment(whole):
    moments = {row["note"]: row for row in whole.metrics if row["kind"] == "accuracy"}
    assert list(moments) == ["after round 1", "epoch 1", "after round 2", "epoch 2"]
    result, row = whole.result, moments["after round 2"]
    assert result["selected"] == {
        "rule": "accuracy",
        "step": 6,
        "note": "after round 2",
        "value": 0.0,
        "is_last": False,
    }
    found = {f"dev_{key}": value for key, value in result["dev"].items()}
    assert found.items() <= row.items() and found.items() != moments["epoch 2"].items()
    cids = {row["note"]: row["cid"] for row in whole.metrics if row["kind"] == "cid"}
    assert result["cid"]["note"] == "selected"
    assert result["cid"]["cid"] == pytest.approx(cids["after round 2"], abs=1e-12)
    assert abs(cids["end"] - cids["after round 2"]) > 1e-6
    assert not (whole.folder / "selected").exists()


def test_killed_and_resumed(config, whole, tmp_path):
    """Before the best moment, and after it."""
    done = kill_and_resume([18, 26], config, "influence_tuning", tmp_path, seed=2)
    assert done.result["selected"] == whole.result["selected"]
    for name in ("metrics.jsonl", "model/model.safetensors"):
        assert (done.folder / name).read_bytes() == (whole.folder / name).read_bytes()


def test_runs_of_earlier_versions_go_on(config, tmp_path):
    """Their config.json lacks the settings that came later, whose defaults are what they did."""
    config = replace(config, selection="last", label=replace(config.label, epochs=1))
    done = run_task(config, "finetuning", 1, tmp_path / "run")
    path = tmp_path / "run" / "config.json"
    description = json.loads(path.read_text())
    for name in ("selection", "head", "cid_rows"):
        del description["config"][name]
    path.write_text(json.dumps(description))
    assert (
        run_task(config, "finetuning", 1, tmp_path / "run", RunOptions(resume=True)).result
        == done.result
    )
    with pytest.raises(UserError, match="started with config.selection 'last', not 'worst'; res"):
        run_task(
            replace(config, selection="worst"),
            "finetuning",
            1,
            tmp_path / "run",
            RunOptions(resume=True),
        )


def test_selection_needs_accuracies(config):
    with pytest.raises(UserError, match="accuracy_when must be always, since selection"):
        replace(config, accuracy_when="end")
