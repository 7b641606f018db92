"""The command itune: its commands, help, and errors of one line."""

import configparser
import importlib
from pathlib import Path

import pytest

from itune import __version__
from itune.commands import COMMANDS, main


def test_help_names_every_verb(capsys):
    for argv in ([], ["--help"], ["-h"]):
        assert main(argv) == 0
    shown = capsys.readouterr().out
    assert all(f"  {command}" in shown for command in COMMANDS)
    assert main(["--version"]) == 0 and capsys.readouterr().out == f"itune {__version__}\n"


@pytest.mark.parametrize("command", COMMANDS)
def test_verbs_have_help(command, capsys):
    with pytest.raises(SystemExit, match="0"):
        main([command, "--help"])
    assert f"usage: itune {command}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("command", "remedy"),
    [("describ", "did you mean describe?"), ("x", f"the commands are {', '.join(COMMANDS)}")],
)
def test_no_such_verb(command, remedy, capsys):
    assert main([command]) == 2
    out, error = capsys.readouterr()
    assert (out, error.count("\n")) == ("", 1) and remedy in error


def test_it_is_installed_as_a_command():
    setup = configparser.ConfigParser()
    setup.read(Path(__file__).parents[2] / "setup.cfg")
    name, _, place = setup["options.entry_points"]["console_scripts"].strip().partition(" = ")
    module, _, function = place.partition(":")
    assert name == "itune" and getattr(importlib.import_module(module), function) is main
