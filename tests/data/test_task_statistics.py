"""Table 1: sizes, cells and what the confound alone is worth."""

import pytest

from itune.data import Example
from itune.data.cells import Cell
from itune.data.splits import Splits
from itune.data.statistics import Statistics, spurious_success, statistics


def examples(*cells):
    return [Example(("word",), label, confound, 1) for label, confound in cells]


def test_three_labels_and_confounds():
    train = examples((0, 0), (0, 0), (2, 0), (1, 2), (2, 5), (2, 5), (0, 5), (2, 5))
    dev, test = examples((0, 0)), examples((2, 0), (2, 0), (1, 2), (2, 2), (2, 5))
    cells = {(0, 0): 2, (0, 5): 1, (1, 2): 1, (2, 0): 1, (2, 5): 3}
    expected = Statistics(8, 1, 5, {Cell(*cell): n for cell, n in cells.items()}, 6 / 8, 2 / 5)
    assert statistics(Splits(train, dev, test)) == expected


@pytest.mark.parametrize(
    ("cells", "success"),
    [
        ([(1, 0), (1, 0), (0, 1)], 1.0),
        ([(0, 0), (1, 1)], 0.0),
        ([(0, 2), (1, 2), (0, 2), (0, 3)], 0.5),  # a tie is the least label, a stranger is wrong
    ],
)
def test_spurious_success(cells, success):
    train = examples((1, 0), (1, 0), (0, 0), (0, 1), (1, 2), (0, 2))
    assert spurious_success(train, examples(*cells)) == success
