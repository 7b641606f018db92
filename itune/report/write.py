"""Pages written to disk, whole or not at all."""

import os
from pathlib import Path

from itune.errors import UserError
from itune.report.blocks import Page
from itune.report.render import render


def write_report(page: Page, path: Path) -> Path:
    """Writes a page as HTML; a page that was there stays until this one is complete.

    Args:
      page: what to write.
      path: the file; its folder is made if absent.

    Raises:
      UserError: jinja2 is not installed, or the file cannot be written.
    """
    text = render(page).encode("utf-8")
    path = Path(path)
    unfinished = path.with_name(path.name + ".tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished.write_bytes(text)
        os.replace(unfinished, path)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        raise UserError(f"cannot write {path}: {error.strerror}; choose another folder") from None
    return path
