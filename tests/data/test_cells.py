"""Cells of label and confound."""

import numpy as np
import pytest

from itune.data.cells import Cell, cells_of, require_partners
from itune.errors import UserError


def arrays(*cells):
    label, confound = np.array(cells, np.int32).T
    return label, confound


def test_cells_partition_the_examples():
    rng = np.random.default_rng(0)
    label, confound = rng.integers(0, 2, 60), rng.integers(0, 3, 60)
    cells = cells_of(label, confound)
    assert list(cells) == sorted(cells) and len(cells) == 6
    for cell, indices in cells.items():
        assert set(label[indices]) == {cell.label} and set(confound[indices]) == {cell.confound}
        assert np.all(np.diff(indices) > 0)
    assert sorted(np.concatenate(list(cells.values()))) == list(range(60))
    assert str(Cell(1, 2)) == "y=1 c=2"


def test_absent_cells_are_absent():
    assert list(cells_of(*arrays((1, 0), (0, 2)))) == [Cell(0, 2), Cell(1, 0)]


def test_enough_partners():
    require_partners(*arrays(*[(y, c) for y in (0, 1) for c in (0, 1)] * 2))
    require_partners(*arrays(*[(0, 0), (0, 2), (1, 1), (1, 2)] * 2))  # not every confound with each


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ([(1, 0), (1, 1)] * 2, "all training labels are 1; .* two classes"),
        ([(0, 0), (0, 1), (1, 0), (1, 1)] * 2 + [(1, 2)], "cell y=1 c=2 has 1 .*; add examples"),
        ([(0, 0), (0, 1), (1, 1)] * 2, "label 1 occurs only with confound 1, .* finetuning"),
    ],
)
def test_too_few_partners(cells, message):
    with pytest.raises(UserError, match=f"^{message}"):
        require_partners(*arrays(*cells))
