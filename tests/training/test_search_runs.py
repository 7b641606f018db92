"""A search that really trains: its worker is killed in a run, and the next one goes on with it."""

import json

import pytest

from itune.methods import LabelConfig
from itune.search import open_study, plan_search, work
from itune.search.grids import points
from itune.search.worker import run_folder
from itune.training import batches
from tests.helpers.small_run import make_config


class Killed(BaseException):
    """Ends a worker in the middle of a run."""


def test_killed_and_resumed(small_encoder, tmp_path, monkeypatch):
    label = LabelConfig(epochs=1, batch=8, chunk=4)
    config = make_config(small_encoder, label=label)
    grid = {"label.learning_rate": (1e-2, 1e-3)}
    plan = plan_search(config, "finetuning", (1,), grid)
    calls, real = [], batches.collate_shared

    def collate(*args, **options):
        calls.append(args)
        if len(calls) > 5:
            raise Killed
        return real(*args, **options)

    def study():
        where = str(tmp_path / "study.journal")
        return open_study(plan, where, tmp_path)

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(batches, "collate_shared", collate)
        work(study(), tmp_path, checkpoint_seconds=0.0)
    (begun,) = tmp_path.glob("*-1")
    assert (begun / "checkpoints").exists() and not (begun / "result.json").exists()
    made = (begun / "config.json").stat().st_mtime_ns
    work(study(), tmp_path)
    assert (begun / "config.json").stat().st_mtime_ns == made
    for status in study().statuses():
        folder = run_folder(tmp_path, status.point, 1)
        found = json.loads((folder / "config.json").read_text())
        result = json.loads((folder / "result.json").read_text())
        rate = points(grid)[status.point]["label.learning_rate"]
        assert found["config"]["label"]["learning_rate"] == rate
        assert status.accuracy == result["dev"]["accuracy"]
