"""One table into train, dev and test: in proportion, by seed, no group without training rows."""

import numpy as np
import pytest

from itune.tables.partition import partition

RNG = np.random.default_rng(0)
LABEL = RNG.integers(0, 2, 1000)
CONFOUND = np.where(RNG.random(1000) < 0.95, LABEL, RNG.integers(-1, 3, 1000))


def test_disjoint_ordered_and_by_seed():
    parts = partition(LABEL, CONFOUND, 0.1, 0.2, seed=1)
    assert sorted(np.concatenate(parts)) == list(range(1000))
    assert all(np.all(np.diff(part) > 0) for part in parts)
    for again, same in ((1, True), (2, False)):
        others = partition(LABEL, CONFOUND, 0.1, 0.2, seed=again)
        assert np.array_equal(parts[2], others[2]) == same


def test_each_group_and_the_whole_in_proportion():
    parts = partition(LABEL, CONFOUND, 0.1, 0.2, seed=0)
    assert [len(part) for part in parts] == [700, 100, 200]
    for group in {*zip(LABEL, CONFOUND, strict=True)}:
        sizes = [np.sum((LABEL[p] == group[0]) & (CONFOUND[p] == group[1])) for p in parts]
        np.testing.assert_allclose(sizes[1:], np.array([0.1, 0.2]) * sum(sizes), atol=1)


@pytest.mark.parametrize("fractions", [(0.1, 0.1), (0.45, 0.5), (0, 0.9)])
def test_every_group_keeps_a_training_row(fractions):
    confound = np.arange(60) // 2  # groups of one and of two rows
    label = np.where(np.arange(60) < 20, np.arange(60) % 2, 0)
    train, _, test = partition(label, confound, *fractions, seed=0)
    assert {*zip(label, confound, strict=True)} == {
        *zip(label[train], confound[train], strict=True)
    }
    assert len(test) > 0


def test_no_fractions():
    train, dev, test = partition(LABEL, CONFOUND, 0.0, 0.0, seed=0)
    assert len(train) == 1000 and not len(dev) and not len(test)


def test_groups_are_not_parted():
    group = RNG.integers(0, 300, 1000)
    parts = partition(LABEL, CONFOUND, 0.1, 0.2, seed=0, unit=group)
    assert sorted(np.concatenate(parts)) == list(range(1000))
    kept = [set(group[part]) for part in parts]
    assert sum(map(len, kept)) == len(set(group)) and all(kept)
    assert abs(len(parts[1]) - 100) <= 8 and abs(len(parts[2]) - 200) <= 8


def test_what_groups_are_called_does_not_matter():
    group = RNG.integers(0, 300, 1000)
    expected = partition(LABEL, CONFOUND, 0.1, 0.2, 0, group)
    for part, same in zip(
        partition(LABEL, CONFOUND, 0.1, 0.2, 0, -7 * group), expected, strict=True
    ):
        np.testing.assert_array_equal(part, same)
    alone = partition(LABEL, CONFOUND, 0.1, 0.2, 0, RNG.permutation(1000))
    for part, same in zip(alone, partition(LABEL, CONFOUND, 0.1, 0.2, 0), strict=True):
        np.testing.assert_array_equal(part, same)


def test_one_large_group():
    """It goes to training, and the parts are taken from the rest."""
    group = np.where(np.arange(1000) < 700, 0, np.arange(1000))
    zeros = np.zeros(1000, int)
    train, dev, test = partition(zeros, zeros, 0.1, 0.2, 0, group)
    assert len(dev) + len(test) >= 299 and set(range(700)) <= set(train)
