"""The command ``itune``: its commands, each in a file of its own.

A command's module has ``main(argv)``, which prints its results and raises UserError for bad input.
"""

import importlib
import sys
from collections.abc import Sequence
from typing import NamedTuple

from itune import __version__
from itune.cli import run_main
from itune.errors import UserError
from itune.utils.suggestions import nearest


class Command(NamedTuple):
    """One of the things the command can do.

    Attributes:
      module: where its ``main`` is; imported when it is asked for.
      summary: one line for ``itune --help``.
      interrupted: what to say after ``interrupted;``.
    """

    module: str
    summary: str
    interrupted: str = "nothing was written"


GO_ON = "what was done is kept; go on by the same command with --resume"

COMMANDS = {
    "example": Command("itune.commands.example", "a table of reviews to try the other commands on"),
    "describe": Command("itune.commands.describe", "what a table holds, and what to beware of"),
    "audit": Command(
        "itune.commands.audit",
        "whether a model leans on a confound, and how sure that is",
        "what was done is kept; go on by the same command",
    ),
    "tune": Command("itune.commands.tune", "a classifier that leans less on a confound", GO_ON),
    "compare": Command(
        "itune.commands.compare",
        "several methods on one table, and whether seeds tell them apart",
        GO_ON,
    ),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Runs a command and returns the exit status, as :func:`~itune.cli.run_main` does."""
    argv = sys.argv[1:] if argv is None else argv
    command = COMMANDS.get(next(iter(argv), ""), COMMANDS["describe"])
    return run_main(_main, argv, interrupted=command.interrupted)


def _main(argv: list[str]) -> None:
    command, *rest = argv or ["--help"]
    if command in ("-h", "--help", "help"):
        print(usage())
    elif command == "--version":
        print(f"itune {__version__}")
    elif command in COMMANDS:
        importlib.import_module(COMMANDS[command].module).main(rest)
    else:
        near = nearest(command, COMMANDS)
        remedy = f"did you mean {near}?" if near else f"the commands are {', '.join(COMMANDS)}"
        raise UserError(f"{command} is not a command of itune; {remedy}")


def usage() -> str:
    """What ``itune --help`` prints."""
    width = max(map(len, COMMANDS))
    commands = (f"  {name:{width}}  {command.summary}" for name, command in COMMANDS.items())
    return "\n".join(
        [
            "usage: itune VERB [...]",
            "",
            sys.modules["itune"].__doc__,
            "",
            "commands:",
            *commands,
            "",
            "itune VERB --help lists the options of a command; itune --version tells the version",
        ]
    )
