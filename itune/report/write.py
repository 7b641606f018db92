"""Reports written to disk: a page and its numbers, both whole, or neither."""

import json
from pathlib import Path
from typing import Any

from itune.report.blocks import Page
from itune.report.render import render
from itune.utils.files import write_atomically
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
    html, hint = render(page), "choose another folder"
    with write_atomically(folder / PAGE, folder / NUMBERS, hint=hint) as (page_file, numbers_file):
        folder.mkdir(parents=True, exist_ok=True)
        page_file.write_bytes(html.encode("utf-8"))
        numbers_file.write_bytes(f"{told}\n".encode())
