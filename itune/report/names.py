"""What labels, confounds and cells are called within a sentence."""

from collections.abc import Sequence
from typing import NamedTuple

from itune.data.cells import HIDDEN, Cell
from itune.report.text import isolated


class Names(NamedTuple):
    """Names by number.

    Attributes:
      labels: of labels.
      confounds: of confounds.
    """

    labels: Sequence[str]
    confounds: Sequence[str]

    def label(self, label: int) -> str:
        """What a label is called."""
        return isolated(self.labels[label])

    def confound(self, confound: int) -> str:
        """What a confound is called; one that is hidden has no name."""
        return "not annotated" if confound == HIDDEN else isolated(self.confounds[confound])

    def cell(self, cell: Cell) -> str:
        """What a cell is called.

        >>> Names(("bad", "good"), ("Acme", "Zenith")).cell(Cell(1, 0))
        'good / Acme'
        """
        return f"{self.label(cell.label)} / {self.confound(cell.confound)}"
