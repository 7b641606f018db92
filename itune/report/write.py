"""Reports written to disk: a page and its numbers, both whole, or neither."""

import json
from pathlib import Path
from typing import Any

from itune.report.blocks import Page
from itune.report.origin import Origin
from itune.report.render import render
from itune.utils.files import write_atomically
from itune.utils.json import to_jsonable

PAGE, NUMBERS = "report.html", "report.json"
"""What the files of a report are called."""


def write_report(page: Page, numbers: Any, folder: str | Path, origin: Origin) -> None:
    """Write a page as HTML, and its numbers with their origin as strict JSON.

    Args:
      page: Page to write to :data:`PAGE`.
      numbers: Result with fields or keys, for :data:`NUMBERS`; anything that
        :func:`~itune.utils.json.to_jsonable` makes a dict of.
      folder: Folder of both; made if absent.
      origin: How the result was made.

    Raises:
      UserError: A file cannot be written.
    """
    content = to_jsonable({"origin": origin, **to_jsonable(numbers)})
    text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)
    folder, html = Path(folder), render(page)
    paths = folder / PAGE, folder / NUMBERS
    with write_atomically(*paths, hint="choose another folder") as (page_file, numbers_file):
        folder.mkdir(parents=True, exist_ok=True)
        page_file.write_bytes(html.encode("utf-8"))
        numbers_file.write_bytes(f"{text}\n".encode())
