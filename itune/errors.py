"""The one exception a person is meant to read."""

from collections.abc import Callable
from typing import Any


class UserError(Exception):
    """Something the caller can mend: one line saying what is wrong, where, and what to do.

    Command lines print it as ``error: …`` and exit with status 2; a traceback is for our own bugs.
    """


def require(config: Any, expected: str, is_fit: Callable[[Any], bool], *names: str) -> None:
    """Checks values of a configuration.

    Args:
      config: holds the values as attributes.
      expected: what a value must be, in words.
      is_fit: whether a value is that.
      names: of the values.

    Raises:
      UserError: names the first value that does not fit.
    """
    for name in names:
        if not is_fit(value := getattr(config, name)):
            raise UserError(f"{name} is {value!r}; make it {expected}")
