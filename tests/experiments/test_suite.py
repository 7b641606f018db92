"""The commands for the paper's tables and figures, on made-up runs and on one that is tiny."""

import csv
import json
import shutil

import numpy as np
import pytest
from filelock import FileLock

import collect
import figure1
import figure3
import suite
import table2
import table3
from itune.cli import run_main
from itune.training.run_folder import LOCK, RunInUse, RunOptions
from itune.utils.files import UNFINISHED
from tests.helpers.made_up_runs import CONFIG, make_row, write_run
from tests.helpers.small_run import make_encoder

METHODS = ("finetuning", "influence_tuning")


@pytest.fixture
def runs(tmp_path):
    """Two methods with seeds 1 and 2, and influence tuning at 5 %."""
    out = tmp_path / "runs"
    for seed in (1, 2):
        for method, accuracy in zip(METHODS, (0.7, 0.8), strict=True):
            folder = out / "textlen-minilm" / f"{method}-{seed}"
            write_run(folder, method, seed, accuracy + seed / 100)
    write_run(
        out / "textlen-minilm-access-5" / "influence_tuning-1",
        *("influence_tuning", 1, 0.5),
        config={"access": {"rate": 0.05}},
        collapsed=True,
        confounds={"visible": 75, "read": 60},
    )
    return out


def read_csv(path):
    return list(csv.DictReader(path.read_text().splitlines()))


def render(command, runs, *more):
    return run_main(command.main, ["--render", "--out", str(runs), "--seeds", "1,2", *more])


def test_table2(runs, capsys):
    assert render(table2, runs, "--tasks", "textlen") == 0
    out = capsys.readouterr().out
    assert "6 of 10 runs are missing." in out and "Encoder" not in out
    folder = runs / "tables"
    names = {f"table2.{suffix}" for suffix in ("md", "tex", "csv", "png", "svg")}
    assert {path.name for path in folder.iterdir()} == names
    assert all(str(folder / name) in out for name in names)
    rows = read_csv(folder / "table2.csv")
    assert [(row["method"], row["source"], row["mean"]) for row in rows] == [
        ("finetuning", "here", "71.50"),
        ("finetuning", "paper", "76.00"),
        ("influence tuning", "here", "81.50"),
        ("influence tuning", "paper", "80.48"),
    ]
    assert rows[2]["accuracy of each seed"] == "81.0 82.0"
    assert "6 of 10 runs are missing." in (folder / "table2.md").read_text()


def test_table3(runs, tmp_path, capsys):
    to = tmp_path / "elsewhere"
    assert render(table3, runs, "--rates", "5,100", "--tasks", "textlen", "--to", str(to)) == 0
    assert "5 of 8 runs are missing." in capsys.readouterr().out
    rows = read_csv(to / "table3.csv")
    assert [(row["access"], row["all seeds: mean"], row["confounds read"]) for row in rows] == [
        ("5 %", "50.00", "60"),
        ("100 %", "81.50", ""),
    ]
    assert rows[0]["succeeded: mean"] == "" and rows[0]["paper: succeeded"] == "78.24"


def test_figure3(runs, capsys):
    assert render(figure3, runs) == 0
    assert "2 of 6 runs are missing." in capsys.readouterr().out
    text = (runs / "tables" / "figure3.svg").read_text()
    for label in ("finetuning", "influence tuning", "+0.265 at the end (◇ paper +0.093)"):
        assert label in text
    assert "+0.165 at the end (◇ paper +0.035)" in text
    assert (runs / "tables" / "figure3.png").exists()


def test_from_collected_results(runs, tmp_path, capsys):
    """The same files from the collection of a whole tree as from the tree."""
    collection = tmp_path / "all.json"
    assert run_main(collect.main, [str(runs), "--out", str(collection)]) == 0
    assert len(json.loads(collection.read_text())) == 5
    for command in (table2, table3, figure3):
        assert render(command, runs) == 0
        arguments = ["--results", str(collection), "--seeds", "1,2", "--to", str(tmp_path / "new")]
        assert run_main(command.main, arguments) == 0
    for path in (runs / "tables").iterdir():
        assert (tmp_path / "new" / path.name).read_bytes() == path.read_bytes(), path.name


