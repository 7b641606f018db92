"""Explanation a text file, whole or by lines, with errors a person can act on."""

from collections.abc import Iterator
from pathlib import Path

from itune.errors import UserError


def read_text(path: str | Path) -> str:
    """Return the UTF-8 text of a file; a byte-order mark at its start is dropped.

    Args:
      path: the file to read.

    Raises:
      UserError: no such file, a directory, unreadable, NUL bytes, or not UTF-8.
    """
    return "".join(read_lines(path))


def read_lines(path: str | Path) -> Iterator[str]:
    r"""Yield the lines of a UTF-8 file, each with its ``\n``, without holding the file.

    Args:
      path: the file to read.

    Raises:
      UserError: as :func:`read_text`, when the line in question is reached.
    """
    path = Path(path)
    require_file(path)
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                yield _decoded(line, number, path)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UserError(f"{path}: cannot be read ({reason}); check the path") from None


def count_lines(path: str | Path) -> int:
    """Returns the number of line breaks of a file; 0 of one that cannot be read."""
    try:
        with Path(path).open("rb") as file:
            return sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))
    except OSError:
        return 0


def require_file(path: Path) -> None:
    """Checks that a path names something other than a directory.

    Raises:
      UserError: it does not.
    """
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
