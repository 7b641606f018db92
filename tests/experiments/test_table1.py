"""The command that prints and writes Table 1."""

import pytest

from itune.cli import run_main
from itune.corpora import Example, write_jsonl
from tests.helpers.released_data import RELEASED, needs_released
from tests.helpers.scripts import load_script


@pytest.fixture(scope="module")
def main():
    return load_script("table1").main


@pytest.fixture
def folder(tmp_path):
    groups = {"train": [(0, 0), (0, 0), (1, 1), (1, 0)], "dev": [(0, 1)], "test": [(1, 1), (1, 0)]}
    for name, examples in groups.items():
        write_jsonl(
            [Example(("word",), *group, 1) for group in examples], tmp_path / f"{name}.jsonl"
        )
    return tmp_path


def rows(text):
    """First groups of the lines of a Markdown table, and the groups after it."""
    lines = ([c.strip() for c in line.strip(" |").split("|")] for line in text.splitlines())
    return {groups[0]: groups[1:] for groups in lines}


def test_table(main, folder, tmp_path, capsys):
    assert run_main(main, ["--textlen", str(folder), "--out", str(tmp_path / "out")]) == 0
    found = rows(capsys.readouterr().out)
    assert found["size of train"] == ["4", "1500", "5000", "5000"]
    assert found["train, y=0 c=0"] == ["2", "675", "2492", "2517"]
    assert found["train, y=0 c=1"] == ["0", "75", "8", "6"]
    assert found["spurious success, train (%)"] == ["75.0", "90.0", "99.7", "99.7"]
    assert found["spurious success, test (%)"] == ["50.0", "50.0", "66.7", "66.7"]
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {"table1.md", "table1.csv", "table1.tex"}


@needs_released("textlen", "msgs")
def test_the_released_sets_have_the_published_numbers(main, capsys):
    folders = ["--textlen", str(RELEASED / "textlen"), "--msgs", str(RELEASED / "msgs")]
    assert run_main(main, folders) == 0
    found = {
        name: groups for name, groups in rows(capsys.readouterr().out).items() if len(groups) == 4
    }
    numbers = {name: groups for name, groups in found.items() if groups[0][:1].isdigit()}
    assert len(numbers) == 9
    for ours_textlen, textlen, ours_msgs, msgs in numbers.values():
        assert (ours_textlen, ours_msgs) == (textlen, msgs)


def test_bad_input(main, capsys):
    assert run_main(main, ["--msgs", "nowhere"]) == 2
    assert capsys.readouterr().err.startswith("error: data.source 'nowhere' is neither a folder")
