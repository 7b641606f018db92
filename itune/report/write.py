"""Reports written to disk: each file whole, or not at all."""

import contextlib
import json
import os
from pathlib import Path
from typing import Any

from itune.errors import UserError
from itune.plain import plain
from itune.report.blocks import Page
from itune.report.render import render

PAGE, NUMBERS = "report.html", "report.json"
"""What the files of a report are called."""


def write_report(page: Page, path: Path) -> None:
    """Writes a page as HTML.

    Args:
      page: what to write.
      path: the file; its folder is made if absent.

    Raises:
      UserError: a package that reports need is not installed, or the file cannot be written.
    """
    _write(Path(path), render(page))


def write_numbers(found: Any, path: Path) -> None:
    """Writes results as strict JSON, by :func:`~itune.plain.plain`.

    Args:
      found: any result.
      path: as of :func:`write_report`, and so are the errors.
    """
    text = json.dumps(plain(found), indent=2, ensure_ascii=False, allow_nan=False)
    _write(Path(path), f"{text}\n")


def _write(path: Path, text: str) -> None:
    """Lets a file appear, or replace an older one, only once it is complete."""
    unfinished = path.with_name(f"{path.name}.unfinished")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished.write_bytes(text.encode("utf-8"))
        os.replace(unfinished, path)
    except OSError as error:
        with contextlib.suppress(OSError):
            unfinished.unlink(missing_ok=True)
        raise UserError(f"cannot write {path}: {error.strerror}; choose another folder") from None
