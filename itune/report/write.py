"""Reports written to disk: a page and its numbers, both whole, or neither."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from itune.report.blocks import Page
from itune.report.origin import Origin
from itune.report.render import render
from itune.utils.files import write_atomically
from itune.utils.json import to_jsonable

PAGE, NUMBERS = "report.html", "report.json"
"""What the files of a report are called."""


def write_report(
    page: Page,
    numbers: Any,
    folder: str | Path,
    origin: Origin,
    more: Mapping[str, str] | None = None,
) -> None:
    """Write a page as HTML, and its numbers with their origin as strict JSON.

    Args:
      page: Page to write to :data:`PAGE`.
      numbers: Result with fields or keys, for :data:`NUMBERS`; anything that
        :func:`~itune.utils.json.to_jsonable` makes a dict of.
      folder: Folder of both; made if absent.
      origin: How the result was made.
      more: Texts of further files beside them, by name.

    Raises:
      UserError: A file cannot be written.
    """
    content = to_jsonable({"origin": origin, **to_jsonable(numbers)})
    text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)
    folder, html = Path(folder), render(page)
    files = {PAGE: html, NUMBERS: f"{text}\n", **(more or {})}
    paths = [folder / name for name in files]
    with write_atomically(*paths, hint="choose another folder") as unfinished:
        folder.mkdir(parents=True, exist_ok=True)
        for file, content in zip(unfinished, files.values(), strict=True):
            file.write_bytes(content.encode("utf-8"))
