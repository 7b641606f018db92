"""Batches and subsets in which all cells of the visible examples are equally large (NumPy).

What the baselines that balance, by sampling or by weights, have in common.
"""

from collections.abc import Mapping

import numpy as np

from itune.data.cells import Cell, cells_of
from itune.data.dataset import Dataset
from itune.errors import UserError
from itune.methods.label import LabelConfig


def require_confounds(train: Dataset, method: str) -> None:
    """Checks that a method of this name sees two confounds or more.

    Raises:
      UserError: it does not.
    """
    count = len(np.unique(train.confound[train.visible]))
    if count < 2:
        raise UserError(
            f"method {method} needs two confound values or more and sees {count}; check the data, "
            "or raise access.rate"
        )


def visible_cells(train: Dataset, method: str, *, least: int = 1) -> dict[Cell, np.ndarray]:
    """The visible examples of every combination of a label and a confound, in order.

    Args:
      train: the training data.
      method: the name of the method that needs them.
      least: how many of each it needs.

    Raises:
      UserError: it sees fewer, or fewer than two confounds.
    """
    require_confounds(train, method)
    visible = train.visible
    found = cells_of(train.label[visible], train.confound[visible])
    confounds = np.unique(train.confound[visible])
    for cell in (Cell(int(y), int(c)) for y in np.unique(train.label) for c in confounds):
        count = len(found.get(cell, ()))
        if count < least:
            raise UserError(
                f"method {method} needs {least} or more examples of cell {cell} and sees {count}; "
                "add some, or raise access.rate"
            )
    return {cell: visible[indices] for cell, indices in found.items()}


def share_of_cell(label: LabelConfig, cells: Mapping[Cell, np.ndarray]) -> int:
    """Examples of each cell in a balanced batch; the rest of the division is left out.

    Raises:
      UserError: there would be none.
    """
    if label.batch < len(cells):
        raise UserError(
            f"label.batch is {label.batch} but there are {len(cells)} cells, of which a batch "
            f"holds equally many examples; set it to {len(cells)} or more"
        )
    return label.batch // len(cells)


def balanced_batches(
    train: Dataset,
    label: LabelConfig,
    rng: np.random.Generator,
    *,
    cells: Mapping[Cell, np.ndarray],
) -> list[list[np.ndarray]]:
    """For each epoch as many batches as finetuning has, with equally many examples of each cell.

    Every batch is drawn afresh; with replacement from a cell that is smaller than its share.
    """
    size = share_of_cell(label, cells)

    def batch():
        drawn = [rng.choice(cell, size, replace=len(cell) < size) for cell in cells.values()]
        return np.concatenate(drawn)

    steps = len(train) // label.batch
    return [[batch() for _ in range(steps)] for _ in range(label.epochs)]


def balanced_subset(rng: np.random.Generator, cells: Mapping[Cell, np.ndarray]) -> np.ndarray:
    """As many examples of each cell as the smallest has, drawn without replacement."""
    size = min(map(len, cells.values()))
    return np.concatenate([rng.choice(cell, size, replace=False) for cell in cells.values()])


def subset_batches(
    train: Dataset,
    label: LabelConfig,
    rng: np.random.Generator,
    *,
    cells: Mapping[Cell, np.ndarray],
) -> list[list[np.ndarray]]:
    """For each epoch as many batches as finetuning has, of a balanced subset only.

    The batches are cut from one permutation of the subset after the other.
    """
    subset = balanced_subset(rng, cells)
    shape = (label.epochs, len(train) // label.batch, label.batch)
    passes = -(-int(np.prod(shape)) // len(subset))
    stream = np.concatenate([rng.permutation(subset) for _ in range(passes)])
    return [list(epoch) for epoch in np.resize(stream, shape)]
