"""Accuracies of groups as tables of bars."""

from collections.abc import Sequence
from typing import NamedTuple

from itune.metrics.proportions import wilson
from itune.report.blocks import MOST, Bar, Table
from itune.report.text import isolated

INTERVALS = "Lines across the bars are 95 % intervals (Wilson)."


class GroupRow(NamedTuple):
    """Accuracy of a group.

    Attributes:
      name: what the group is called.
      accuracy: a fraction.
      size: rows.
    """

    name: str
    accuracy: float
    size: int


def group_name(label: str, confound: str) -> str:
    """A group as the pages call it, neither name turning the other round.

    >>> group_name("good", "Acme")
    'good / Acme'
    """
    return f"{isolated(label)} / {isolated(confound)}"


def group_table(caption: str, rows: Sequence[GroupRow], worst: str) -> Table:
    """A bar for each group, with its 95 % interval; of very many groups the worst.

    Args:
      caption: what the accuracies are of.
      rows: of the groups.
      worst: the name of the group to mark, unless all are alike.
    """
    is_uneven = len({row.accuracy for row in rows}) > 1

    def line(row: GroupRow):
        ends = wilson(row.accuracy * row.size, row.size)
        mark = "worst" if is_uneven and row.name == worst else ""
        return row.name, Bar(row.accuracy, f"{row.accuracy:.3f}", *ends, mark), f"{row.size:,}"

    if len(rows) > MOST:
        rows = sorted(rows, key=lambda row: row.accuracy)
    header = ("label / confound", "accuracy", "rows")
    return Table(caption, header, tuple(map(line, rows)), INTERVALS).first(MOST)
