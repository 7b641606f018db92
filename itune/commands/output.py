"""Files that a verb writes: none is overwritten by accident, none is left half written."""

import os
from pathlib import Path

from itune.errors import UserError


def require_free(path: Path, overwrite: bool) -> None:
    """Checks, before any work is done, that a file can be written.

    Raises:
      UserError: it is there and may not be overwritten, or its folder cannot hold it.
    """
    if path.exists() and not overwrite:
        raise UserError(f"{path} exists; choose another folder for --out, or give --overwrite")
    folder = next(parent for parent in path.absolute().parents if parent.exists())
    if not folder.is_dir():
        raise UserError(f"{folder} is a file; choose another folder for --out")
    if not os.access(folder, os.W_OK):
        raise UserError(f"cannot write to {folder}; choose another folder for --out")


def write(path: Path, text: str) -> None:
    """Writes a file whole or not at all; its folder is made if absent.

    Raises:
      UserError: it cannot be written, such as on a full disk.
    """
    unfinished = path.with_name(path.name + ".unfinished")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished.write_text(text, encoding="utf-8")
        os.replace(unfinished, path)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        raise UserError(f"cannot write {path}: {error.strerror}; choose another folder") from None
