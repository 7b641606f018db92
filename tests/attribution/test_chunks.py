"""Chunks: equal lengths, the last one padded with real examples."""

import numpy as np
import pytest

from itune.attribution.chunks import each_chunk, map_examples, pair_matrix, stack_chunks

EXAMPLES = {"a": np.arange(7), "b": np.arange(14.0).reshape(7, 2)}


@pytest.mark.parametrize(
    ("size", "rows", "real"),
    [
        (3, [[0, 1, 2], [3, 4, 5], [6, 6, 6]], [3, 3, 1]),
        (7, [[0, 1, 2, 3, 4, 5, 6]], [7]),
        (100, [[0, 1, 2, 3, 4, 5, 6]], [7]),
    ],
)
def test_rows(size, rows, real):
    chunks = list(each_chunk(EXAMPLES, size))
    assert [chunk["a"].tolist() for chunk, _ in chunks] == rows
    assert [count for _, count in chunks] == real
    assert chunks[-1][0]["b"].tolist() == [EXAMPLES["b"][i].tolist() for i in rows[-1]]
    stacked, is_real = stack_chunks(EXAMPLES, size)
    assert stacked["a"].tolist() == rows and is_real.sum(axis=1).tolist() == real


@pytest.mark.parametrize("size", [1, 3, 100])
def test_padding_is_dropped(size):
    assert (
        map_examples(lambda z: 2 * z["b"], EXAMPLES, size).tolist() == (2 * EXAMPLES["b"]).tolist()
    )
    pairs = pair_matrix(np.subtract.outer, np.arange(5), np.arange(7), size)
    assert pairs.tolist() == np.subtract.outer(np.arange(5), np.arange(7)).tolist()
