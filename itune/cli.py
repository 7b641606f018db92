"""What every command line shares: errors that take one line, and exit statuses."""

import argparse
import os
import re
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn

from itune.errors import UserError
from itune.utils.suggestions import hint


class Parser(argparse.ArgumentParser):
    """A parser that raises :class:`UserError`, and knows what a misspelt option meant.

    As ``argparse.ArgumentParser``, but abbreviations are refused.
    """

    def __init__(self, **kwargs):
        super().__init__(allow_abbrev=False, **kwargs)

    def parse_args(self, args=None, namespace=None):
        """Parse as usual, after a look at the options nobody declared."""
        args = sys.argv[1:] if args is None else list(args)
        known = self._option_string_actions  # shared with the groups of options
        for option in (arg.split("=")[0] for arg in args if arg.startswith("--")):
            if option not in known:
                self.error(f"{option} is not an option; {hint(option, known)}")
        return self.parse_intermixed_args(args, namespace)  # values may stand between options

    def error(self, message: str) -> NoReturn:
        """Raise the message, with a remedy where argparse has none, as a :class:`UserError`."""
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
    """Run a script's main function and return its exit status.

    =====================  ======  ================================
    `main`                 status  standard error
    =====================  ======  ================================
    returns                0
    raises UserError       2       ``error: …``, one line
    raises another error           passed on: that is a bug of ours
    is interrupted         130     ``interrupted; …``, one line
    finds its reader gone  141     nothing
    =====================  ======  ================================

    Args:
      main: takes the arguments; prints its results to standard output.
      argv: the arguments; those of the process when None.
      interrupted: what to say after ``interrupted;``, such as how to go on.
    """
    try:
        try:
            main(list(sys.argv[1:] if argv is None else argv))
        finally:
            sys.stdout.flush()  # so that a reader who left is noticed here, not at exit
    except UserError as error:
        print("error:", " ".join(str(error).split()), file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"interrupted; {interrupted}", file=sys.stderr)
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for the flush at exit
        return 141
    return 0
