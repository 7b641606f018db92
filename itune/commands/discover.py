"""``itune discover``: find what a model leans on, when nobody has named it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from itune.commands.audit import SECTION, whole_table
from itune.commands.output import make_origin, require_no_report, write_results
from itune.config import parse, to_dict
from itune.config.command_line import given_values
from itune.discovery.config import DiscoverConfig
from itune.errors import UserError
from itune.tables.config import TableConfig

SKETCHES = "sketches"
"""Folder in ``out`` for the sketches of gradients, from which the next search goes on."""


@dataclass(frozen=True)
class DiscoverCommand:
    """A search for what a model leans on in the data it was trained on.

    Attributes:
      model: Folder of a Hugging Face classifier, with its tokenizer; or of a run by itune tune,
        itune compare or experiments/run.py, which knows its table.
      out: Folder for the report, report.html, its numbers, report.json, and the sketches of the
        rows' gradients, which can be deleted.
      overwrite: Whether a report that is there is replaced.
      table: The data; its confound is not looked at. All rows of ``train`` count as trained on; if
        dev and test were taken from it, give the fractions and the seed once more. If the model is
        a run's, what is not given is as it was then.
      discover: How thorough the search is.
    """

    model: str = ""
    out: Path = Path("discovered")
    overwrite: bool = False
    table: TableConfig = field(default_factory=whole_table)
    discover: DiscoverConfig = DiscoverConfig()


def main(argv: Sequence[str]) -> None:
    """Search, print what was found, and write a report."""
    command = parse(
        DiscoverCommand,
        None,
        argv,
        prog="itune discover",
        description="Find what a model leans on in the data it was trained on.",
        positionals={"MODEL": "model", "TABLE": "table.train"},
    )
    if not command.model:
        raise UserError("model is not set; name the folder of a finetuned classifier")
    require_no_report(command.out, command.overwrite)

    from itune import api
    from itune.commands.page_text import page_text
    from itune.report import discover_numbers, discover_page
    from itune.report.discover import SECTIONS
    from itune.utils.compiling import use_compilation_cache

    use_compilation_cache()
    columns = given_values(DiscoverCommand, argv, SECTION)
    columns.pop("train", None)
    result = api.discover(
        command.model,
        command.table.train or None,
        settings=to_dict(command.discover),
        keep=command.out / SKETCHES,
        **columns,
    )
    origin = make_origin("discover", argv, result.digest, f"{command.discover.seed}, of every draw")
    page, numbers = discover_page(result, origin), discover_numbers(result)
    text = page_text(page, *SECTIONS)
    write_results(command.out, page, numbers, origin, text)
