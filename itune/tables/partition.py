"""Split one table into train, dev and test (NumPy; a pure function of its seed)."""

import numpy as np

from itune.groups import HIDDEN, groups_of


def partition(
    label: np.ndarray,
    confound: np.ndarray,
    dev: float,
    test: float,
    seed: int,
    unit: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw development and test rows from each group in proportion to its size.

    Rows of one unit go together, and count as rows of the group of the first of them. What rounding
    leaves over is owed to the next group, so that the fractions hold for the whole table as well.
    Every group keeps one unit in training, whatever the fractions; a unit that is larger than what
    is owed stays in training too.

    Args:
      label: Labels, an integer array of shape ``(N,)``.
      confound: Confounds, an integer array of shape ``(N,)``; rows that are not annotated form
        groups like any others.
      dev: Fraction of the rows that go to development.
      test: Fraction of the rows that go to test.
      seed: Seed of the drawing, a non-negative integer.
      unit: Integer array of shape ``(N,)``, equal for rows that must not be parted; None if any
        rows may be parted.

    Returns:
      The indices of train, dev and test, each in order.

    >>> y = np.repeat([0, 1], 10)
    >>> [part.tolist() for part in partition(y, y, 0.1, 0.1, seed=0)][1:]
    [[6, 19], [2, 13]]
    >>> [part.tolist() for part in partition(y, y, 0.1, 0.1, seed=0, unit=np.arange(20) // 2)][1:]
    [[12, 13], [14, 15]]
    """
    rng = np.random.default_rng(seed)
    first, place, size = _units(np.arange(len(label)) if unit is None else unit)
    part = np.zeros(len(first), np.int8)
    owed = np.zeros(2)
    for group in groups_of(label[first], confound[first]).values():
        owed += size[group].sum() * np.array([dev, test])
        drawn = rng.permutation(group)[1:]
        for number in np.argsort(-owed):  # where there are too few, who is owed more comes first
            taken = _fitting(drawn, size, owed[number] + 0.5)
            part[taken] = number + 1
            owed[number] -= size[taken].sum()
            drawn = drawn[part[drawn] == 0]
    train, development, testing = (np.flatnonzero(part[place] == number) for number in range(3))
    return train, development, testing


def matched(label: np.ndarray, confound: np.ndarray, seed: int) -> np.ndarray:
    """Draw rows among which the confound tells nothing of the label; return their indices in order.

    Of each confound as many rows of every label are drawn as its rarest label has, so that Cramér's
    V is 0. Confounds that lack a label, and rows that are not annotated, are left out.

    >>> matched(np.array([0, 0, 0, 1, 1, 0]), np.array([0, 0, 1, 0, 1, 2]), seed=0).tolist()
    [0, 2, 3, 4]
    """
    rng = np.random.default_rng(seed)
    labels, drawn = len(np.unique(label)), [np.arange(0)]
    for value in np.unique(confound[confound != HIDDEN]):
        groups = groups_of(label[confound == value], confound[confound == value]).values()
        rows = np.flatnonzero(confound == value)
        if len(groups) == labels:
            size = min(map(len, groups))
            drawn += [rows[rng.permutation(group)[:size]] for group in groups]
    return np.sort(np.concatenate(drawn))


def _fitting(drawn: np.ndarray, size: np.ndarray, most: float) -> np.ndarray:
    """Return the units that fit, taken in order; a unit that does not fit is passed over."""
    taken = [drawn[:0]]
    while True:
        drawn = drawn[size[drawn] <= most]
        count = np.searchsorted(np.cumsum(size[drawn]), most, side="right")
        if not count:
            return np.concatenate(taken)
        taken.append(drawn[:count])
        most -= size[drawn[:count]].sum()
        drawn = drawn[count:]


def _units(unit: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the first row of each unit, in order; the unit of each row; and their sizes."""
    _, first, place, size = np.unique(
        unit, return_index=True, return_inverse=True, return_counts=True
    )
    order = np.argsort(first)
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    return first[order], rank[place], size[order]
