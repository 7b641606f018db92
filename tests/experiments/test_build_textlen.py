"""The command that writes TextLen."""

import os
import subprocess
import sys

import pytest

from itune.cli import run_main
from itune.corpora.jsonl import read_jsonl
from itune.corpora.newswire import newswire_sentences
from tests.helpers.scripts import EXPERIMENTS, load_script

SIZES = ["--train-size", "40", "--dev-size", "20", "--test-size", "10"]


@pytest.fixture(scope="module")
def script():
    return load_script("build_textlen")


def run(script, arguments):
    return run_main(script.main, arguments)


def read_all(folder):
    return {split: read_jsonl(folder / f"{split}.jsonl") for split in ("train", "dev", "test")}


def test_embedded_sentences(script, tmp_path, capsys):
    out = tmp_path / "new" / "folder"
    assert run(script, ["--conll", "embedded", "--out", str(out), *SIZES]) == 0
    assert {split: len(examples) for split, examples in read_all(out).items()} == {
        "train": 40,
        "dev": 20,
        "test": 10,
    }
    table = capsys.readouterr().out.splitlines()
    assert table[0] == "split  examples  y=0 c=0  y=0 c=1  y=1 c=0  y=1 c=1"
    assert table[1].split() == ["train", "40", "18", "2", "2", "18"]
    assert len(table) == 4


def test_knobs_reach_the_recipe(script, tmp_path):
    common = ["--conll", "embedded", *SIZES]
    run(script, [*common, "--out", str(tmp_path / "a")])
    run(script, [*common, "--out", str(tmp_path / "b"), "--spurious", "false"])
    run(script, [*common, "--out", str(tmp_path / "c"), "--seed", "1"])
    run(script, [*common, "--out", str(tmp_path / "d"), "--prefixes", "no,yes"])
    run(script, [*common, "--out", str(tmp_path / "e"), "--length-means", "4,9.5"])
    a, b, c, d, e = (read_all(tmp_path / name)["train"] for name in "abcde")
    assert b == [x._replace(tokens=x.tokens[2:]) for x in a]
    assert c != a and [x.label for x in c] == [x.label for x in a]
    assert {x.tokens[0] for x in d} == {"no", "yes"}
    assert sum(x.length for x in e) < sum(x.length for x in a) / 2


def test_a_folder_of_column_files(script, tmp_path):
    sentences = newswire_sentences(70, seed=0)
    for name, part in {"eng.train": sentences[:60], "testa": sentences[60:]}.items():
        lines = "\n".join("\n".join(f"{t} O" for t in s) + "\n" for s in part)
        (tmp_path / name).write_text(lines)
    assert run(script, ["--conll", str(tmp_path), "--out", str(tmp_path / "out"), *SIZES]) == 0
    run(script, ["--conll", "embedded", "--seed", "0", "--out", str(tmp_path / "same"), *SIZES])
    assert read_all(tmp_path / "out") == read_all(tmp_path / "same")


def test_files_are_replaced_only_when_asked(script, tmp_path, capsys):
    (tmp_path / "dev.jsonl").write_text("mine")
    command = ["--conll", "embedded", "--out", str(tmp_path), *SIZES]
    assert run(script, command) == 2
    assert "dev.jsonl exists" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["dev.jsonl"]
    assert (tmp_path / "dev.jsonl").read_text() == "mine"
    assert run(script, [*command, "--overwrite"]) == 0
    assert len(read_all(tmp_path)["dev"]) == 20


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--conll", "embedded", "--train-sise", "3"], "did you mean --train_size?"),
        (["--conll", "embedded", "--train-sise=3"], "did you mean --train_size?"),
        (["--conll", "embedded", "--xyzzy"], "--help lists the options"),
        (
            ["--conll", "embedded", "--train-size", "many"],
            "train_size must be an integer, got 'many'",
        ),
        (
            ["--conll", "embedded", "--train-size", "1"],
            "train_size must be an integer of at least 2, got 1",
        ),
        (
            ["--conll", "embedded", "--prefixes", "one"],
            "prefixes must be a list of 2 (a string, a string), got 'one'",
        ),
        (["--conll", "embedded", "--seed", "-1"], "seed must be a non-negative integer, got -1"),
        (["--conll", "/no/such/folder"], "/no/such/folder: no such folder"),
        ([], "conll is not set; give --conll"),
    ],
)
def test_errors_take_one_line_and_status_2(script, tmp_path, capsys, arguments, complaint):
    status = run(script, ["--out", str(tmp_path / "out"), *arguments])
    captured = capsys.readouterr()
    assert status == 2 and captured.out == ""
    assert captured.err.startswith("error: ") and captured.err.count("\n") == 1
    assert complaint in captured.err
    assert not (tmp_path / "out").exists()


def test_a_place_that_cannot_be_a_folder(script, tmp_path, capsys):
    (tmp_path / "file").write_text("")
    out = tmp_path / "file" / "out"
    assert run(script, ["--conll", "embedded", "--out", str(out), *SIZES]) == 2
    assert "cannot be made" in capsys.readouterr().err


def test_run_as_a_program(tmp_path):
    command = [
        sys.executable,
        EXPERIMENTS / "build_textlen.py",
        "--conll",
        "embedded",
        "--out",
        tmp_path,
        *SIZES,
    ]
    environment = os.environ | {"PYTHONPATH": str(EXPERIMENTS.parent)}
    for status in (0, 2):  # the second time the files are there
        done = subprocess.run(command, capture_output=True, text=True, env=environment)
        assert done.returncode == status, done.stderr
    assert done.stderr.startswith("error: ") and "Traceback" not in done.stderr
