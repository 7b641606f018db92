"""What all command lines share: errors that take one line, and exit statuses."""

import argparse
import os
import re
import sys
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from itune.errors import UserError, on_command_line
from itune.utils.suggestions import hint
from itune.utils.visible import one_line

__all__ = ["Parser", "run_main"]


class Parser(argparse.ArgumentParser):
    """``argparse.ArgumentParser`` that raises a UserError, which names what a misspelling meant.

    Abbreviated options are refused.
    """

    def __init__(self, **options: Any):
        """Make a parser; `options` are those of ``argparse.ArgumentParser``."""
        super().__init__(allow_abbrev=False, **options)

    def parse_args(  # pyrefly: ignore[bad-override]  # of overloads for kinds of namespaces
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> argparse.Namespace:
        """Parse arguments, after options that are not known were refused with the nearest one.

        Args:
          args: The arguments; those of the process if None.
          namespace: Where the values are stored; a new one if None.

        Raises:
          UserError: An option is not known, or argparse refuses the arguments.
        """
        args = sys.argv[1:] if args is None else list(args)
        known = self._option_string_actions  # shared with the groups of options
        for option in (arg.split("=")[0] for arg in args if arg.startswith("--")):
            if option not in known:
                self.error(f"{option} is not an option; {hint(option, known)}")
        # Values may stand between options.
        return self.parse_intermixed_args(args, namespace or argparse.Namespace())

    def error(self, message: str) -> NoReturn:
        """Raise a message of argparse, with a remedy if it has none, as a UserError."""
        if lacking := re.fullmatch(r"argument (\S+): expected (at least )?one argument", message):
            raise UserError(f"{lacking[1]} has no value; give it one, or leave it out")
        is_stray = message.startswith("unrecognized arguments")
        raise UserError(f"{message}; --help lists what there is" if is_stray else message)


def run_main(
    main: Callable[[list[str]], None],
    argv: Sequence[str] | None = None,
    *,
    interrupted: str = "the command did not finish",
) -> int:
    """Run the main function of a program and return its exit status.

    =====================  ======  ================================
    `main`                 status  standard error
    =====================  ======  ================================
    returns                0
    raises UserError       2       ``error: …``, one line
    raises another error           a traceback: the error passes
    is interrupted         130     ``interrupted; …``, one line
    finds its reader gone  141     nothing
    =====================  ======  ================================

    Args:
      main: Takes the arguments and prints its results to standard output.
      argv: The arguments; those of the process if None.
      interrupted: What to say after ``interrupted;``, such as how to resume.
    """
    try:
        try:
            with on_command_line():
                main(list(sys.argv[1:] if argv is None else argv))
        finally:
            sys.stdout.flush()  # so that a reader who left is noticed here, not at exit
    except UserError as error:
        print("error:", one_line(str(error)), file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"interrupted; {interrupted}", file=sys.stderr)
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for the flush at exit
        return 141
    return 0
