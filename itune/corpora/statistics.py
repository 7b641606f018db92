"""How large the splits of a task are, and how far the confound alone gets (NumPy)."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from itune.corpora.example import Example
from itune.corpora.splits import Splits
from itune.groups import Group, count_groups, groups_of


class Statistics(NamedTuple):
    """What Table 1 of Han & Tsvetkov (2021) tells of a task.

    Attributes:
      train_size: number of training examples.
      dev_size: number of development examples.
      test_size: number of test examples.
      train_groups: training examples of each label and confound that has any, in order.
      train_success: spurious success in train, from 0 to 1.
      test_success: spurious success in test, from 0 to 1.
    """

    train_size: int
    dev_size: int
    test_size: int
    train_groups: dict[Group, int]
    train_success: float
    test_success: float


def statistics(splits: Splits) -> Statistics:
    """Counts examples and groups, and takes the spurious success of train and test.

    >>> train = [Example(("word",), y, c, 1) for y, c in ((0, 0), (0, 0), (1, 1), (1, 0))]
    >>> found = statistics(Splits(train, train[:1], train[2:]))
    >>> {str(group): size for group, size in found.train_groups.items()}
    {'y=0 c=0': 2, 'y=1 c=0': 1, 'y=1 c=1': 1}
    >>> found.train_success, found.test_success
    (0.75, 0.5)
    """
    groups = groups_of(*_columns(splits.train))
    return Statistics(
        *map(len, splits),
        {group: len(indices) for group, indices in groups.items()},
        spurious_success(splits.train, splits.train),
        spurious_success(splits.train, splits.test),
    )


def spurious_success(train: Sequence[Example], examples: Sequence[Example]) -> float:
    """The accuracy of telling the label from the confound alone, from 0 to 1.

    ==============================  ============================================
    confound                        label told
    ==============================  ============================================
    known                           its most frequent label in training
    with labels equally frequent    the least of them
    not in training                 none, which is wrong
    ==============================  ============================================

    Args:
      train: what the labels of the confounds are learnt from.
      examples: what they are told of; one or more.
    """
    return confound_success(_columns(train), _columns(examples))


def confound_success(
    train: tuple[np.ndarray, np.ndarray], examples: tuple[np.ndarray, np.ndarray]
) -> float:
    """As :func:`spurious_success`, of arrays of labels and confounds from 0.

    >>> seen = np.array([0, 0, 1, 1]), np.array([0, 0, 1, 0])
    >>> confound_success(seen, seen)
    0.75
    """
    groups = count_groups(*train)
    order = np.lexsort((groups.label, -groups.size, groups.confound))
    known, first = np.unique(groups.confound[order], return_index=True)
    told = groups.label[order][first]
    label, confound = examples
    place = np.minimum(np.searchsorted(known, confound), len(known) - 1)
    return float(np.mean((known[place] == confound) & (told[place] == label)))


def _columns(examples: Sequence[Example]) -> tuple[np.ndarray, np.ndarray]:
    return np.array([e.label for e in examples]), np.array([e.confound for e in examples])
