"""Cells: the combinations of label and confound (NumPy)."""

from typing import NamedTuple

import numpy as np

from itune.errors import UserError


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
