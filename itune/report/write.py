"""Reports written to disk: a page and its numbers, both whole, or neither."""

import contextlib
import json
import os
from pathlib import Path
from typing import Any

from itune.errors import UserError
from itune.report.blocks import Page
from itune.report.render import render
from itune.utils.json import to_jsonable

PAGE, NUMBERS = "report.html", "report.json"
"""What the files of a report are called."""


def write_report(page: Page, numbers: Any, folder: str | Path) -> None:
    """Writes a page as HTML, and results as strict JSON by :func:`~itune.utils.json.to_jsonable`.

    Args:
      page: what to write to :data:`PAGE`.
      numbers: any result, for :data:`NUMBERS`.
      folder: of both; made if absent.

    Raises:
      UserError: A file cannot be written.
    """
    told = json.dumps(to_jsonable(numbers), indent=2, ensure_ascii=False, allow_nan=False)
    folder = Path(folder)
    _write({folder / PAGE: render(page), folder / NUMBERS: f"{told}\n"})


def _write(texts: dict[Path, str]) -> None:
    """Lets files appear, or replace older ones, only once all of them are complete."""
    unfinished = {path: path.with_name(f"{path.name}.unfinished") for path in texts}
    try:
        for path, text in texts.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            unfinished[path].write_bytes(text.encode("utf-8"))
        for path in texts:
            os.replace(unfinished[path], path)
    except OSError as error:
        for left in unfinished.values():
            with contextlib.suppress(OSError):
                left.unlink(missing_ok=True)
        raise UserError(f"cannot write {path}: {error.strerror}; choose another folder") from None
