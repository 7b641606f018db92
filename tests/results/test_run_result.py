"""The record of a run, from rows of every version, with names and without."""

import json

import pytest

from itune.errors import UserError
from itune.results import read_results, results_table
from itune.results.run_result import result_of_row
from tests.helpers.made_up_runs import make_row

NAMES = {"label": ["bad", "good"], "confound": ["Acme", "Zenith"]}


def test_groups_without_names():
    run = result_of_row(make_row(accuracy=0.8), "here")
    test = run.accuracies["test"]
    assert [group.name for group in test.groups] == ["y=0 c=0", "y=0 c=1"]
    assert (test.worst.label, test.worst.confound, test.worst.size) == ("y=0", "c=1", None)
    assert (run.label_names, test.size) == ((), None)
    assert run.worst_group_accuracy == pytest.approx(0.6)
    assert run.balanced_accuracy == pytest.approx(0.8)


def test_groups_with_names():
    rows = {"all": 30, "full": 0, "groups": {"y=0 c=0": 10, "y=0 c=1": 20}}
    row = make_row(names=NAMES, rows=dict.fromkeys(("train", "dev", "test"), rows))
    run = result_of_row(row, "here")
    worst = run.accuracies["test"].worst
    assert (worst.name, worst.label, worst.confound) == ("bad/Zenith", "bad", "Zenith")
    assert (worst.size, run.accuracies["test"].size) == (20, 30)
    assert run.to_rows()[-1] == {
        "split": "test",
        "label": "bad",
        "confound": "Zenith",
        "accuracy": worst.accuracy,
        "size": 20,
    }


def test_a_row_of_version_1(tmp_path):
    """Groups were called cells."""
    old = json.dumps([make_row()]).replace("worst_group", "worst_cell").replace("groups", "cells")
    assert "group" not in old
    (tmp_path / "old.json").write_text(old)
    (tmp_path / "new.json").write_text(json.dumps([make_row()]))
    runs = [read_results([tmp_path / f"{name}.json"])[0] for name in ("old", "new")]
    assert runs[0].accuracies == runs[1].accuracies


def test_history():
    run = result_of_row(make_row(seed=0), "here")
    assert [(found.step, found.cid) for found in run.cid_history][:2] == [(0, 0.1), (4, 0.5)]
    assert run.cid == run.final_cid.cid == pytest.approx(0.25)
    assert run.cid_before == run.cid_history[0]
    only = result_of_row(make_row() | {"measured": []}, "here")
    assert only.cid_before is None and only.cid_history == ()


def test_a_cid_without_a_number():
    row = make_row()
    row["result"]["cid"] = row["measured"][-1] = {"kind": "cid", "step": 12, "cid": None}
    run = result_of_row(row, "here")
    assert run.cid is None and run.cid_history[-1].cid is None
    assert results_table([run]).splitlines()[1].split()[-3:] == ["–", "1.5", "min"]


def test_table():
    partly = result_of_row(make_row("group_dro", config={"access": {"rate": 0.2}}), "here")
    lines = results_table([result_of_row(make_row(), "here"), partly]).splitlines()
    assert lines[0].split("  ")[0] == "method" and lines[0].endswith("CID     time")
    expected = "finetuning 1 0.800 0.800 0.800 0.600 at y=0 c=1 +0.260 1.5 min"
    assert " ".join(lines[1].split()) == expected
    assert lines[2].startswith("group dro, 20% access  1")


def test_swapped_confounds():
    swapped = {"split": "test", "size": 40, "changed": 10}
    with_swaps = result_of_row(make_row(swapped=swapped), "here")
    lines = results_table([with_swaps, result_of_row(make_row(), "here")]).splitlines()
    assert lines[0].split()[-5:] == ["CID", "changed", "by", "swap", "time"]
    assert [line.split()[-3] for line in lines[1:]] == ["0.250", "–"]
    assert with_swaps.swapped_share == 0.25
    for changes in ({"size": 0, "changed": 0}, {"changed": 41}, {"changed": "few"}):
        with pytest.raises(UserError, match="here is damaged"):
            result_of_row(make_row(swapped=swapped | changes), "here")
