"""Accuracies of cells as tables of bars."""

from collections.abc import Sequence
from typing import NamedTuple

from itune.audit.proportions import wilson
from itune.report.blocks import MOST, Bar, Table
from itune.report.text import isolated

INTERVALS = "Lines across the bars are 95 % intervals (Wilson)."


class CellRow(NamedTuple):
    """Accuracy of a cell.

    Attributes:
      name: what the cell is called.
      accuracy: a fraction.
      size: rows.
    """

    name: str
    accuracy: float
    size: int


def cell_name(label: str, confound: str) -> str:
    """A cell as the pages call it, neither name turning the other round.

    >>> cell_name("good", "Acme")
    'good / Acme'
    """
    return f"{isolated(label)} / {isolated(confound)}"


def cell_table(caption: str, rows: Sequence[CellRow], worst: str) -> Table:
    """A bar for each cell, with its 95 % interval; of very many cells the worst.

    Args:
      caption: what the accuracies are of.
      rows: of the cells.
      worst: the name of the cell to mark, unless all are alike.
    """
    is_uneven = len({row.accuracy for row in rows}) > 1

    def line(row: CellRow):
        ends = wilson(row.accuracy * row.size, row.size)
        mark = "worst" if is_uneven and row.name == worst else ""
        return row.name, Bar(row.accuracy, f"{row.accuracy:.3f}", *ends, mark), f"{row.size:,}"

    if len(rows) > MOST:
        rows = sorted(rows, key=lambda row: row.accuracy)
    header = ("label / confound", "accuracy", "rows")
    return Table(caption, header, tuple(map(line, rows)), INTERVALS).first(MOST)
