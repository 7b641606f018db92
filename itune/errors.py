"""The exception that a user is meant to read, and two checks that raise it."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

__all__ = ["require"]  # UserError is public as itune.UserError


class UserError(Exception):
    """Raised when the caller can mend what is wrong.

    The message is one line that names the thing, its value and the remedy. Command lines print it
    as ``error: …`` and exit with status 2; any other exception is a bug of this package.
    """


def as_folder(value: object, name: str) -> Path:
    """Return the path of a folder that the caller names.

    Args:
      value: A string or path; ``~`` stands for the home folder. The folder need not exist.
      name: What the folder is called in the message.

    Returns:
      The path, with ``~`` expanded.

    Raises:
      UserError: The value is neither a string nor a path.

    >>> as_folder("runs/first", "run").parts
    ('runs', 'first')
    """
    if not isinstance(value, str | os.PathLike):
        raise UserError(f"{name} must name a folder, got a value of type {type(value).__name__}")
    return Path(value).expanduser()


def require(config: object, expected: str, is_valid: Callable[[Any], bool], *names: str) -> None:
    """Check fields of a configuration.

    Args:
      config: An object that holds the values as attributes.
      expected: What each value must be, as a phrase such as ``"a positive integer"``.
      is_valid: Returns whether a value is as expected.
      *names: Names of the fields to check.

    Raises:
      UserError: A value is not as expected; the message names the first such field.

    >>> from types import SimpleNamespace
    >>> require(SimpleNamespace(batch=0), "a positive integer", lambda batch: batch > 0, "batch")
    Traceback (most recent call last):
    itune.errors.UserError: batch must be a positive integer, got 0
    """
    for name in names:
        if not is_valid(value := getattr(config, name)):
            raise UserError(f"{name} must be {expected}, got {value!r}")
