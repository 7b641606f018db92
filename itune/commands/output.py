"""The report that a command leaves in a folder: none is overwritten by accident."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from itune.errors import UserError
from itune.report import NUMBERS, PAGE, Origin, write_report
from itune.report.blocks import Page
from itune.results import RunResult
from itune.utils.json import to_jsonable


def require_free(folder: Path, overwrite: bool) -> None:
    """Checks, before any work is done, that a report can be written into a folder.

    Raises:
      UserError: one is there and may not be overwritten, or the folder cannot hold it.
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
    """How the result of a command was made, here and now.

    Args:
      command: of the command.
      argv: its other words.
      digest: of the data.
      seeds: in words.
    """
    import jax

    from itune.training.versions import versions

    device = jax.devices()[0].device_kind
    return Origin(("itune", command, *argv), versions(), digest, seeds, device)


def origin_of_run(command: str, argv: Sequence[str], run: RunResult, seeds: str) -> Origin:
    """How runs were made, as one of them tells.

    Args:
      command: as of :func:`make_origin`, and so are the others.
      argv: the same.
      run: one of the runs.
      seeds: of all of them.
    """
    return Origin(("itune", command, *argv), run.versions, run.digest or "", seeds, run.device)


def write_results(folder: Path, page: Page, numbers: Any, origin: Origin, text: str) -> None:
    """Writes the report, and the numbers with their origin; then prints, and where the report is.

    What reads the output may leave early; the report is complete by then.

    Args:
      folder: made if absent.
      page: the report.
      numbers: a result, with fields or keys.
      origin: of both.
      text: the result as it is printed.

    Raises:
      UserError: the folder cannot be written to; the text is printed even so.
    """
    try:
        write_report(page, {"origin": origin, **to_jsonable(numbers)}, folder)
    finally:
        print(text)
    print(f"\n{folder / PAGE} is the report; {NUMBERS} beside it has its numbers")
