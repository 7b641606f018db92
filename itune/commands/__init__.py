"""The command ``itune``, whose commands have a module each with a function ``main(argv)``."""

import importlib
import sys
from collections.abc import Sequence
from typing import NamedTuple

import itune
from itune.cli import run_main
from itune.errors import UserError
from itune.utils.suggestions import nearest

_NOTHING_WRITTEN = "nothing was written"
_RESUME = "what was done is kept; go on by the same command with --resume"
_RUN_AGAIN = "what was done is kept; go on by the same command"


class Command(NamedTuple):
    """A line for ``itune --help``, and what to say after ``interrupted;`` when Ctrl-C ends it."""

    summary: str
    interrupted: str = _NOTHING_WRITTEN


COMMANDS = {
    "example": Command("a table of reviews to try the other commands on"),
    "describe": Command("what a table holds, and what to beware of"),
    "audit": Command("whether a model leans on a confound, and how sure that is", _RUN_AGAIN),
    "discover": Command("what a model leans on, when nobody has named it", _RUN_AGAIN),
    "tune": Command("a classifier that leans less on a confound", _RESUME),
    "compare": Command("several methods on one table, and whether seeds tell them apart", _RESUME),
}
"""The commands by name, in the order in which ``itune --help`` lists them."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit status, as :func:`~itune.cli.run_main` does."""
    argv = sys.argv[1:] if argv is None else argv
    command = COMMANDS.get(next(iter(argv), ""))
    return run_main(_main, argv, interrupted=command.interrupted if command else _NOTHING_WRITTEN)


def _main(argv: list[str]) -> None:
    name, *rest = argv or ["--help"]
    if name in ("-h", "--help", "help"):
        print(usage())
    elif name == "--version":
        print(f"itune {itune.__version__}")
    elif name in COMMANDS:
        importlib.import_module(f"{__name__}.{name}").main(rest)
    else:
        near = nearest(name, COMMANDS)
        remedy = f"did you mean {near}?" if near else f"the commands are {', '.join(COMMANDS)}"
        raise UserError(f"{name} is not a command of itune; {remedy}")


def usage() -> str:
    """Return what ``itune --help`` prints."""
    width = max(map(len, COMMANDS))
    commands = (f"  {name:{width}}  {command.summary}" for name, command in COMMANDS.items())
    return "\n".join(
        [
            "usage: itune COMMAND [...]",
            "",
            str(itune.__doc__),
            "",
            "commands:",
            *commands,
            "",
            "itune COMMAND --help lists the options of a command; itune --version is the version",
        ]
    )
