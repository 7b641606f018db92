"""Rows of different lengths in one array (NumPy)."""

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import overload

import numpy as np


class Ragged(Sequence):
    """N integer rows of any lengths, 4 bytes for each item and 8 for each row.

    Reads like a list of arrays; row i is ``values[offsets[i]:offsets[i + 1]]``.

    >>> rows = Ragged.of([[5, 6], [], [7]])
    >>> len(rows), rows[0].tolist(), rows[-1].tolist(), rows.lengths.tolist()
    (3, [5, 6], [7], [2, 0, 1])
    """

    def __init__(self, values: np.ndarray, offsets: np.ndarray) -> None:
        self.values, self.offsets = values, offsets

    @classmethod
    def of(cls, rows: Iterable[Sequence[int] | np.ndarray]) -> "Ragged":
        """Pack rows of integers."""
        rows = list(rows)
        lengths = np.fromiter(map(len, rows), np.int64, len(rows))
        values = np.fromiter(chain.from_iterable(rows), np.int32, int(lengths.sum()))
        return cls(values, offsets_of(lengths))

    def __len__(self) -> int:
        """Return the number of rows, N."""
        return len(self.offsets) - 1

    @overload
    def __getitem__(self, index: int) -> np.ndarray: ...

    @overload
    def __getitem__(self, index: slice) -> "Ragged": ...

    def __getitem__(self, index: int | slice) -> "np.ndarray | Ragged":
        """Return one row, as a view; or, for a slice, a copy of its rows."""
        if isinstance(index, slice):
            return Ragged.of(self[i] for i in range(*index.indices(len(self))))
        row = range(len(self))[index]
        return self.values[self.offsets[row] : self.offsets[row + 1]]

    def take(self, indices: np.ndarray) -> "Ragged":
        """Return the rows at some indices, ``(n,)``, in that order."""
        offsets = offsets_of(self.lengths[indices])
        shifts = np.repeat(self.offsets[indices] - offsets[:-1], np.diff(offsets))
        return Ragged(self.values[np.arange(offsets[-1]) + shifts], offsets)

    @property
    def lengths(self) -> np.ndarray:
        """Number of items of each row, an int64 array of shape ``(N,)``."""
        return np.diff(self.offsets)


def offsets_of(lengths: np.ndarray) -> np.ndarray:
    """Return where rows of these lengths begin, and where the last one ends."""
    return np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])
