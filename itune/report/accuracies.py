"""Accuracies of cells as tables of bars."""

from itune.audit.behaviour import Behaviour
from itune.audit.verdict import Names
from itune.report.blocks import Bar, Table


def cell_table(caption: str, found: Behaviour, names: Names) -> Table:
    """A bar for each cell, with its 95 % interval; the worst is marked.

    Args:
      caption: what the accuracies are of.
      found: the accuracies.
      names: of labels and confounds.
    """
    by_cell = found.accuracy.by_cell
    is_uneven = len(set(by_cell.values())) > 1

    def row(cell):
        mark = "worst" if is_uneven and cell == found.accuracy.worst else ""
        bar = Bar(by_cell[cell], f"{by_cell[cell]:.3f}", *found.intervals[cell], mark)
        return names.cell(cell), bar, f"{found.sizes[cell]:,}"

    return Table(
        caption,
        ("label / confound", "accuracy", "examples"),
        tuple(map(row, by_cell)),
        INTERVALS,
    )


INTERVALS = "Lines across the bars are 95 % intervals (Wilson)."
