"""Reading a text file whole, with errors a person can act on."""

from pathlib import Path

from itune.errors import UserError


def read_text(path: str | Path) -> str:
    """Return the UTF-8 text of a file; a byte-order mark at its start is dropped.

    Args:
      path: the file to read.

    Raises:
      UserError: no such file, a directory, unreadable, NUL bytes, or not UTF-8.
    """
    path = Path(path)
    if path.is_dir():
        raise UserError(f"{path} is a directory; name a file inside it")
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; check the path") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UserError(f"{path}: cannot be read ({reason}); check the path") from None
    if (nul := data.find(b"\0")) >= 0:
        line = _line_of(data, nul)
        raise UserError(f"{path}, line {line}: holds a NUL byte; give a plain text file in UTF-8")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = _line_of(data, error.start)
        raise UserError(f"{path}, line {line}: is not UTF-8; save the file as UTF-8") from None


def _line_of(data: bytes, offset: int) -> int:
    return data.count(b"\n", 0, offset) + 1
