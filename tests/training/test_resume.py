"""A run that was killed and goes on ends as if nothing had happened, bit for bit."""

import json
from dataclasses import replace
from functools import cache, partial

import numpy as np
import pytest

from itune.errors import UserError
from itune.methods import IpgConfig, JttConfig
from itune.training import preparation
from itune.training.run import run_task
from itune.training.run_folder import RunOptions
from itune.training.versions import machine
from tests.helpers.killing import kill_and_resume, kill_before
from tests.helpers.small_run import make_config


@pytest.fixture(scope="module")
def config(small_encoder):
    return make_config(small_encoder)


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    """Trains without a pause; each configuration and method once."""
    return cache(
        lambda config, method: run_task(config, method, 1, tmp_path_factory.mktemp("whole") / "run")
    )


def outcome(folder):
    return [(folder / name).read_bytes() for name in ("metrics.jsonl", "model/model.safetensors")]


@pytest.mark.parametrize(
    ("places", "checkpoint_seconds"),
    [
        (
            [
                3,  # between label chunks of one update
                7,  # inside the first round, after its first tuples
                10,  # inside the first round, after an update
                25,  # after the second round
            ],
            0,
        ),
        ([13], 1e9),  # no checkpoint yet: from the start again
    ],
)
def test_killed_and_resumed(config, uninterrupted, tmp_path, places, checkpoint_seconds):
    method = "influence_tuning"
    kill_and_resume(places, config, method, tmp_path, seconds=checkpoint_seconds)
    assert outcome(tmp_path) == outcome(uninterrupted(config, method).folder)


@pytest.mark.parametrize(
    ("method", "places"),
    [
        ("counterfactual_augmentation", [13]),  # inside the second epoch
        ("ipg", [9]),  # between the pairs of the second correction
    ],
)
def test_killed_and_resumed_with_twins(
    config, uninterrupted, tmp_path, monkeypatch, method, places
):
    """Twins are made anew, those of the seed: every row of TextLen has one."""
    config = replace(config, cid_when="end", ipg=IpgConfig(pairs=10, batch=7))
    drawn = []

    def recorded(tables, rows, rng, name, real=preparation.make_twins):
        drawn.append(int(rng.integers(2**32)))
        return real(tables, rows, rng, name)

    monkeypatch.setattr(preparation, "make_twins", recorded)
    whole = uninterrupted(config, method)
    done = kill_and_resume(places, config, method, tmp_path)
    assert outcome(tmp_path) == outcome(whole.folder)
    of_seed = int(np.random.default_rng([1, 4]).integers(2**32))
    assert drawn == [of_seed] * 3
    assert done.result["confounds"]["visible"] == 44
    read = done.result["confounds"]["read"]
    assert read == 10 if method == "ipg" else 40 <= read <= 44
    assert done.result["notes"] == ["44 of 44 visible training rows have a counterfactual twin"]


def test_killed_and_resumed_trainings(config, uninterrupted, tmp_path):
    """Chunks of the first training are 10, then 11 that mark, and 20."""
    config = replace(config, cid_when="end", jtt=JttConfig(epochs=1))
    places = [
        15,  # between marks of the first training's wrong answers
        24,  # inside the second label step of the second training
    ]
    done = kill_and_resume(places, config, "just_train_twice", tmp_path)
    assert outcome(tmp_path) == outcome(uninterrupted(config, "just_train_twice").folder)
    (restart,) = (row for row in done.metrics if row["kind"] == "restart")
    assert restart["step"] == 5 and 0 < restart["marked"] < 44
    assert sum(value for key, value in restart.items() if "=" in key) == restart["marked"]


@pytest.fixture(scope="module")
def killed(config, tmp_path_factory):
    folder = tmp_path_factory.mktemp("killed")
    options = RunOptions(checkpoint_seconds=0)
    kill_before(10, partial(run_task, config, "influence_tuning", 1, folder, options))
    return folder


@pytest.mark.parametrize("name", ["cid_when", "accuracy_when"])
def test_measured_at_other_times(config, uninterrupted, killed, name):
    """A finished run is taken as it is; one that goes on has its pieces of work numbered."""
    method, other = "influence_tuning", replace(config, **{name: "end"})
    folder = uninterrupted(config, method).folder
    before = outcome(folder)
    run_task(other, method, 1, folder, RunOptions(resume=True))
    assert outcome(folder) == before
    with pytest.raises(UserError, match=f"started with config.{name} 'always', not 'end'"):
        run_task(other, method, 1, killed, RunOptions(resume=True))


def test_it_tells_where_it_ran(config, uninterrupted):
    folder = uninterrupted(config, "influence_tuning").folder
    description = json.loads((folder / "config.json").read_text())
    assert description["machine"] == machine() and description["machine"].endswith(" cores")


def test_measured_only_at_the_end(config, uninterrupted, tmp_path):
    done = run_task(
        replace(config, cid_when="end", accuracy_when="end"), "influence_tuning", 1, tmp_path
    )
    model = "model/model.safetensors"
    whole = uninterrupted(config, "influence_tuning").folder
    assert (tmp_path / model).read_bytes() == (whole / model).read_bytes()
    kinds = [row["kind"] for row in done.metrics]
    assert kinds.count("cid") == kinds.count("accuracy") == 1
