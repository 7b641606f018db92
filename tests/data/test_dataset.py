"""Padding, and chunks of like length."""

import numpy as np
import pyarrow as pa
import pytest

from itune.data.access import AccessConfig, hide_confounds
from itune.data.dataset import (
    Dataset,
    chunks_by_length,
    collate,
    tokenize_table,
    tokenize_texts,
)
from itune.data.ragged import Ragged
from itune.errors import UserError
from itune.tables.table import Table

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


@pytest.mark.parametrize(("multiple", "length"), [(1, 5), (4, 8), (32, 32)])
def test_padded_to_the_multiple_of_the_data(multiple, length):
    data = DATA.padded_to(multiple)
    for of in (data, data.subset(np.arange(7))):
        batch = collate(of, np.array([3, 5]))
        assert batch["input_ids"].shape == batch["attention_mask"].shape == (2, length)
        assert batch["attention_mask"].sum() == 9


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
    """Numbers words by their letters; 101 before, 102 after each text, as BERT marks them."""

    def __call__(self, texts, pairs=None, *, truncation, max_length, **options):
        assert not options["return_attention_mask"] and truncation
        assert options["return_token_type_ids"] == (pairs is not None)
        ids = [[101, *map(len, text.split()), 102] for text in texts]
        kinds = [[0] * len(row) for row in ids]
        for row, kind, pair in zip(ids, kinds, pairs or (), strict=pairs is not None):
            kind += [1] * (len(pair.split()) + 1)
            row += [*map(len, pair.split()), 102]
        return {
            "input_ids": [row[:max_length] for row in ids],
            "token_type_ids": [kind[:max_length] for kind in kinds],
        }


def table(*columns, rows):
    columns = pa.table({str(i): pa.array(c, pa.large_string()) for i, c in enumerate(columns)})
    return Table("t", columns, np.array(rows), np.array(rows, np.int32), np.array(rows, np.int32))


def test_tokenize_a_table(monkeypatch):
    monkeypatch.setattr("itune.data.dataset.BATCH", 2)
    done = []
    texts = table(["a bb", "unused", "ccc", "d d", "e"], rows=[0, 2, 3, 4])
    data = tokenize_table(texts, Tokenizer(), max_length=6, on_batch=done.append)
    assert [ids.tolist() for ids in data.input_ids] == [
        [101, 1, 2, 102], [101, 3, 102], [101, 1, 1, 102], [101, 1, 102]
    ]  # fmt: skip
    assert done == [1, 2, 1] and data.second is None
    assert data.input_ids[0].dtype == np.int32
    assert data.label is texts.label and data.confound is texts.confound
    assert set(collate(data, np.array([0]))) == {"input_ids", "attention_mask", "label", "confound"}


def test_pairs():
    pairs = table(["a bb", "ccc"], ["d", "e e e e"], rows=[0, 1])
    data = tokenize_table(pairs, Tokenizer(), max_length=7)
    assert data.second.tolist() == [4, 3] and data.second.dtype == np.int32
    batch = collate(data, np.array([[1], [0]]))
    assert batch["token_type_ids"].dtype == np.int32
    assert batch["token_type_ids"].tolist() == [
        [[0, 0, 0, 1, 1, 1, 1, 0]], [[0, 0, 0, 0, 1, 1, 0, 0]]
    ]  # fmt: skip
    shown = hide_confounds(data, AccessConfig(), np.random.default_rng(0))
    np.testing.assert_array_equal(shown.second, data.second)


def test_packed_rows_collate_as_a_list_does():
    packed = Dataset(Ragged.of(DATA.input_ids), DATA.label, DATA.confound)
    indices = np.array([[6, 2], [0, 4]])
    for name, expected in collate(DATA, indices).items():
        np.testing.assert_array_equal(collate(packed, indices)[name], expected)
    np.testing.assert_array_equal(packed.lengths, LENGTHS)


@pytest.mark.parametrize(("max_length", "remedy"), [(9, "set max_length to 8 or less"), (2, "3")])
def test_lengths_that_do_not_fit(max_length, remedy):
    texts = table(["a bb"], rows=[0])
    with pytest.raises(UserError, match=rf"^max_length is {max_length}\b.*{remedy}"):
        tokenize_table(texts, Tokenizer(), max_length=max_length, max_positions=8)
    with pytest.raises(UserError, match=rf"^max_length is {max_length}\b.*{remedy}"):
        tokenize_texts(["a bb"], Tokenizer(), max_length=max_length, max_positions=8)


@pytest.mark.parametrize(("most", "padded"), [(12, 12), (13, 12), (14, 12), (16, 16), (130, 16)])
def test_no_padding_beyond_the_last_position(most, padded):
    texts = ["one two three four five six seven eight nine ten eleven twelve thirteen fourteen"]
    limits = {"max_length": 12, "max_positions": most}
    rows = tokenize_table(table(texts, rows=[0]), Tokenizer(), **limits)
    alone = tokenize_texts(texts, Tokenizer(), **limits)
    for data in (rows, alone):
        assert collate(data, np.array([0]))["input_ids"].shape == (1, padded)


def test_a_tokenizer_that_is_not_the_encoders():
    texts = table(["a bb"], rows=[0])
    tokenize_table(texts, Tokenizer(), max_length=9, vocab_size=103)
    with pytest.raises(UserError, match="gives id 102 but the encoder has 102 tokens"):
        tokenize_table(texts, Tokenizer(), max_length=9, vocab_size=102)


@pytest.mark.parametrize("pack", [list, Ragged.of])
def test_subset(pack):
    ids = [np.array([1, 2], np.int32), np.array([3], np.int32), np.array([4, 5, 6], np.int32)]
    data = Dataset(pack(ids), np.array([0, 1, 2]), np.array([5, 6, 7]), np.array([1, 1, 2]))
    part = data.subset(np.array([2, 0]))
    assert [row.tolist() for row in part.input_ids] == [[4, 5, 6], [1, 2]]
    assert [part.label.tolist(), part.confound.tolist()] == [[2, 0], [7, 5]]
    assert part.second.tolist() == [2, 1] and len(part) == 2
