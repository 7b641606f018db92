"""One table into train, dev and test (NumPy; a pure function of its seed)."""

import numpy as np


def partition(
    label: np.ndarray, confound: np.ndarray, dev: float, test: float, seed: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draws development and test rows from each cell in proportion to its size.

    What rounding leaves over is owed to the next cell, so that the whole has its fractions as well.
    Every cell keeps a row in training, whatever the fractions.

    Args:
      label: ``(N,)``.
      confound: ``(N,)``; the rows that are not annotated are a cell as any other.
      dev: fraction of the rows.
      test: fraction of the rows.
      seed: of the drawing.

    Returns:
      The indices of train, dev and test, each in order.

    >>> y = np.repeat([0, 1], 10)
    >>> [part.tolist() for part in partition(y, y, 0.1, 0.1, seed=0)][1:]
    [[6, 19], [2, 13]]
    """
    rng = np.random.default_rng(seed)
    part = np.zeros(len(label), np.int8)
    owed = np.zeros(2)
    for cell in _cells(label, confound):
        owed += len(cell) * np.array([dev, test])
        drawn = rng.permutation(cell)[1:]
        for number in np.argsort(-owed):  # where there are too few, who is owed more comes first
            size = min(int(owed[number] + 0.5), len(drawn))
            part[drawn[:size]] = number + 1
            owed[number] -= size
            drawn = drawn[size:]
    return tuple(np.flatnonzero(part == number) for number in range(3))


def _cells(label: np.ndarray, confound: np.ndarray) -> list[np.ndarray]:
    """The indices of each cell, by one sort."""
    order = np.lexsort((confound, label))
    changes = (np.diff(label[order]) != 0) | (np.diff(confound[order]) != 0)
    return np.split(order, np.flatnonzero(changes) + 1)
