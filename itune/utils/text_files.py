"""Read text files and JSON lines, with error messages that a person can act on."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from itune.errors import UserError


def read_text(path: str | Path) -> str:
    """Return the UTF-8 text of a file, as :func:`read_lines` yields it."""
    return "".join(read_lines(path))


def read_lines(path: str | Path) -> Iterator[str]:
    r"""Yield the lines of a UTF-8 file, each with its ``\n``, without holding the whole file.

    A byte-order mark at the start is dropped. A file that is missing, unreadable, not UTF-8 or has
    NUL bytes is a UserError, raised when the line in question is reached.
    """
    path = Path(path)
    require_file(path)
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                yield _decoded(line, number, path)
    except UserError:
        raise
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UserError(f"{path}: cannot be read ({reason}); check the path") from None


def count_lines(path: str | Path) -> int:
    """Return the number of line breaks of a file; 0 if it cannot be read."""
    try:
        with Path(path).open("rb") as file:
            return sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))
    except OSError:
        return 0


def require_file(path: Path) -> None:
    """Raise a UserError if a path names nothing, or a directory."""
    if path.is_dir():
        raise UserError(f"{path} is a directory; name a file inside it")
    if "\0" not in str(path) and not path.exists():
        raise UserError(f"{path}: no such file; check the path")


def _decoded(line: bytes, number: int, path: Path) -> str:
    if b"\0" in line:
        raise UserError(f"{path}, line {number}: holds a NUL byte; give a plain text file in UTF-8")
    try:
        return line.decode("utf-8-sig" if number == 1 else "utf-8")
    except UnicodeDecodeError:
        raise UserError(f"{path}, line {number}: is not UTF-8; save the file as UTF-8") from None


def parse_object(line: str, where: str, *, example: str) -> dict[str, Any]:
    """Return the JSON object of a line, or raise a UserError that begins with ``where``.

    ``example`` is a field that such an object has, for the remedy.
    """
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:
        reason = getattr(error, "msg", "unreadable")
        raise UserError(f"{where}: not JSON ({reason}); write one object a line") from None
    if not isinstance(record, dict):
        kind = type(record).__name__
        raise UserError(f'{where}: holds a {kind}, not an object; write {{"{example}": …}}')
    return record


def brief(value: object) -> str:
    """Return a value as JSON, shortened to 40 characters for messages."""
    text = json.dumps(value, default=repr, skipkeys=True)
    return text if len(text) <= 40 else text[:39] + "…"
