"""Samples are balanced over groups, as far as the sizes of the groups allow."""

import numpy as np
import pytest

from itune.auditing.samples import draw_by_group, draw_sample


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
