"""The description of a table, as a notebook shows it."""

from collections.abc import Sequence

from itune.report.blocks import CALM, MOST, OPEN, Answer, Page, Section, Table
from itune.tables.describe import Description
from itune.utils.visible import isolated


def describe_page(description: Description) -> Page:
    """Return a page with the description of a table."""
    splits = description.splits
    sources = dict.fromkeys(split.name for split in splits.values())
    rows = {
        "rows": [split.size for split in splits.values()],
        "without confound": [split.missing for split in splits.values()],
        "repeated rows": [split.duplicates for split in splits.values()],
        "label from confound alone": [split.success for split in splits.values()],
        "Cramér's V": [split.cramers_v for split in splits.values()],
    }
    groups = [tuple(row.values()) for row in description.to_rows()]
    tables = [
        _table("Splits", ("", *splits), [(name, *values) for name, values in rows.items()]),
        _table("Rows of each group", ("label", "confound", *splits), groups),
    ]
    return Page(
        title=", ".join(map(isolated, sources)),
        subtitle=(
            f"{len(description.label_names)} labels, {len(description.confound_names)} confounds"
        ),
        lead=(_warnings(description.warnings),),
        sections=(Section("What the table holds", tuple(tables)),),
        footer="",
    )


def _table(caption: str, header: tuple[str, ...], rows: Sequence[tuple]) -> Table:
    return Table(caption, header, tuple(rows)).first(MOST)


def _warnings(warnings: Sequence[str]) -> Answer:
    if not warnings:
        return Answer(CALM, "There is nothing to beware of.")
    sentences = tuple(f"{warning[:1].upper()}{warning[1:]}." for warning in warnings)
    count = "is 1 thing" if len(warnings) == 1 else f"are {len(warnings)} things"
    return Answer(OPEN, f"There {count} to beware of.", sentences)
