"""The one exception a person is meant to read, and checks that raise it."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any


class UserError(Exception):
    """Something the caller can mend: one line saying what is wrong, where, and what to do.

    Command lines print it as ``error: …`` and exit with status 2; a traceback is for our own bugs.
    """


def as_folder(value: Any, name: str) -> Path:
    """The path of a folder that somebody names.

    Args:
      value: text or a path; ``~`` is the home folder.
      name: what it is called, for the message.

    Raises:
      UserError: it is neither.
    """
    if not isinstance(value, str | os.PathLike):
        raise UserError(f"{name} is of type {type(value).__name__}; name a folder")
    return Path(value).expanduser()


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
