"""itune example: it writes a table, and the commands it prints work."""

import shlex

import pytest

from itune.commands import COMMANDS, main


def test_what_it_writes_and_prints(tmp_path, capsys):
    folder = tmp_path / "my reviews"
    assert main(["example", "--out", str(folder), "--rows", "36"]) == 0
    shown = capsys.readouterr().out
    assert sorted(path.name for path in folder.iterdir()) == ["dev.csv", "test.csv", "train.csv"]
    assert (folder / "train.csv").read_text().startswith("review,rating,brand\n")
    commands = [shlex.split(line) for line in shown.splitlines() if line.startswith("  itune ")]
    assert all(program == "itune" and command in COMMANDS for program, command, *_ in commands)
    described = [argv for _, command, *argv in commands if command == "describe"]
    for argv in described:
        assert main(["describe", *argv]) == 0
        assert "Ostrelle" in capsys.readouterr().out
    assert len(described) == 2


def test_the_folder_is_taken(tmp_path, capsys):
    (tmp_path / "mine.csv").touch()
    assert main(["example", "--out", str(tmp_path)]) == 2
    out, error = capsys.readouterr()
    assert out == "" and "is not empty" in error and error.count("\n") == 1


def test_a_full_disk_leaves_nothing(tmp_path, capsys, monkeypatch):
    class Writer:
        def __init__(self, file, **_):
            self.file = file

        def writerows(self, rows):
            if "dev" in self.file.name:
                raise OSError(28, "No space left on device")

    monkeypatch.setattr("csv.writer", Writer)
    assert main(["example", "--out", str(tmp_path)]) == 2
    assert "No space left on device; choose" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("argv", [["--rows", "3"], ["--agreement", "2"], ["--row", "36"]])
def test_bad_settings(argv, tmp_path, capsys):
    assert main(["example", "--out", str(tmp_path / "x"), *argv]) == 2
    assert capsys.readouterr().err.count("\n") == 1 and not (tmp_path / "x").exists()
