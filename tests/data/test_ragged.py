"""Rows of different lengths read like a list of arrays."""

import numpy as np
import pytest

from itune.data.ragged import Ragged

ROWS = [[5, 6, 7], [], [8], [9, 10]]


def test_reads_like_a_list():
    ragged = Ragged.of(iter(ROWS))
    assert [row.tolist() for row in ragged] == ROWS and len(ragged) == 4
    assert ragged[-1].tolist() == [9, 10] and ragged[np.int64(2)].tolist() == [8]
    assert [row.tolist() for row in ragged[1:]] == ROWS[1:]
    assert [row.tolist() for row in ragged[::-2]] == ROWS[::-2]
    with pytest.raises(IndexError):
        ragged[4]


def test_lengths_and_size():
    ragged = Ragged.of(ROWS)
    np.testing.assert_array_equal(ragged.lengths, [3, 0, 1, 2])
    assert ragged.values.dtype == np.int32 and ragged.values.nbytes == 4 * 6
    assert ragged[0].base is ragged.values  # no copy


@pytest.mark.parametrize("indices", [[2, 0, 0], [], [1], [4, 3, 2, 1, 0]])
def test_take(indices):
    lists = [[5, 6], [], [7], [8, 9, 10], [11]]
    taken = Ragged.of(lists).take(np.array(indices, int))
    assert [row.tolist() for row in taken] == [lists[i] for i in indices]
    assert taken.values.dtype == np.int32


def test_empty():
    assert len(Ragged.of([])) == 0 and Ragged.of([]).lengths.shape == (0,)
