"""Cells: the combinations of label and confound (NumPy)."""

from typing import NamedTuple

import numpy as np

from itune.errors import UserError

HIDDEN = -1
"""The confound of an example that is not annotated, or whose confound a method may not see."""


class Cell(NamedTuple):
    """One combination of values; sorts by label, then confound."""

    label: int
    confound: int

    def __str__(self) -> str:
        """``y=0 c=1``, as tables and messages show it."""
        return f"y={self.label} c={self.confound}"


def cells_of(label: np.ndarray, confound: np.ndarray) -> dict[Cell, np.ndarray]:
    """The indices of each cell that has any, in order.

    >>> cells = cells_of(np.array([1, 0, 1]), np.array([1, 0, 1]))
    >>> {str(cell): indices.tolist() for cell, indices in cells.items()}
    {'y=0 c=0': [1], 'y=1 c=1': [0, 2]}
    """
    present = sorted({Cell(int(y), int(c)) for y, c in zip(label, confound, strict=True)})
    return {
        cell: np.flatnonzero((label == cell.label) & (confound == cell.confound))
        for cell in present
    }


class Counts(NamedTuple):
    """How many examples each cell has that has any, in order of label, then confound.

    Attributes:
      label: of each cell.
      confound: of each cell.
      size: of each cell.
    """

    label: np.ndarray
    confound: np.ndarray
    size: np.ndarray


def count_cells(label: np.ndarray, confound: np.ndarray) -> Counts:
    """Counts the examples of each cell, of however many in whatever time a sort takes.

    >>> [part.tolist() for part in count_cells(np.array([1, 0, 1]), np.array([2, -1, 2]))]
    [[0, 1], [-1, 2], [1, 2]]
    """
    width = int(confound.max(initial=0)) - HIDDEN + 1
    code, size = np.unique(label * np.int64(width) + (confound - HIDDEN), return_counts=True)
    return Counts(code // width, code % width + HIDDEN, size)


def require_partners(label: np.ndarray, confound: np.ndarray) -> None:
    """Checks that every example has a partner in both of its groups.

    Raises:
      UserError: one class only, or a cell without partners.
    """
    cells = cells_of(label, confound)
    if len({cell.label for cell in cells}) < 2:
        only = next(iter(cells)).label
        raise UserError(f"all training labels are {only}; a classifier needs two classes or more")
    for cell, indices in cells.items():
        if len(indices) < 2:
            raise UserError(
                f"cell {cell} has 1 training example, which has no partner of the same confound; "
                "add examples to that cell or remove its one"
            )
        if not any(c.label == cell.label and c.confound != cell.confound for c in cells):
            raise UserError(
                f"label {cell.label} occurs only with confound {cell.confound}, so its examples "
                "have no partner of a different confound; add some, or use method finetuning"
            )
