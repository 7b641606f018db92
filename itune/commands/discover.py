"""``itune discover``: find what a model leans on, when nobody has named it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from itune.commands.of_model import ModelCommand, parse_on_model
from itune.commands.output import make_origin, write_results
from itune.config import to_dict
from itune.discovery.config import DiscoverConfig

CANDIDATES = "candidates.csv"
"""File in ``out`` with all candidates that were screened."""

SKETCHES = "sketches"
"""Folder in ``out`` for the sketches of gradients, from which the next search goes on."""


@dataclass(frozen=True)
class DiscoverCommand(ModelCommand):
    """A search for what a model leans on in the data it was trained on.

    Attributes:
      discover: How thorough the search is. The sketches of the rows' gradients stay beside the
        report, and can be deleted.
    """

    out: Path = Path("discovered")
    discover: DiscoverConfig = DiscoverConfig()


def main(argv: Sequence[str]) -> None:
    """Search, print what was found, and write a report."""
    command, columns = parse_on_model(
        DiscoverCommand,
        argv,
        prog="itune discover",
        description="Find what a model leans on in the data it was trained on.",
    )

    from itune import api
    from itune.commands.page_text import page_text
    from itune.report import discover_numbers, discover_page
    from itune.report.discover import SECTIONS, candidates_csv
    from itune.utils.compiling import use_compilation_cache

    use_compilation_cache()
    out = command.hardware.begin(command.out)
    result = api.discover(
        command.model,
        command.table.train or None,
        settings=to_dict(command.discover),
        keep=out / SKETCHES,
        **columns,
    )
    origin = make_origin("discover", argv, result.digest, f"{command.discover.seed}, of every draw")
    page, numbers = discover_page(result, origin), discover_numbers(result)
    every = f"{CANDIDATES} beside the report has all {result.candidates:,} candidates as screened"
    text = f"{page_text(page, *SECTIONS)}\n\n{every}"
    write_results(out, page, numbers, origin, text, {CANDIDATES: candidates_csv(result)})
