"""Arguments that no file, folder or column can be called: one line, and exit status 2."""

import pytest

from itune.commands import main
from itune.commands.example import next_steps
from itune.errors import as_path
from tests.helpers import tuning_cases
from tests.helpers.table_cases import write_rows

LONG = "x" * 300
PATHS = {"~nobodyhere/x.csv": "Could not determine home", f"{LONG}.csv": "File name too long"}


@pytest.fixture
def table(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_rows(tmp_path / "reviews.csv", tuning_cases.make_rows())
    return ["reviews.csv", *(f"--{key}={name}" for key, name in tuning_cases.COLUMNS.items())]


def refusal(capsys, *argv):
    assert main([*argv]) == 2
    out, error = capsys.readouterr()
    assert out == "" and error.startswith("error: ") and error.count("\n") == 1
    return error


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "argv",
    [
        ["describe", "{}"],
        ["describe", "TABLE", "--dev={}"],
        ["describe", "TABLE", "--rule=words:@{}"],
        ["tune", "TABLE", "--out={}"],
        ["tune", "TABLE", "--training.encoder={}", "--out=new"],
        ["compare", "TABLE", "--out={}"],
        ["audit", "{}"],
        ["audit", "model", "--out={}"],
        ["example", "--out={}"],
    ],
    ids=" ".join,
)
def test_paths_that_cannot_be(path, argv, table, tmp_path, capsys):
    words = sum((table if word == "TABLE" else [word.format(path)] for word in argv), [])
    assert f"cannot be used as a path ({PATHS[path]}" in refusal(capsys, *words)
    assert [file.name for file in tmp_path.iterdir()] == ["reviews.csv"]


@pytest.mark.parametrize("key", ["text", "text_pair", "label", "confound", "dev", "test", "subset"])
def test_names_that_are_empty(key, table, capsys):
    assert f"{key} must be a name, got ''" in refusal(capsys, "describe", *table, f"--{key}=")


@pytest.mark.parametrize("name", ["a\rb", "a\nb", "\x1b[1m", LONG])
@pytest.mark.parametrize("key", ["text", "label", "confound"])
def test_names_with_control_characters(key, name, table, capsys):
    error = refusal(capsys, "describe", *table, f"--{key}={name}")
    assert repr(name) in error


def test_home_is_expanded_wherever_a_folder_is_given(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert main(["example", "--out=~/mine"]) == 0
    assert (tmp_path / "mine" / "train.csv").is_file()
    assert capsys.readouterr().out.startswith(next_steps(as_path("~/mine"))[:20])
