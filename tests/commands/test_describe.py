"""itune describe: what it prints, and what it says of bad input."""

import csv
import json
import subprocess
import sys

import pytest

from itune.commands import main

LABELS, BRANDS = ("neg", "pos"), ("acme", "umbrella")
ROWS = [(f"text {i}", LABELS[i % 2], BRANDS[i // 2 % 2]) for i in range(40)]


@pytest.fixture
def path(tmp_path):
    with (tmp_path / "reviews.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("text", "label", "confound"), *ROWS])
    return str(tmp_path / "reviews.csv")


def test_what_it_prints(path, capsys):
    assert main(["describe", path, "--split_seed", "3"]) == 0
    shown, errors = capsys.readouterr()
    lines = [" ".join(line.split()) for line in shown.splitlines()]
    assert lines[0] == path and not errors
    assert "rows 32 4 4" in lines and "Cramér's V 0 0 0" in lines
    assert "label train dev test" in lines and "neg 16 2 2" in lines
    assert "neg acme 8 1 1" in lines and "train 2 2 2 2 2" in lines
    assert (
        "warning: 4 groups have fewer than 20 training rows: neg/acme, neg/umbrella, pos/acme and "
        "1 more"
    ) in lines
    assert lines[-1].endswith("is uncertain by up to 98 points, so raise test_fraction")


def test_a_rule_and_no_confound(path, capsys):
    assert main(["describe", path, "--rule", "odd=regex:[13579]$ || words:text"]) == 0
    assert "words:text" in capsys.readouterr().out
    assert main(["describe", "--train", path, "--confound", "none"]) == 0
    shown = capsys.readouterr().out
    assert "warning: no training row has a confound; give a column" in shown
    assert "acme" not in shown


def test_many_values_and_long_names(tmp_path, capsys):
    rows = [(f"t{i}", 0, "x" * 99 if i > 30 else f"c{i:02}") for i in range(40)]
    with (tmp_path / "a.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("text", "label", "confound"), *rows])
    assert main(["describe", str(tmp_path / "a.csv"), "--dev_fraction", "0"]) == 0
    shown = capsys.readouterr().out
    assert shown.count("(20 more)") == 2  # of confounds and of groups
    assert "c11" not in shown.split("warning")[0]


def test_the_same_confounds_are_left_out_of_each_table(tmp_path, capsys):
    rows = [(f"t{i}", i // 14 % 2, f"c{i % 14:02}") for i in range(280)]
    rows += [(f"more {i}", i % 2, f"c{i % 7 * 2 + i % 3 % 2:02}") for i in range(90)]
    with (tmp_path / "a.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("text", "label", "confound"), *rows])
    assert main(["describe", str(tmp_path / "a.csv"), "--dev_fraction", "0"]) == 0
    blocks = capsys.readouterr().out.split("\n\n")
    _, _, _, confounds, groups, *_ = [
        [line.split() for line in block.splitlines()[1:]] for block in blocks
    ]
    assert len(confounds) == 13 and len(groups) == 25
    assert confounds[-1] == ["(2", "more)"] == groups[-1]
    assert {row[0] for row in confounds[:-1]} == {row[1] for row in groups[:-1]}


def test_the_title_names_a_folder_once(tmp_path, capsys):
    for split in ("train", "dev", "test"):
        with (tmp_path / f"{split}.csv").open("w", newline="") as file:
            csv.writer(file).writerows([("text", "label", "confound"), *ROWS])
    assert main(["describe", str(tmp_path)]) == 0
    assert capsys.readouterr().out.splitlines()[0] == f"{tmp_path}: train.csv, dev.csv, test.csv"


def test_long_names(tmp_path, capsys):
    rows = [(f"t{i}", 0, "x" * 99 if i > 30 else f"c{i % 9:02}") for i in range(40)]
    with (tmp_path / "a.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("text", "label", "confound"), *rows])
    assert main(["describe", str(tmp_path / "a.csv"), "--dev_fraction", "0"]) == 0
    shown = capsys.readouterr().out
    assert "x" * 39 + "…" in shown and "x" * 40 not in shown.split("warning")[0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--txt", "x"], "--txt is not an option; did you mean --text?"),
        (["--label", "lable"], "has no column 'lable'; did you mean 'label'?"),
        (["--rule", "regex:("], "is no regular expression"),
        (["--split_seed", "x"], "--split_seed must be an integer, got 'x'"),
        (["--dev", "none.csv"], "none.csv: no such file"),
        (["--dev", "no/thing"], "cannot load no/thing from the hub"),
    ],
)
def test_bad_input(path, arguments, message, capsys):
    assert main(["describe", path, *arguments]) == 2
    out, error = capsys.readouterr()
    assert out == "" and error.startswith("error: ") and error.count("\n") == 1
    assert message in error


def test_json(path, capsys):
    assert main(["describe", path, "--json"]) == 0
    shown, errors = capsys.readouterr()
    found = json.loads(shown, parse_constant=pytest.fail)
    assert found["label_names"] == ["neg", "pos"] and found["splits"]["train"]["size"] == 32
    assert "4 groups have fewer" in found["warnings"][0] and not errors


def test_no_file_at_all(capsys):
    assert main(["describe"]) == 2
    assert "TABLE is not set; name a file" in capsys.readouterr().err


@pytest.mark.parametrize("more", [(), ("--confound", "nowhere")])
def test_as_a_module(path, more):
    done = subprocess.run(
        [sys.executable, "-m", "itune", "describe", path, *more], capture_output=True, text=True
    )
    shown, silent = (done.stderr, done.stdout) if more else (done.stdout, done.stderr)
    assert done.returncode == (2 if more else 0) and not silent
    assert ("has no column 'nowhere'" if more else "rows") in shown