def fake_run(config, method, folders, options):
    assert options == RunOptions(resume=True)
    for seed, folder in folders.items():
        if not folder.exists():
            write_run(folder, method, seed)
        fake_run.calls.append((str(folder.parent.name), method, seed, config.data.source))


@pytest.fixture
def no_training(monkeypatch):
    fake_run.calls = []
    monkeypatch.setattr(suite, "run_task_seeds", fake_run)
    monkeypatch.setattr(suite, "to_dict", lambda config: CONFIG)


def test_what_is_missing_is_run(runs, tmp_path, no_training, capsys):
    arguments = ["--out", str(runs), "--seeds", "2,3", "--methods", ",".join(METHODS)]
    assert run_main(table2.main, [*arguments, "--textlen", str(tmp_path / "data")]) == 0
    source = str(tmp_path / "data")
    assert fake_run.calls == [
        (f"{task}-minilm", method, seed, source if task == "textlen" else "MSGS")
        for seed in (2, 3)
        for task in ("textlen", "msgs")
        for method in METHODS
    ]
    captured = capsys.readouterr()
    assert captured.err.splitlines()[0] == f"run 3 of 8: {runs}/msgs-minilm/finetuning-2"
    assert "runs are missing" not in captured.out


def test_runs_are_shared_with_other_processes(runs, no_training, monkeypatch, capsys):
    """One is at work on seed 3 of finetuning, and one begins with that of influence tuning."""
    at_work, taken = runs / "textlen-minilm" / "finetuning-3", "influence_tuning-3"
    at_work.mkdir()
    (lock := FileLock(at_work / LOCK)).acquire()
    begun = []

    def run(config, method, folders, options):
        names = [folder.name for folder in folders.values()]
        if taken in names and not begun:
            begun.append(taken)
            raise RunInUse("another process")
        fake_run(config, method, folders, options)

    def sleep(seconds):
        lock.release()
        shutil.rmtree(at_work)
        write_run(at_work, "finetuning", 3)

    monkeypatch.setattr(suite, "run_task_seeds", run)
    monkeypatch.setattr(suite.time, "sleep", sleep)
    arguments = ["--out", str(runs), "--seeds", "3,4", "--methods", ",".join(METHODS)]
    assert run_main(table2.main, [*arguments, "--tasks", "textlen"]) == 0
    done = [(method, seed) for _, method, seed, _ in fake_run.calls]
    first, second = METHODS
    assert done == [(first, 4), (second, 4), (first, 3), (second, 3)]
    captured = capsys.readouterr()
    assert "waiting for runs of other processes: 1, 2\n" in captured.err
    assert "runs are missing" not in captured.out


@pytest.mark.usefixtures("chooses_devices")
def test_runs_of_other_seeds_advance_together(runs, no_training, monkeypatch):
    """Three of a method at once; not those that have finished or that another process is at."""
    at_work = runs / "textlen-minilm" / "finetuning-4"
    at_work.mkdir()
    groups = []

    def run(config, method, folders, options):
        groups.append((method, list(folders)))
        fake_run(config, method, folders, options)

    def sleep(seconds):
        lock.release()

    monkeypatch.setattr(suite, "run_task_seeds", run)
    monkeypatch.setattr(suite.time, "sleep", sleep)
    (lock := FileLock(at_work / LOCK)).acquire()
    arguments = ["--out", str(runs), "--seeds", "3,1,4,5,6,7", "--methods", ",".join(METHODS)]
    together = ["--devices", "1", "--together", "3"]
    assert run_main(table2.main, [*arguments, "--tasks", "textlen", *together]) == 0
    first, second = METHODS
    expected = [(first, [1]), (second, [1]), (first, [3, 5, 6]), (second, [3, 4, 5])]
    expected += [(second, [6, 7]), (first, [7])]
    assert groups[:6] == sorted(expected, key=groups.index)
    assert groups[6:] == [(first, [4])]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--devices", "99"], "devices must be from 1 to 8, as many as there are, got 99"),
        (["--together", "0"], "together must be a positive integer, got 0"),
    ],
)
def test_hardware_that_is_not_there(words, message, runs, no_training, capsys):
    assert run_main(table2.main, ["--out", str(runs), *words]) == 2
    assert capsys.readouterr().err == f"error: {message}\n" and not fake_run.calls


