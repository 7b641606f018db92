"""The report that a command leaves in a folder: none is overwritten by accident."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from itune.commands.text import printable
from itune.errors import UserError
from itune.report import PAGE, Origin, write_report
from itune.report.blocks import Page
from itune.report.write import NUMBERS


def require_no_report(folder: Path, overwrite: bool) -> None:
    """Raise a UserError, before any work is done, if a report cannot be written into a folder."""
    for path in (folder / PAGE, folder / NUMBERS):
        if path.exists() and not overwrite:
            raise UserError(f"{path} exists; choose another folder for --out, or give --overwrite")
    parent = next(path for path in (folder / PAGE).absolute().parents if path.exists())
    if not parent.is_dir():
        raise UserError(f"{parent} is a file; choose another folder for --out")
    if not os.access(parent, os.W_OK):
        raise UserError(f"cannot write to {parent}; choose another folder for --out")


def make_origin(command: str, argv: Sequence[str], digest: str, seeds: str) -> Origin:
    """Return the origin of a result of this process; ``seeds`` says in words what was drawn how."""
    import jax

    from itune.training.versions import versions

    device = jax.devices()[0].device_kind
    return Origin(("itune", command, *argv), versions(), digest, seeds, device)


def write_results(
    folder: Path,
    page: Page,
    numbers: Any,
    origin: Origin,
    text: str,
    more: Mapping[str, str] | None = None,
) -> None:
    """Write a report, then print the result, even if the folder cannot be written.

    The report is complete before anything is printed, so a reader of the output may leave early.
    """
    try:
        write_report(page, numbers, folder, origin, more)
    finally:
        print(text)
    print(f"\n{printable(str(folder / PAGE))} is the report; {NUMBERS} beside it has its numbers")
