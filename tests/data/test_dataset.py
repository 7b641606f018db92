"""Padding, and chunks of like length."""

import numpy as np
import pytest

from itune.data.dataset import Dataset, chunks_by_length, collate, padded_length, tokenize
from itune.data.example import Example
from itune.errors import UserError

LENGTHS = [3, 8, 9, 5, 17, 4, 12]
DATA = Dataset(
    [np.arange(1, length + 1, dtype=np.int32) + 100 * i for i, length in enumerate(LENGTHS)],
    np.array([0, 1, 0, 1, 2, 1, 0], np.int32),
    np.array([1, 1, 0, 0, 1, 0, 3], np.int32),
)


def test_length_is_of_examples():
    assert len(DATA) == 7
    np.testing.assert_array_equal(DATA.lengths, LENGTHS)


@pytest.mark.parametrize(
    ("lengths", "padded"), [([1], 8), ([8, 3], 8), ([9], 16), ([2, 17], 24), ([64], 64)]
)
def test_padded_length(lengths, padded):
    assert padded_length(np.array(lengths)) == padded


@pytest.mark.parametrize(
    ("indices", "length"),
    [([0], 8), ([1, 0, 1], 8), ([[0, 2], [3, 5]], 16), ([[4]], 24), ([[0, 1, 3]], 8)],
)
def test_collate(indices, length):
    indices = np.array(indices)
    batch = collate(DATA, indices)
    assert batch["input_ids"].shape == batch["attention_mask"].shape == (*indices.shape, length)
    assert batch["input_ids"].dtype == np.int32 and batch["attention_mask"].dtype == bool
    for place in np.ndindex(indices.shape):
        example = indices[place]
        ids, mask = batch["input_ids"][place], batch["attention_mask"][place]
        np.testing.assert_array_equal(ids[mask], DATA.input_ids[example])
        assert mask[: LENGTHS[example]].all() and not np.any(ids[~mask])
        assert batch["label"][place] == DATA.label[example]
        assert batch["confound"][place] == DATA.confound[example]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 10])
@pytest.mark.parametrize("indices", [[6, 0, 4, 4, 1, 3, 5], [[0, 4], [1, 3], [2, 0], [6, 6]], [2]])
def test_chunks(indices, size):
    indices = np.array(indices)
    longest = DATA.lengths[indices.reshape(len(indices), -1)].max(axis=1)
    chunks = chunks_by_length(DATA, indices, size)
    assert len(chunks) == -(-len(indices) // size)
    covered = np.concatenate([rows[is_real] for rows, is_real in chunks])
    assert sorted(covered) == list(range(len(indices)))
    assert np.all(np.diff(longest[covered]) >= 0)  # like lengths together
    for rows, is_real in chunks:
        assert rows.shape == is_real.shape == (size,) and is_real.dtype == bool
        assert is_real[0] and set(rows[~is_real]) <= {rows[0]}
    assert all(is_real.all() for _, is_real in chunks[:-1])


class Tokenizer:
    """Numbers words by their letters, between 101 and 102."""

    def __call__(self, sentences, *, is_split_into_words, truncation, max_length, **without):
        assert is_split_into_words and truncation and not any(without.values())
        rows = [[len(word) for word in words][: max_length - 2] for words in sentences]
        return {"input_ids": [[101, *row, 102] for row in rows]}


EXAMPLES = [Example(("a", "bb", "ccc"), 1, 0, 3), Example(("dddd",), 0, 2, 1)]


def test_tokenize():
    data = tokenize(EXAMPLES, Tokenizer(), max_length=4, max_positions=4)
    assert [ids.tolist() for ids in data.input_ids] == [[101, 1, 2, 102], [101, 4, 102]]
    assert data.label.tolist() == [1, 0] and data.confound.tolist() == [0, 2]
    assert {data.input_ids[0].dtype, data.label.dtype, data.confound.dtype} == {np.dtype("int32")}


@pytest.mark.parametrize(("max_length", "remedy"), [(5, "set max_length to 4 or less"), (2, "3")])
def test_tokenize_refuses(max_length, remedy):
    with pytest.raises(UserError, match=rf"^max_length is {max_length}\b.*{remedy}"):
        tokenize(EXAMPLES, Tokenizer(), max_length=max_length, max_positions=4)


def test_a_tokenizer_that_is_not_the_encoders():
    tokenize(EXAMPLES, Tokenizer(), max_length=4, vocab_size=103)
    with pytest.raises(UserError, match="gives id 102 but the encoder has 102 word pieces"):
        tokenize(EXAMPLES, Tokenizer(), max_length=4, vocab_size=102)
