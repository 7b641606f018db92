"""A search that really trains: its worker is killed in a run, and the next one goes on with it."""

import json

from itune.methods import LabelConfig
from itune.search import open_study, plan_search, work
from itune.search.grids import points
from itune.search.worker import run_folder
from tests.helpers.killing import kill_before
from tests.helpers.small_run import make_config


def test_killed_and_resumed(small_encoder, tmp_path):
    label = LabelConfig(epochs=1, batch=8, chunk=4)
    config = make_config(small_encoder, label=label)
    grid = {"label.learning_rate": (1e-2, 1e-3)}
    plan = plan_search(config, "finetuning", (1,), grid)

    def study():
        where = str(tmp_path / "study.journal")
        return open_study(plan, where, tmp_path)

    kill_before(5, lambda: work(study(), tmp_path, checkpoint_seconds=0.0))
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
