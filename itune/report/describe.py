"""The description of a table, as a notebook shows it."""

from collections.abc import Sequence

from itune.report.blocks import CALM, OPEN, Answer, Page, Section, Table
from itune.tables.description import Description
from itune.tables.overview import overview
from itune.utils.visible import isolated


def describe_page(description: Description) -> Page:
    """Return a page with the description of a table."""
    tables = [
        Table(table.caption, table.header, tuple(map(tuple, table.rows)))
        for table in overview(description)
    ]
    return Page(
        title=isolated(description.title()),
        subtitle=(
            f"{len(description.label_names)} labels, {len(description.confound_names)} confounds"
        ),
        lead=(_warnings(description.warnings),),
        sections=(Section("What the table holds", tuple(tables)),),
        footer="",
    )


def _warnings(warnings: Sequence[str]) -> Answer:
    if not warnings:
        return Answer(CALM, "There is nothing to beware of.")
    sentences = tuple(f"{warning[:1].upper()}{warning[1:]}." for warning in warnings)
    count = "is 1 thing" if len(warnings) == 1 else f"are {len(warnings)} things"
    return Answer(OPEN, f"There {count} to beware of.", sentences)
