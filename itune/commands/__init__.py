"""The command ``itune``: its verbs, each in a file of its own.

A verb's module has ``main(argv)``, which prints its results and raises UserError for bad input.
"""

import importlib
import sys
from collections.abc import Sequence
from typing import NamedTuple

from itune import __version__
from itune.cli import nearest, run_main
from itune.errors import UserError


class Verb(NamedTuple):
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

VERBS = {
    "example": Verb("itune.commands.example", "a table of reviews to try the other verbs on"),
    "describe": Verb("itune.commands.describe", "what a table holds, and what to beware of"),
    "audit": Verb(
        "itune.commands.audit",
        "whether a model leans on a confound, and how sure that is",
        "what was done is kept; go on by the same command",
    ),
    "tune": Verb("itune.commands.tune", "a classifier that leans less on a confound", GO_ON),
    "compare": Verb(
        "itune.commands.compare",
        "several methods on one table, and whether seeds tell them apart",
        GO_ON,
    ),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Runs a verb and returns the exit status, as :func:`~itune.cli.run_main` does."""
    argv = sys.argv[1:] if argv is None else argv
    verb = VERBS.get(next(iter(argv), ""), VERBS["describe"])
    return run_main(_main, argv, interrupted=verb.interrupted)


def _main(argv: list[str]) -> None:
    verb, *rest = argv or ["--help"]
    if verb in ("-h", "--help", "help"):
        print(usage())
    elif verb == "--version":
        print(f"itune {__version__}")
    elif verb in VERBS:
        importlib.import_module(VERBS[verb].module).main(rest)
    else:
        near = nearest(verb, VERBS)
        remedy = f"did you mean {near}?" if near else f"the verbs are {', '.join(VERBS)}"
        raise UserError(f"{verb} is not a verb of itune; {remedy}")


def usage() -> str:
    """What ``itune --help`` prints."""
    width = max(map(len, VERBS))
    verbs = (f"  {name:{width}}  {verb.summary}" for name, verb in VERBS.items())
    return "\n".join(
        [
            "usage: itune VERB [...]",
            "",
            sys.modules["itune"].__doc__,
            "",
            "verbs:",
            *verbs,
            "",
            "itune VERB --help lists the options of a verb; itune --version tells the version",
        ]
    )