def test_settings_of_every_run(runs, no_training, monkeypatch):
    found = []
    monkeypatch.setattr(suite, "run_task_seeds", lambda config, *args, **kw: found.append(config))
    arguments = ["--out", str(runs), "--seeds", "1", "--methods", "finetuning"]
    words = ["--set", "label.chunk=32", "cid_probes=9", "--tasks", "textlen"]
    words += ["--set", "pad_to_multiple_of=16"]
    assert run_main(table2.main, [*arguments, *words]) == 0
    (config,) = found
    assert (config.label.chunk, config.cid_probes, config.pad_to_multiple_of) == (32, 9, 16)


@pytest.fixture(autouse=True)
def presets(tmp_path, monkeypatch):
    """A preset for every task."""
    folder = tmp_path / "presets"
    folder.mkdir()
    (folder / "textlen-minilm.toml").write_text('[data]\nsource = "hub"\n')
    (folder / "msgs-minilm.toml").write_text('[data]\nsource = "MSGS"\n')
    monkeypatch.setattr(suite, "PRESETS", folder)
    return folder


def other_task(runs):
    write_run(runs / "textlen-minilm" / "adversarial-1", "adversarial", 1, task="msgs")


def mix(runs):
    change = {"label": {"epochs": 4}}
    write_run(runs / "textlen-minilm" / "adversarial-1", "adversarial", 1, config=change)


def misplace(runs):
    write_run(runs / "textlen-minilm" / "adversarial-1", "adversarial", 2)


def wrong_rate(runs):
    write_run(runs / "textlen-minilm-access-20" / "influence_tuning-1", "influence_tuning", 1)


def damage(runs):
    (runs / "textlen-minilm" / "finetuning-1" / "result.json").write_text("{")


def damage_config(runs):
    (runs / "textlen-minilm" / "finetuning-1" / "config.json").write_text("[]")


def twice(runs):
    (runs / "a.json").write_text(json.dumps([make_row(), make_row()]))


