"""Exit statuses and one-line errors of every command."""

import os
import subprocess
import sys

import pytest

from itune import UserError
from itune.cli import Parser, run_main
from itune.utils.suggestions import nearest


def raising(error):
    def main(argv):
        raise error

    return main


def test_an_option_without_its_value():
    parser = Parser()
    parser.add_argument("--label")
    with pytest.raises(UserError, match="^--label has no value; give it one, or leave it out$"):
        parser.parse_args(["--label"])


def test_success_and_arguments(monkeypatch, capsys):
    seen = []
    assert run_main(seen.append, ("a", "b")) == 0
    monkeypatch.setattr(sys, "argv", ["script", "c"])
    assert run_main(seen.append) == 0
    assert seen == [["a", "b"], ["c"]]
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("error", "status", "line"),
    [
        (UserError("x is 1;\n  make it 2"), 2, "error: x is 1; make it 2\n"),
        (UserError("a\x1b\u202e is no b"), 2, "error: a‹U+001B›‹U+202E› is no b\n"),
        (KeyboardInterrupt(), 130, "interrupted; run it again\n"),
    ],
)
def test_errors_take_one_line(capsys, error, status, line):
    assert run_main(raising(error), [], interrupted="run it again") == status
    assert capsys.readouterr() == ("", line)


@pytest.mark.parametrize("error", [ValueError("a bug"), SystemExit(0)])
def test_other_exceptions_pass(error):
    with pytest.raises(type(error)):
        run_main(raising(error), [])


@pytest.mark.parametrize("leave", ["", "; raise SystemExit(0)"])
def test_a_reader_who_leaves(leave):
    """A pipe whose other end is closed, as of `script | head -0`."""
    code = f"""
import sys
from itune.cli import run_main
def main(argv):
    sys.stdin.read(); print("x"){leave}
sys.exit(run_main(main))
"""
    buffered = {name: v for name, v in os.environ.items() if name != "PYTHONUNBUFFERED"}
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    with subprocess.Popen([sys.executable, "-c", code], env=buffered, **pipes) as run:
        run.stdout.close()
        run.stdin.close()
        assert run.stderr.read() == b""
    assert run.returncode == 141


def test_options_of_groups_are_known():
    parser = Parser(prog="p")
    parser.add_argument_group("g").add_argument("--colour")
    assert parser.parse_args(["--colour=red"]).colour == "red"
    with pytest.raises(UserError, match="--color is not an option; did you mean --colour?"):
        parser.parse_args(["--color", "red"])
    with pytest.raises(UserError, match="--help lists the options"):
        parser.parse_args(["--xyzzy"])


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("--rate", "--train.rate"),  # not --date, of which nearly every letter is the same
        ("--train.rat", "--train.rate"),
        ("--eval.rat", "--train.rate"),
        ("--dat", "--date"),
        ("--xyzzy", None),
    ],
)
def test_nearest(name, meant):
    assert nearest(name, ["--date", "--train.rate"]) == meant
