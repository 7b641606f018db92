"""Groups of label and confound."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from itune.errors import UserError
from itune.groups import (
    HIDDEN,
    Group,
    count_groups,
    draw_by_group,
    draw_sample,
    groups_of,
    require_partners,
)


def arrays(*groups):
    label, confound = np.array(groups, np.int32).T
    return label, confound


def test_groups_partition_the_examples():
    rng = np.random.default_rng(0)
    label, confound = rng.integers(0, 2, 60), rng.integers(0, 3, 60)
    groups = groups_of(label, confound)
    assert list(groups) == sorted(groups) and len(groups) == 6
    for group, indices in groups.items():
        assert set(label[indices]) == {group.label} and set(confound[indices]) == {group.confound}
        assert np.all(np.diff(indices) > 0)
    assert sorted(np.concatenate(list(groups.values()))) == list(range(60))
    assert str(Group(1, 2)) == "y=1 c=2"


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(HIDDEN, 3)), min_size=1, max_size=30))
def test_every_row_is_in_one_group_and_counts_are_sizes(rows):
    label, confound = arrays(*rows)
    groups = groups_of(label, confound)
    assert sorted(np.concatenate(list(groups.values()))) == list(range(len(rows)))
    assert all(rows[index] == group for group, indices in groups.items() for index in indices)
    counts = count_groups(label, confound)
    assert list(zip(counts.label, counts.confound, strict=True)) == list(groups)
    assert counts.size.tolist() == [len(indices) for indices in groups.values()]


def test_absent_groups_are_absent():
    assert list(groups_of(*arrays((1, 0), (0, 2)))) == [Group(0, 2), Group(1, 0)]


def test_enough_partners():
    require_partners(*arrays(*[(y, c) for y in (0, 1) for c in (0, 1)] * 2))
    require_partners(*arrays(*[(0, 0), (0, 2), (1, 1), (1, 2)] * 2))  # not every confound with each


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ([(1, 0), (1, 1)] * 2, "all training labels are 1; .* two classes"),
        ([(0, 0), (0, 1), (1, 0), (1, 1)] * 2 + [(1, 2)], "group y=1 c=2 has 1 .*; add examples"),
        ([(0, 0), (0, 1), (1, 1)] * 2, "label 1 occurs only with confound 1, .* finetuning"),
    ],
)
def test_too_few_partners(groups, message):
    with pytest.raises(UserError, match=f"^{message}"):
        require_partners(*arrays(*groups))


def test_a_sample_has_equally_many_of_each_group_or_all_of_a_small_one():
    label = np.repeat([0, 0, 1, 1, 2], [50, 5, 40, 5, 30])
    confound = np.repeat([0, 1, 0, 1, 0], [50, 5, 40, 5, 30])
    sample = draw_sample(label, confound, 40, np.random.default_rng(0))
    groups, sizes = np.unique(
        np.stack([label[sample], confound[sample]]), axis=1, return_counts=True
    )
    assert groups.T.tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]  # label 2 has no partners
    assert sizes.tolist() == [10, 5, 10, 5]
    assert np.all(np.diff(sample) > 0)


def test_a_sample_is_empty_if_no_label_has_two_confounds():
    label = np.repeat([0, 1], 5)
    assert len(draw_sample(label, label, 4, np.random.default_rng(0))) == 0


@pytest.mark.parametrize(
    ("size", "expected"),
    [(3, [1, 1, 1]), (9, [2, 3, 4]), (30, [2, 9, 19]), (99, [2, 9, 80]), (2, [1, 1, 1])],
)
def test_what_small_groups_lack_is_drawn_from_others(size, expected):
    group = np.random.default_rng(0).permutation(np.repeat([0, 1, 2], [2, 9, 80]))
    drawn = draw_by_group(group % 2, group, size, np.random.default_rng(1))
    assert np.bincount(group[drawn]).tolist() == expected
    assert np.all(np.diff(drawn) > 0)