RENDER = ["--render"]
BAD = {
    "mixed": (table2, mix, RENDER, "was run with label.epochs 4, but "),
    "mixed, about to run": (table2, mix, [], "was run with label.epochs 4, but the setting has 3"),
    "misplaced": (
        table2,
        misplace,
        RENDER,
        "is adversarial of textlen with seed 2 and access",
    ),
    "misplaced task": (table2, other_task, RENDER, "is adversarial of msgs with seed 1 and access"),
    "another rate": (table3, wrong_rate, RENDER, "seed 1 and access rate 1.0, as its place does"),
    "damaged": (table2, damage, RENDER, "finetuning-1: result.json or metrics.jsonl is damaged"),
    "damaged config": (table2, damage_config, RENDER, "config.json is damaged: it holds no dict"),
    "no setting": (table2, None, ["--set", "seeds=1"], "'seeds=1' is no KEY=VALUE of a setting"),
    "another task": (table2, None, ["--set", "data.task=msgs"], "data.task is set by --tasks"),
    "a rate": (
        table2,
        None,
        ["--set", "access.rate=0.5"],
        "access.rate is set by --rates",
    ),
    "no value": (
        table2,
        None,
        ["--set", "max_length"],
        "'max_length' is no KEY=VALUE of a setting",
    ),
    "twice": (figure3, twice, ["--results", "runs/a.json"], "run 2 is finetuning with seed 1 of a"),
    "nothing": (
        table2,
        None,
        [*RENDER, "--encoder", "base"],
        "no finished run of textlen, msgs th",
    ),
    "no file": (table3, None, ["--results", "nowhere.json"], "cannot read nowhere.json: "),
    "task": (table2, None, ["--tasks", "textlen,x"], "'textlen,x' is no list of different tasks"),
    "method": (table2, None, ["--methods", "tuning"], "'tuning' is no list of different methods"),
    "seed": (table2, None, ["--seeds", "1,1"], "'1,1' is no list of different integers from 0"),
    "no seed": (table2, None, ["--seeds", "a"], "'a' is no list of different integers from 0"),
    "rate": (table3, None, ["--rates", "0"], "'0' is no list of different percentages"),
    "no rates": (table2, None, ["--rates", "5"], "--rates is not an option; did you mean"),
    "encoder": (table2, None, ["--encoder", "big"], "argument --encoder: invalid choice: 'big'"),
    "place": (table3, None, [*RENDER, "--to", "runs/file/x"], "cannot write to runs/file/x: Not a"),
    "data": (table2, None, ["--msgs", "nowhere"], "data.source 'nowhere' is neither a folder nor"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input(case, runs, tmp_path, monkeypatch, capsys):
    command, change, arguments, message = BAD[case]
    if case == "mixed, about to run":
        monkeypatch.setattr(suite, "to_dict", lambda config: CONFIG)
    monkeypatch.chdir(tmp_path)
    (runs / "file").write_text("")
    if change is not None:
        change(runs)
    if case == "data":
        arguments = [*arguments, "--tasks", "msgs"]
    assert run_main(command.main, ["--out", "runs", "--seeds", "1", *arguments]) == 2
    captured = capsys.readouterr()
    lines = [line for line in captured.err.splitlines() if not line.startswith("run 1 of")]
    assert captured.out == "" and len(lines) == 1 and lines[0].startswith("error: ")
    assert message in lines[0]
    assert not (runs / "tables").exists()


@pytest.mark.parametrize("out", ["nowhere/a.json", "folder"])
def test_collecting_to_where_nothing_can_be_written(runs, tmp_path, capsys, out):
    (tmp_path / "folder").mkdir()
    assert run_main(collect.main, [str(runs), "--out", str(tmp_path / out)]) == 2
    assert capsys.readouterr().err.startswith(f"error: cannot write {tmp_path / out}: ")
    assert not list(tmp_path.glob(f"*{UNFINISHED}"))


def test_collecting_nothing(tmp_path, capsys):
    assert run_main(collect.main, [str(tmp_path), "--out", str(tmp_path / "a.json")]) == 2
    assert "holds no finished run" in capsys.readouterr().err


TINY = """
encoder = "{encoder}"
max_length = 16
pad_to_multiple_of = 16
cid_probes = 6

[data]
source = "embedded"

[data.textlen]
train_size = 44
dev_size = 8
test_size = 8

[label]
epochs = 1
batch = 8
chunk = 4
"""


def test_a_run_and_its_probes(tmp_path, presets, capsys):
    """Figure 1's differences are those whose mean the run has measured."""
    encoder = make_encoder(tmp_path / "small")
    (presets / "textlen-minilm.toml").write_text(TINY.format(encoder=encoder))
    out = tmp_path / "runs"
    arguments = ["--out", str(out), "--tasks", "textlen", "--methods", "finetuning"]
    for _ in range(2):  # the second time it is there
        assert run_main(table2.main, [*arguments, "--seeds", "1"]) == 0
    folder = out / "textlen-minilm" / "finetuning-1"
    assert run_main(figure1.main, [str(folder), "--probes", "0,1,2,3,4,5"]) == 0
    assert str(folder / "figure1.png") in capsys.readouterr().out
    found = json.loads((folder / "figure1.json").read_text())
    differences = [influence["difference"] for influence in found]
    measured = json.loads((folder / "result.json").read_text())["cid"]["cid_without_self"]
    np.testing.assert_allclose(np.mean(differences), measured, rtol=0, atol=1e-5)
    assert len(found[0]["same"]) + len(found[0]["different"]) == 21
    bad = {
        "--probes=44": "probe must be an index from 0 to 43, got 44",
        "--probes=a": "'a' is no list of different indices",
    }
    for argument, message in bad.items():
        assert run_main(figure1.main, [str(folder), argument]) == 2
        assert message in capsys.readouterr().err
    config = json.loads((folder / "config.json").read_text())
    config["data_sha256"] = "other"
    (folder / "config.json").write_text(json.dumps(config))
    assert run_main(figure1.main, [str(folder)]) == 2
    assert "config.json: the run had other data than textlen has now" in capsys.readouterr().err
    (folder / "config.json").write_text(json.dumps(config | {"method": "foo"}))
    assert run_main(figure1.main, [str(folder)]) == 2
    assert "config.json is damaged: it is of method 'foo'" in capsys.readouterr().err
    assert run_main(figure1.main, [str(tmp_path)]) == 2
    assert "cannot read " in capsys.readouterr().err
