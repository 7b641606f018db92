"""A run that ``run.py`` has made is audited, loaded and read from its folder alone."""

import json
import shutil

import numpy as np
import pytest

import itune
import run as script
from itune.cli import run_main
from itune.commands import main
from itune.results import read_result
from itune.tables import task_tables
from itune.training.record import read_record

TINY = {
    "methods": "finetuning",
    "name": "tiny",
    "max_length": "16",
    "cid_probes": "6",
    "cid_when": "end",
    "label.epochs": "8",
    "label.batch": "8",
    "label.chunk": "4",
    "pad_to_multiple_of": "16",
    "label.learning_rate": "4e-3",
    "data.textlen.train_size": "60",
    "data.textlen.dev_size": "16",
    "data.textlen.test_size": "16",
}
QUICK = ["--sample", "8", "--draws", "20", "--whole", "never", "--random_probes", "0"]
OLD_NAMES = {
    "groups": "cells",
    "worst_group": "worst_cell",
    "worst_group_accuracy": "worst_cell_accuracy",
}
OLD_NAMES |= {f"dev_{new}": f"dev_{old}" for new, old in OLD_NAMES.items()}


@pytest.fixture(scope="module")
def folder(tmp_path_factory, small_encoder):
    out = tmp_path_factory.mktemp("runs")
    settings = {"encoder": str(small_encoder), "out": str(out), **TINY}
    words = [word for name, value in settings.items() for word in (f"--{name}", value)]
    assert run_main(script.main, words) == 0
    return out / "tiny" / "finetuning-2021"


def test_it_is_audited_without_naming_its_table(folder, tmp_path, capsys):
    assert main(["audit", str(folder), "--out", str(tmp_path / "audited"), *QUICK]) == 0
    found = json.loads((tmp_path / "audited" / "report.json").read_text())
    assert found["verdict"]["headline"][:40] in capsys.readouterr().out
    assert found["label_names"] == ["short", "long"]
    assert found["confound_names"] == ["Negative .", "Positive ."]
    assert found["sizes"] == {"train": 60, "dev": 16, "test": 16}
    result = json.loads((folder / "result.json").read_text())
    for split in ("dev", "test"):
        audited = found["audit"]["behaviour"][split]["accuracy"]
        assert audited["overall"] == result[split]["accuracy"]
        assert audited["by_group"] == result[split]["groups"]


def test_it_is_loaded_and_predicts_as_it_was_measured(folder):
    predictor = itune.load(folder)
    train = task_tables(read_record(folder).source).train
    texts = [text for (batch,) in train.batches(100) for text in batch]
    is_right = predictor.predict(texts) == np.array(["short", "long"])[train.label]
    measured = json.loads((folder / "result.json").read_text())["train"]["accuracy"]
    assert is_right.mean() == measured > 0.8


def test_a_run_of_format_1_is_read_as_one_of_today(folder, tmp_path):
    old = tmp_path / "finetuning-2021"
    shutil.copytree(folder, old)

    def renamed(value):
        if isinstance(value, dict):
            return {OLD_NAMES.get(key, key): renamed(item) for key, item in value.items()}
        return value

    result = json.loads((old / "result.json").read_text())
    assert result.pop("format") == 2
    (old / "result.json").write_text(json.dumps(renamed(result)))
    rows = map(json.loads, (old / "metrics.jsonl").read_text().splitlines())
    (old / "metrics.jsonl").write_text("".join(json.dumps(renamed(row)) + "\n" for row in rows))
    assert "group" not in (old / "metrics.jsonl").read_text() + json.dumps(renamed(result["test"]))

    then, now = read_result(old), read_result(folder)
    for name in ("accuracies", "dev_history", "cid_history", "final_cid", "label_names"):
        assert getattr(then, name) == getattr(now, name)
    assert len(now.accuracies["test"].groups) == 4 and len(now.dev_history) == 8
    assert itune.load(old).labels == ("short", "long")
