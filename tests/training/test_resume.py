"""A run that was killed and goes on ends as if nothing had happened, bit for bit."""

import json
from dataclasses import replace

import numpy as np
import pytest

from itune.errors import UserError
from itune.methods import BcsiConfig, CncConfig, D3mConfig, IpgConfig, JttConfig, LastLayerConfig
from itune.training import batches, loop, run
from itune.training.run import run_task
from itune.training.run_folder import RunOptions
from itune.training.versions import machine
from tests.helpers.small_run import make_config


class Killed(BaseException):
    """Stops a run as SIGKILL would: nothing of ours catches it."""


@pytest.fixture(scope="module")
def config(small_encoder):
    return make_config(small_encoder)


@pytest.fixture(scope="module")
def uninterrupted(config, tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole") / "run"
    run_task(config, "influence_tuning", 1, folder)
    return folder


def outcome(folder):
    return [(folder / name).read_bytes() for name in ("metrics.jsonl", "model/model.safetensors")]


def kill_before(config, method, folder, batches_before, seconds, monkeypatch):
    calls = []
    collate, save = batches.collate_shared, loop.Checkpoints.save

    def collate_or_die(*args, **options):
        calls.append(args)
        if len(calls) > batches_before:
            raise Killed
        return collate(*args, **options)

    def save_the_last(*args):
        """Earlier checkpoints than the newest are not looked at."""
        if len(calls) == batches_before:
            save(*args)

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(batches, "collate_shared", collate_or_die)
        patch.setattr(loop.Checkpoints, "save", save_the_last)
        run_task(config, method, 1, folder, RunOptions(checkpoint_seconds=seconds))
    assert not (folder / "result.json").exists()


def run_killed_and_resumed(config, method, folder, batches_before, seconds, monkeypatch):
    kill_before(config, method, folder, batches_before, seconds, monkeypatch)
    return run_task(config, method, 1, folder, RunOptions(resume=True))


@pytest.mark.parametrize(
    ("batches_before", "checkpoint_seconds"),
    [
        (3, 0),  # between label chunks of one update
        (7, 0),  # inside the first round, after its first tuples
        (10, 0),  # inside the first round, after an update
        (13, 1e9),  # no checkpoint yet: from the start again
        (25, 0),  # after the second round
    ],
)
def test_killed_and_resumed(
    config, uninterrupted, tmp_path, monkeypatch, batches_before, checkpoint_seconds
):
    folder = tmp_path / "run"
    run_killed_and_resumed(
        config, "influence_tuning", folder, batches_before, checkpoint_seconds, monkeypatch
    )
    assert outcome(folder) == outcome(uninterrupted)


@pytest.mark.parametrize(
    ("settings", "batches_before"),
    [
        (
            {"directions": "projected", "split": "halves"},
            10,
        ),  # before the first update, which has its examples
        ({"dropout": True, "target": 0.1}, 8),  # between tuples
    ],
)
def test_killed_and_resumed_in_a_round(config, tmp_path, monkeypatch, settings, batches_before):
    config = replace(config, influence=replace(config.influence, **settings), cid_when="end")
    whole, folder = tmp_path / "whole", tmp_path / "run"
    run_task(config, "influence_tuning", 1, whole)
    run_killed_and_resumed(config, "influence_tuning", folder, batches_before, 0, monkeypatch)
    assert outcome(folder) == outcome(whole)


@pytest.mark.parametrize(
    ("method", "batches_before"),
    [
        ("fish", 5),  # inside a loop over the groups
        ("group_dro", 7),  # inside the second label step, after the group weights
        ("last_layer_retraining", 21),  # after the first chunk of the head
    ],
)
def test_killed_and_resumed_baselines(config, tmp_path, monkeypatch, method, batches_before):
    config = replace(
        config, last_layer=LastLayerConfig(epochs=2, learning_rate=0.1), cid_when="end"
    )
    whole, folder = tmp_path / "whole", tmp_path / "run"
    run_task(config, method, 1, whole)
    done = run_killed_and_resumed(config, method, folder, batches_before, 0, monkeypatch)
    assert outcome(folder) == outcome(whole)
    assert 0 < done.result["confounds"]["read"] <= done.result["confounds"]["visible"] == 44


@pytest.mark.parametrize(
    ("method", "batches_before"),
    [
        ("counterfactual_augmentation", 13),  # inside the second epoch
        ("ipg", 9),  # between the pairs of the second correction
    ],
)
def test_killed_and_resumed_with_twins(config, tmp_path, monkeypatch, method, batches_before):
    """Twins are made anew, those of the seed: every row of TextLen has one."""
    config = replace(config, cid_when="end", ipg=IpgConfig(pairs=10, batch=7))
    drawn = []

    def recorded(tables, rows, rng, name, real=run.make_twins):
        drawn.append(int(rng.integers(2**32)))
        return real(tables, rows, rng, name)

    monkeypatch.setattr(run, "make_twins", recorded)
    whole, folder = tmp_path / "whole", tmp_path / "run"
    run_task(config, method, 1, whole)
    done = run_killed_and_resumed(config, method, folder, batches_before, 0, monkeypatch)
    assert outcome(folder) == outcome(whole)
    of_seed = int(np.random.default_rng([1, 4]).integers(2**32))
    assert drawn == [of_seed] * 3
    assert done.result["confounds"]["visible"] == 44
    read = done.result["confounds"]["read"]
    assert read == 10 if method == "ipg" else 40 <= read <= 44
    assert done.result["notes"] == ["44 of 44 visible training rows have a counterfactual twin"]


@pytest.mark.parametrize(
    ("method", "batches_before"),
    [
        ("just_train_twice", 15),  # between marks of the first training's wrong answers
        ("just_train_twice", 24),  # inside the second label step of the second training
        ("cnc", 26),  # between the vectors of the second label step of the second training
        ("cnc", 28),  # between its gradients
        ("d3m", 5),  # inside the third label step of the first training, a part held out
        ("d3m", 25),  # between the chunks that give the reference's gradient
        ("d3m", 35),  # between scores
        ("d3m", 50),  # inside the second training
        ("iffair", 35),  # between scores
        ("iffair", 50),  # inside the second training, which weighs rows by them
        ("auto_d3m", 30),  # between pairs of the reference and the sample
    ],
)
def test_killed_and_resumed_trainings(config, tmp_path, monkeypatch, method, batches_before):
    """Chunks of JTT are 10, then 11 that mark, and 20, or twice as many of CnC.

    Those of D3M and IFFair are 20, 3 + 3 + 9 that mark, and 20. Those of Auto-D3M, whose reference
    is of at most half the rows, are 20, and at most 6 times 3 of pairs.
    """
    config = replace(
        config,
        cid_when="end",
        jtt=JttConfig(epochs=1),
        cnc=CncConfig(epochs=1),
        d3m=D3mConfig(drop=0.2, sample=12),
    )
    whole, folder = tmp_path / "whole", tmp_path / "run"
    done = run_task(config, method, 1, whole)
    run_killed_and_resumed(config, method, folder, batches_before, 0, monkeypatch)
    assert outcome(folder) == outcome(whole)
    (restart,) = (row for row in done.metrics if row["kind"] == "restart")
    assert restart["step"] == (5 if method in ("just_train_twice", "cnc") else 10)
    assert 0 < restart["marked"] < 44
    assert sum(value for key, value in restart.items() if "=" in key) == restart["marked"]


@pytest.mark.parametrize(
    "batches_before",
    [
        15,  # between chunks of the first biased model's Hessian
        25,  # between its self-influences
        38,  # in the second biased model
        75,  # in the finetuning that follows
        90,  # in the remedy
    ],
)
def test_killed_and_resumed_remedy(config, tmp_path, monkeypatch, batches_before):
    """Two biased models of 10 chunks and 2 times 11 more each, 20 of finetuning and 10 to mend."""
    of_bcsi = BcsiConfig(models=2, epochs=1, remedy_epochs=1, share=0.5)
    config = replace(config, bcsi=of_bcsi, cid_when="end")
    whole, folder = tmp_path / "whole", tmp_path / "run"
    done = run_task(config, "bcsi", 1, whole)
    run_killed_and_resumed(config, "bcsi", folder, batches_before, 0, monkeypatch)
    assert outcome(folder) == outcome(whole)
    marked = [row["marked"] for row in done.metrics if row["kind"] == "restart"]
    assert marked[0] == 0 < marked[1] < 44
    assert [row["note"] for row in done.metrics if row["kind"] == "cid"] == ["remedy, epoch 1"]


@pytest.mark.parametrize("name", ["cid_when", "accuracy_when"])
def test_measured_at_other_times(config, uninterrupted, tmp_path, monkeypatch, name):
    """A finished run is taken as it is; one that goes on has its pieces of work numbered."""
    other = replace(config, **{name: "end"})
    taken = run_task(other, "influence_tuning", 1, uninterrupted, RunOptions(resume=True))
    assert outcome(taken.folder) == outcome(uninterrupted)
    kill_before(config, "influence_tuning", tmp_path, 10, 0, monkeypatch)
    with pytest.raises(UserError, match=f"started with config.{name} 'always', not 'end'"):
        run_task(other, "influence_tuning", 1, tmp_path, RunOptions(resume=True))


def test_it_tells_where_it_ran(uninterrupted):
    description = json.loads((uninterrupted / "config.json").read_text())
    assert description["machine"] == machine() and description["machine"].endswith(" cores")


def test_measured_only_at_the_end(config, uninterrupted, tmp_path):
    done = run_task(
        replace(config, cid_when="end", accuracy_when="end"), "influence_tuning", 1, tmp_path
    )
    model = "model/model.safetensors"
    assert (tmp_path / model).read_bytes() == (uninterrupted / model).read_bytes()
    kinds = [row["kind"] for row in done.metrics]
    assert kinds.count("cid") == kinds.count("accuracy") == 1
