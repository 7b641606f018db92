"""Twins at the end of a data set, and the data set without them."""

import numpy as np
import pytest

from itune.data.dataset import HIDDEN, Dataset, collate
from itune.data.twins import add_twins, split_twins
from itune.errors import UserError

IDS = [np.arange(1, length + 1, dtype=np.int32) for length in (3, 2, 5)]
ALONE = Dataset(IDS, np.array([2, 0, 1], np.int32), np.array([0, 1, HIDDEN], np.int32), padding=4)
PAIRS = Dataset(*ALONE[:3], np.array([1, 2, 3], np.int32), 4)


@pytest.mark.parametrize("train", [ALONE, PAIRS])
def test_they_come_last_and_are_told_apart(train):
    twins = Dataset(
        [ids[1:] for ids in IDS[:2]],
        np.zeros(2, np.int32),
        np.zeros(2, np.int32),
        None if train.second is None else np.array([0, 1], np.int32),
    )
    both = add_twins(train, twins, np.array([0, 1]))
    assert len(both) == 5 and both.padding == 4
    assert both.label.tolist() == [2, 0, 1, 2, 0] and both.label.dtype == np.int32
    assert both.visible.tolist() == [0, 1]
    batch = collate(both, np.array([3, 2]))
    assert batch["attention_mask"].sum(axis=1).tolist() == [2, 5]
    assert batch["input_ids"][0, :2].tolist() == [2, 3]
    assert ("token_type_ids" in batch) == (train.second is not None)
    own, twin = split_twins(both, "m")
    assert twin.tolist() == [3, 4, -1] and own.twin_of is None
    for of, other in zip(own[1:4], train[1:4], strict=True):
        np.testing.assert_array_equal(of, other)
    assert [ids.tolist() for ids in own.input_ids] == [ids.tolist() for ids in IDS]


@pytest.mark.parametrize("train", [ALONE, add_twins(ALONE, ALONE, np.arange(3))])
def test_without_twins_it_is_refused(train):
    with pytest.raises(UserError, match="^method m needs .*, and sees none; raise max_length, or"):
        split_twins(train, "m")


def test_other_paddings_keep_them():
    both = add_twins(ALONE, ALONE.subset(np.array([0])), np.array([1]))
    assert both.padded_to(16).twin_of.tolist() == [-1, -1, -1, 1]


def test_a_twin_of_the_same_tokens_is_none():
    both = add_twins(ALONE, ALONE.subset(np.array([0, 1])), np.array([0, 2]))
    assert both.twin_of.tolist() == [-1, -1, -1, 2] and both.input_ids[3].tolist() == [1, 2]
