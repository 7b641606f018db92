"""The command itune: its verbs, help, and errors of one line."""

import configparser
import importlib
from pathlib import Path

import pytest

from itune import __version__
from itune.commands import VERBS, main


def test_help_names_every_verb(capsys):
    for argv in ([], ["--help"], ["-h"]):
        assert main(argv) == 0
    shown = capsys.readouterr().out
    assert all(f"  {verb}" in shown for verb in VERBS)
    assert main(["--version"]) == 0 and capsys.readouterr().out == f"itune {__version__}\n"


@pytest.mark.parametrize("verb", VERBS)
def test_verbs_have_help(verb, capsys):
    with pytest.raises(SystemExit, match="0"):
        main([verb, "--help"])
    assert f"usage: itune {verb}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("verb", "remedy"),
    [("describ", "did you mean describe?"), ("x", f"the verbs are {', '.join(VERBS)}")],
)
def test_no_such_verb(verb, remedy, capsys):
    assert main([verb]) == 2
    out, error = capsys.readouterr()
    assert (out, error.count("\n")) == ("", 1) and remedy in error


def test_it_is_installed_as_a_command():
    setup = configparser.ConfigParser()
    setup.read(Path(__file__).parents[2] / "setup.cfg")
    name, _, place = setup["options.entry_points"]["console_scripts"].strip().partition(" = ")
    module, _, function = place.partition(":")
    assert name == "itune" and getattr(importlib.import_module(module), function) is main
