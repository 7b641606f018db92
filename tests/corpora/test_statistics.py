"""Table 1: sizes, groups and what the confound alone is worth."""

import pytest

from itune.corpora import Example
from itune.corpora.splits import Splits
from itune.corpora.statistics import Statistics, spurious_success, statistics
from itune.groups import Group


def examples(*groups):
    return [Example(("word",), label, confound, 1) for label, confound in groups]


def test_three_labels_and_confounds():
    train = examples((0, 0), (0, 0), (2, 0), (1, 2), (2, 5), (2, 5), (0, 5), (2, 5))
    dev, test = examples((0, 0)), examples((2, 0), (2, 0), (1, 2), (2, 2), (2, 5))
    groups = {(0, 0): 2, (0, 5): 1, (1, 2): 1, (2, 0): 1, (2, 5): 3}
    expected = Statistics(8, 1, 5, {Group(*group): n for group, n in groups.items()}, 6 / 8, 2 / 5)
    assert statistics(Splits(train, dev, test)) == expected


@pytest.mark.parametrize(
    ("groups", "success"),
    [
        ([(1, 0), (1, 0), (0, 1)], 1.0),
        ([(0, 0), (1, 1)], 0.0),
        ([(0, 2), (1, 2), (0, 2), (0, 3)], 0.5),  # a tie is the least label, a stranger is wrong
    ],
)
def test_spurious_success(groups, success):
    train = examples((1, 0), (1, 0), (0, 0), (0, 1), (1, 2), (0, 2))
    assert spurious_success(train, examples(*groups)) == success
