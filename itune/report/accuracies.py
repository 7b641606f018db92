"""Accuracies of cells as tables of bars."""

from collections.abc import Mapping

from itune.data.cells import HIDDEN, Cell
from itune.report.blocks import Bar, Table
from itune.report.names import Names
from itune.report.numbers import interval


def worst_cell(accuracies: Mapping[Cell, float]) -> Cell:
    """The cell of the lowest accuracy; examples without a confound are one only if all are."""
    known = [cell for cell in accuracies if cell.confound != HIDDEN]
    return min(known or accuracies, key=accuracies.__getitem__)


def cell_table(
    caption: str, accuracies: Mapping[Cell, float], sizes: Mapping[Cell, int], names: Names
) -> Table:
    """A bar for each cell, with its 95 % interval; the worst is marked.

    Args:
      caption: what the accuracies are of.
      accuracies: of each cell that has any example.
      sizes: examples of the same.
      names: of labels and confounds.
    """
    worst = worst_cell(accuracies) if len(set(accuracies.values())) > 1 else None

    def row(cell, value):
        ends = interval(value, sizes[cell])
        bar = Bar(value, f"{value:.3f}", *ends, mark="worst" if cell == worst else "")
        return names.cell(cell), bar, f"{sizes[cell]:,}"

    return Table(
        caption,
        ("label / confound", "accuracy", "examples"),
        tuple(row(*item) for item in accuracies.items()),
        "Lines across the bars are 95 % intervals (Wilson).",
    )
