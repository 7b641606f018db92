"""The command search.py: search, resume and report without training; mistakes take one line."""

import json

import pytest

from itune.cli import run_main
from itune.search import worker
from itune.training.run import read_run
from tests.helpers.scripts import load_script


@pytest.fixture(scope="module")
def main():
    return load_script("search").main


@pytest.fixture
def command(small_encoder, tmp_path):
    grid = tmp_path / "grid.toml"
    grid.write_text("[label]\nlearning_rate = [1e-2, 1e-3]\n")

    def command(*more, **changes):
        values = {
            "preset": "textlen-minilm",
            "method": "finetuning",
            "grid": grid,
            "search-seeds": "1",
            "seeds": "1,2",
            "encoder": small_encoder,
            "max_length": 16,
            "cid_probes": 6,
            "data.source": "embedded",
            "data.textlen.train_size": 44,
            "data.textlen.dev_size": 8,
            "data.textlen.test_size": 8,
            "label.epochs": 1,
            "label.batch": 8,
            "out": tmp_path / "out",
            **changes,
        }
        words = [word for name, value in values.items() for word in (f"--{name}", str(value))]
        return [*words, *more]

    return command


@pytest.fixture
def trained(monkeypatch):
    """The learning rates that were asked for; 0.001 does best on dev."""
    rates = []

    def run(config, method, folders, options):
        (seed, folder), *_ = folders.items()
        rates.append(config.label.learning_rate)
        split = {"accuracy": 1 - rates[-1], "worst_group_accuracy": 0.25}
        result = {"dev": split, "test": split, "seconds": 60}
        folder.mkdir(parents=True)
        (folder / "result.json").write_text(json.dumps(result))
        (folder / "metrics.jsonl").write_text("")
        return {seed: read_run(folder)}

    monkeypatch.setattr(worker, "run_task_seeds", run)
    return rates


def test_search_resume_report(main, command, trained, tmp_path, capfd):
    assert run_main(main, command("--trials", "1")) == 0
    out, err = capfd.readouterr()
    assert "2 settings, seeds 1: 1 done" in out and "1 left" in out and "Test 0" not in out
    assert "search: 1 of 2: label.learning_rate " in err
    folder = tmp_path / "out" / "textlen-minilm" / "search-finetuning"
    assert (folder / "study.journal").exists() and len(list(folder.glob("*/result.json"))) == 1
    assert run_main(main, command()) == 0
    out, err = capfd.readouterr()
    assert "2 done" in out and "0 left" in out and sorted(trained) == [0.001, 0.01]
    assert "dev 0.9990. Test 0.9990; the worst group of test 0.2500." in out
    assert "search: 2 of 2: " in err and "search: 1 of 2" not in err
    assert "python experiments/run.py --preset textlen-minilm --name textlen-minilm-chosen" in out
    assert " --methods finetuning --seeds 1,2 --encoder " in out
    assert " --label.learning_rate 0.001" in out and "\nlearning_rate = 0.001\n" in out
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert run_main(main, command("--report")) == 0
    assert capfd.readouterr() == (out, "")
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"method": "tuning"}, "method must be one of finetuning, "),
        ({"grid": "papr"}, "grid must be paper, paper-msgs, small or a file ….toml, got 'papr'"),
        ({"grid": "paper"}, "grid 'paper' has nothing for finetuning; name a file"),
        ({"trials": 0}, "trials must be a positive integer or none, got 0"),
        ({"together": 0}, "together must be a positive integer or none, got 0"),
        ({"devices": 99}, "devices must be from 1 to 8, as many as there are, got 99"),
        ({"search-seeds": ""}, "search_seeds must be a list of different integers"),
        ({"seeds": "1,1"}, "seeds must be a list of different integers"),
        ({"study": "mysqll://host/base"}, "cannot use the study mysqll://host/base (NoSuchModule"),
        ({"encoder": "./nowhere"}, "encoder folder ./nowhere does not exist"),
        ({"stduy": "a"}, "--stduy is not an option; did you mean --study?"),
        ({"report": "true"}, "there is no study "),
    ],
)
def test_mistakes(main, command, capfd, changes, message):
    assert run_main(main, command(**changes)) == 2
    out, err = capfd.readouterr()
    assert out == "" and err.count("\n") == 1 and err.startswith("error: ")
    assert message in err


def test_a_damaged_study(main, command, tmp_path, capfd):
    study = tmp_path / "study.journal"
    study.write_text("mine\n")
    assert run_main(main, command(study=study)) == 2
    assert "cannot use the study " in capfd.readouterr().err
    assert study.read_text() == "mine\n"
