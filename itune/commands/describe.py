"""``itune describe``: what a table holds, and what to beware of."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from itune.commands.text import table
from itune.config import parse
from itune.tables.config import TableConfig
from itune.tables.describe import describe_tables
from itune.tables.description import Description
from itune.tables.overview import overview
from itune.tables.table import read_tables
from itune.utils.progress import ProgressDisplay
from itune.utils.visible import escaped, one_line


@dataclass(frozen=True)
class DescribeCommand(TableConfig):
    """A table, and how its description is printed.

    Attributes:
      json: Whether to print everything as JSON, for programs, in place of tables for people.
    """

    json: bool = False


def main(argv: Sequence[str]) -> None:
    """Read a table and print its description.

    Args:
      argv: Words of the command line after ``itune describe``.

    Raises:
      UserError: An option is unknown or has a bad value, or the table cannot be read.
    """
    config = parse(
        DescribeCommand,
        None,
        argv,
        prog="itune describe",
        description="Tell what a table of texts, labels and confounds holds. Writes nothing.",
        positionals={"TABLE": "train"},
    )
    with ProgressDisplay() as display:
        found = describe_tables(read_tables(config, display.on_progress), display.on_progress)
    print(to_json(found) if config.json else to_text(found))


def to_json(found: Description) -> str:
    """Return a description as strict JSON, for programs; what hides in texts is escaped."""
    return escaped(json.dumps(found.to_dict(), ensure_ascii=False, indent=2, allow_nan=False))


def to_text(found: Description) -> str:
    """Return a description as text for a terminal."""
    tables = (table(each.header, each.rows) for each in overview(found))
    warnings = "\n".join(f"warning: {one_line(warning)}" for warning in found.warnings)
    return "\n\n".join([one_line(found.title()), *tables, warnings or "nothing to beware of"])
