"""The exception that a user is meant to read, and what its messages are made by."""

import contextlib
import os
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from pathlib import Path
from typing import Any

__all__ = ["require"]  # UserError is public as itune.UserError

_ON_COMMAND_LINE = ContextVar("_ON_COMMAND_LINE", default=False)


class UserError(ValueError):
    """Raised when the caller can mend what is wrong.

    The message is one line that names the thing, its value and the remedy. Command lines print it
    as ``error: …`` and exit with status 2; any other exception is a bug of this package.
    """


@contextlib.contextmanager
def on_command_line() -> Iterator[None]:
    """Let messages raised in its context name arguments as options of a command."""
    token = _ON_COMMAND_LINE.set(True)
    try:
        yield
    finally:
        _ON_COMMAND_LINE.reset(token)


def option(name: str, value: Any = None) -> str:
    """Return how an argument, with a value unless that is None, is given where the caller is.

    >>> option("out"), option("resume", True)
    ('out', 'resume=True')
    >>> with on_command_line():
    ...     option("out"), option("resume", True), option("whole", "always")
    ('--out', '--resume', '--whole always')
    """
    if not _ON_COMMAND_LINE.get():
        return name if value is None else f"{name}={value!r}"
    return f"--{name}" if value is None or value is True else f"--{name} {value}"


def as_folder(value: object, name: str) -> Path:
    """Return the path of a folder that the caller names, with ``~`` expanded; it need not exist.

    >>> as_folder("runs/first", "run").parts
    ('runs', 'first')
    """
    if not isinstance(value, str | os.PathLike):
        raise UserError(f"{name} must name a folder, got a value of type {type(value).__name__}")
    return as_path(value)


def as_path(value: str | os.PathLike[str]) -> Path:
    """Return a path that the caller gives, with ``~`` expanded; it need not exist.

    What no file can be called, or what is out of the caller's reach, is a UserError.

    >>> as_path("runs/first").parts
    ('runs', 'first')
    """
    try:
        path = Path(value).expanduser()
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            path.stat()
    except (OSError, ValueError, RuntimeError) as error:  # RuntimeError of a user who is not known
        reason = getattr(error, "strerror", None) or str(error).rstrip(".")
        raise UserError(
            f"{os.fspath(value)!r} cannot be used as a path ({reason}); give another"
        ) from None
    return path


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
