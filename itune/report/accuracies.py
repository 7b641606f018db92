"""Accuracies of groups as tables of bars."""

from collections.abc import Sequence

from itune.metrics.proportions import wilson
from itune.report.blocks import MOST, Bar, Table
from itune.utils.formats import MISSING
from itune.utils.visible import isolated

INTERVALS = "Lines across the bars are 95 % intervals (Wilson)."


def group_name(label: str, confound: str) -> str:
    """Return a group as the pages call it, neither name reordering the other.

    >>> group_name("good", "Acme")
    'good / Acme'
    """
    return f"{isolated(label)} / {isolated(confound)}"


def group_table(
    caption: str, rows: Sequence[tuple[str, float, int | None]], worst: str | None
) -> Table:
    """Return a table with a bar for each group and its 95 % interval; the worst of many groups.

    Rows are name, accuracy and number of rows; there is no interval where that is unknown.
    """
    is_uneven = len({accuracy for _, accuracy, _ in rows}) > 1

    def line(name: str, accuracy: float, size: int | None) -> tuple[str, Bar, str]:
        ends = (None, None) if size is None else wilson(accuracy * size, size)
        mark = "worst" if is_uneven and name == worst else ""
        shown = MISSING if size is None else f"{size:,}"
        return name, Bar(accuracy, f"{accuracy:.3f}", *ends, mark), shown

    if len(rows) > MOST:
        rows = sorted(rows, key=lambda row: row[1])
    note = INTERVALS if any(size is not None for *_, size in rows) else ""
    header = ("label / confound", "accuracy", "rows")
    return Table(caption, header, tuple(line(*row) for row in rows), note).first(MOST)
