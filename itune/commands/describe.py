"""``itune describe``: what a table holds, and what to beware of."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from itune.commands.text import most, table
from itune.config import parse
from itune.tables.config import TableConfig
from itune.tables.describe import Description, describe_tables
from itune.tables.table import read_tables
from itune.utils.progress import ProgressDisplay


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
    """Return a description as strict JSON, for programs."""
    return json.dumps(found.to_dict(), ensure_ascii=False, indent=2, allow_nan=False)


def to_text(found: Description) -> str:
    """Return a description as text for a terminal."""
    blocks = [_overview(found), _values("label", found.label_names, found)]
    if found.confound_names:
        blocks += [_values("confound", found.confound_names, found), _groups(found)]
    blocks += [_lengths(found), _warnings(found.warnings)]
    return "\n\n".join(blocks)


def _overview(found: Description) -> str:
    rows = {
        "rows": lambda split: split.size,
        "without confound": lambda split: split.missing,
        "repeated rows": lambda split: split.duplicates,
        "most frequent label": lambda split: max(split.labels) / split.size if split.size else None,
        "label from confound alone": lambda split: split.success,
        "Cramér's V": lambda split: split.cramers_v,
    }
    sources = dict.fromkeys(split.name for split in found.splits.values())
    body = [[name, *map(of, found.splits.values())] for name, of in rows.items()]
    return f"{', '.join(sources)}\n\n{table(['', *found.splits], body)}"


def _values(what: str, names: Sequence[str], found: Description) -> str:
    counts = zip(*(getattr(split, f"{what}s") for split in found.splits.values()), strict=True)
    rows = [[name, *sizes] for name, sizes in zip(names, counts, strict=True)]
    return table([what, *found.splits], most(rows))


def _groups(found: Description) -> str:
    rows = [list(row.values()) for row in found.to_rows()]
    return table(["label", "confound", *found.splits], most(rows))


def _lengths(found: Description) -> str:
    rows = [
        [name, *(map(round, split.lengths))]
        for name, split in found.splits.items()
        if split.lengths
    ]
    return table(["words", "least", "10%", "median", "90%", "most"], rows)


def _warnings(warnings: Sequence[str]) -> str:
    return "\n".join(f"warning: {warning}" for warning in warnings) or "nothing to beware of"
