"""The report that a command leaves in a folder: none is overwritten by accident."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from itune.errors import UserError
from itune.report import PAGE, Origin, write_report
from itune.report.blocks import Page
from itune.report.write import NUMBERS


def require_no_report(folder: Path, overwrite: bool) -> None:
    """Check, before any work is done, that a report can be written into a folder.

    Args:
      folder: Folder for the report.
      overwrite: Whether a report that is there may be replaced.

    Raises:
      UserError: A report is there and may not be replaced, or the folder cannot hold one.
    """
    for path in (folder / PAGE, folder / NUMBERS):
        if path.exists() and not overwrite:
            raise UserError(f"{path} exists; choose another folder for --out, or give --overwrite")
    parent = next(path for path in (folder / PAGE).absolute().parents if path.exists())
    if not parent.is_dir():
        raise UserError(f"{parent} is a file; choose another folder for --out")
    if not os.access(parent, os.W_OK):
        raise UserError(f"cannot write to {parent}; choose another folder for --out")


def make_origin(command: str, argv: Sequence[str], digest: str, seeds: str) -> Origin:
    """Return the origin of a result that a command of this process makes.

    Args:
      command: Name of the command.
      argv: Words of the command line after the name of the command.
      digest: SHA-256 of the data, in hexadecimal.
      seeds: Seeds of every draw, in words.
    """
    import jax

    from itune.training.versions import versions

    device = jax.devices()[0].device_kind
    return Origin(("itune", command, *argv), versions(), digest, seeds, device)


def write_results(folder: Path, page: Page, numbers: Any, origin: Origin, text: str) -> None:
    """Write a report, then print the result and where the report is.

    The report is complete before anything is printed, so a reader of the output may leave early.

    Args:
      folder: Folder for the report; made if absent.
      page: Page of the report.
      numbers: Result whose fields or keys are written as JSON.
      origin: How the result was made.
      text: The result as it is printed.

    Raises:
      UserError: The folder cannot be written; the text is printed even so.
    """
    try:
        write_report(page, numbers, folder, origin)
    finally:
        print(text)
    print(f"\n{folder / PAGE} is the report; {NUMBERS} beside it has its numbers")
