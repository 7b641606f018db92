"""The report: what it counts, chooses and shows, and that its commands stand for the chosen."""

import json
import shlex
import tomllib
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from itune.config import parse
from itune.config.mappings import from_dict
from itune.search import make_report
from itune.search.grids import points
from itune.search.study import PointStatus
from itune.training.run import RunConfig
from tests.helpers.small_search import GRID, make_plan

START = datetime(2026, 1, 1)


def done(point, accuracy, **notes):
    notes = {"collapsed": [], "seconds": 1800.0, **notes}
    ended = START + timedelta(hours=1 + point)
    return PointStatus(point, "done", accuracy, notes, START, ended)


ALL = [
    done(0, 0.7),
    done(1, 0.9),
    done(2, 0.5, collapsed=[1]),
    done(3, 0.9),
    done(4, 0.6),
    PointStatus(5, "failed", None, {"error": "not | finite\nat all"}, START, START),
]
UNFINISHED = [*ALL[:4], PointStatus(4, "running", None, {}, START), PointStatus(5, "left")]


@pytest.fixture
def plan(tmp_path):
    return make_plan(tmp_path)


@pytest.fixture
def report(plan, tmp_path):
    def report(statuses):
        command = ("python", "run.py", "--preset", "small preset")
        preset = RunConfig(max_length=32)
        return make_report(
            plan,
            statuses,
            tmp_path,
            command=command,
            preset=preset,
            name="small-chosen",
            seeds=(1, 2),
        )

    return report


def write_runs(folder, **accuracies):
    """Finished runs of the only seed, by setting."""
    for point, accuracy in accuracies.items():
        run = folder / f"{point.removeprefix('p')}-1"
        run.mkdir()
        test = {"accuracy": accuracy, "worst_group_accuracy": accuracy / 2}
        (run / "result.json").write_text(json.dumps({"test": test}))
        (run / "metrics.jsonl").write_text("")


def table(text, head):
    """The groups below a head."""
    lines = text[text.index(head) :].split("\n\n")[0].splitlines()
    return [[group.strip() for group in line.strip("|").split(" | ")] for line in lines[2:]]


def test_summary(report):
    text = report(ALL)
    assert text.startswith("# Search for influence tuning\n\n6 settings, seeds 1: 5 done, of which")
    assert "which 1 collapsed; 1 failed; 0 running; 0 left. The runs took 2.5 h in all; " in text
    assert "from the first start to the last end it was 5.0 h." in text
    assert "4 done, of which 1 collapsed; 0 failed; 1 running; 1 left." in report(UNFINISHED)


def test_settings_by_dev(report):
    rows = table(report(ALL), "| setting")
    assert [row[0] for row in rows] == ["001", "003", "000", "004", "002", "005"]
    assert rows[0][:4] == ["001", "25", "1e-05", "0.9000"]
    assert rows[4][4] == "collapsed with seed 1"
    assert rows[5][3:] == ["", r"failed: not \| finite at all"]
    assert [row[0] for row in table(report(UNFINISHED), "| setting")][-1] == "004"
    assert table(report(UNFINISHED), "| setting")[-1][4] == "running"


def test_test_of_the_chosen_alone(report, tmp_path):
    """Of equals the first; no other run's folder is there to be read."""
    write_runs(tmp_path, p001=0.8)
    assert "Setting 001, dev 0.9000. Test 0.8000; the worst group of test 0.4000." in report(ALL)


def test_no_test_before_the_end(report, tmp_path):
    write_runs(tmp_path, p001=0.8)
    text = report(UNFINISHED)
    assert "Setting 001, dev 0.9000. Its test accuracy is shown when the other 2 settings" in text
    assert "Test 0" not in text


def test_test_is_elsewhere(report, tmp_path):
    assert f"Its test accuracy is not here: {tmp_path / '001-1'} holds no" in report(ALL)


def test_the_command_stands_for_the_chosen(report, plan):
    (line,) = [line for line in report(ALL).splitlines() if line.startswith("    python")]
    words = shlex.split(line)
    assert words[:4] == ["python", "run.py", "--preset", "small preset"]
    options = dict(zip(words[4::2], words[5::2], strict=True))
    assert options.pop("--name") == "small-chosen"
    assert options.pop("--methods") == "influence_tuning" and options.pop("--seeds") == "1,2"
    assert options["--max_length"] == "64"  # the preset says 32
    assert not any(word.startswith("--label") for word in words)  # the preset says it
    argv = [word for pair in options.items() for word in pair]
    kwargs = {"prog": "", "description": "", "default_preset": None}
    chosen = parse(RunConfig, Path("/none"), argv, **kwargs)
    assert chosen == plan.settings[1]


def test_the_preset_stands_for_the_chosen(report, plan):
    text = report(ALL).split("```toml\n")[1].split("```")[0]
    assert text.startswith("# textlen: influence_tuning with the best of 6 settings, dev 0.9000\n")
    values = tomllib.loads(text)
    assert [values.pop(key) for key in ("name", "methods", "seeds")] == [
        "small-chosen",
        ["influence_tuning"],
        [1, 2],
    ]
    assert from_dict(RunConfig, values) == plan.settings[1]


def test_marginals(report):
    rows = table(report(ALL), "| key")
    assert rows[0] == ["influence.interval", "25", "2", "0.8000", "0.9000"]
    assert rows[2] == ["influence.interval", "100", "1", "0.6000", "0.6000"]
    assert rows[4] == ["influence.learning_rate", "1e-05", "2", "0.9000", "0.9000"]
    assert len(rows) == sum(map(len, GRID.values()))


def test_nothing_done(report):
    text = report([PointStatus(point, "left") for point in range(len(points(GRID)))])
    assert "0 done" in text and "Chosen" not in text and "6 left. The runs took 0 s" in text
