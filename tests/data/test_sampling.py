"""Draws of batches, probes and partners."""

import numpy as np
import pytest

from itune import UserError
from itune.data.sampling import (
    balance_batch,
    draw_partners,
    draw_pools,
    draw_probes,
    joined_pools,
    label_batches,
)

#                 0  1  2  3  4  5  6  7  8  9
LABEL = np.array([0, 0, 0, 0, 0, 0, 0, 1, 1, 1])
CONFOUND = np.array([0, 0, 0, 0, 1, 2, 2, 0, 0, 0])
POOL = np.arange(10)


def rng(seed=0):
    return np.random.default_rng(seed)


def test_label_batches():
    epochs = label_batches(rng(), 11, 3, 4)
    assert np.shape(epochs) == (4, 3, 3)
    for epoch in epochs:
        assert len(set(np.ravel(epoch))) == 9 and np.max(epoch) < 11
    assert len({tuple(np.ravel(epoch)) for epoch in epochs}) == 4
    np.testing.assert_array_equal(epochs, label_batches(rng(), 11, 3, 4))
    assert label_batches(rng(), 2, 3, 4) == [[]] * 4


def test_probes():
    pool = np.array([3, 5, 8, 13])
    drawn = [draw_probes(rng(seed), 3, pool) for seed in range(300)]
    assert all(len(set(probes)) == 3 and set(probes) <= set(pool) for probes in drawn)
    assert len({tuple(probes) for probes in drawn}) == 24  # every order of every choice
    assert sorted(draw_probes(rng(), 9, pool)) == pool.tolist()


def partners_of(probe, k, pool=POOL, seed=0):
    partners, weights = draw_partners(rng(seed), np.array([probe]), k, LABEL, CONFOUND, pool)
    assert partners.shape == weights.shape == (1, 2 * k) and weights.dtype == np.float32
    return partners[0], weights[0]


@pytest.mark.parametrize(
    ("probe", "k", "same", "different"),
    [
        (0, 2, {1, 2, 3}, {4, 5, 6}),
        (0, 3, {1, 2, 3}, {4, 5, 6}),
        (5, 1, {6}, {0, 1, 2, 3, 4}),
        (7, 1, {8, 9}, set()),  # no B
        (4, 2, set(), {0, 1, 2, 3, 5, 6}),  # no A
        (0, 5, {1, 2, 3}, {4, 5, 6}),  # both smaller than k
    ],
)
def test_groups(probe, k, same, different):
    seen = set()
    for seed in range(30):
        partners, weights = partners_of(probe, k, seed=seed)
        for group, part, sign in ((same, slice(k), 1), (different, slice(k, 2 * k), -1)):
            size = min(k, len(group))
            drawn, filling = partners[part][:size], partners[part][size:]
            assert len(set(drawn)) == size and set(drawn) <= group
            np.testing.assert_array_equal(weights[part][:size], np.float32(sign / max(size, 1)))
            assert set(filling) <= {probe} and not np.any(weights[part][size:])
            seen |= set(drawn)
    assert seen == same | different  # all of a group have their turn


def test_partners_come_from_the_pool():
    pool = np.array([1, 2, 4, 9])
    partners, weights = partners_of(0, 3, pool=pool)
    assert set(partners[weights > 0]) == {1, 2} and set(partners[weights < 0]) == {4}


def test_rows_follow_the_probes():
    probes = np.array([7, 0, 7])
    partners, weights = draw_partners(rng(), probes, 1, LABEL, CONFOUND, POOL)
    assert set(partners[[0, 2], 0]) <= {8, 9} and partners[1, 0] in (1, 2, 3)
    np.testing.assert_array_equal(weights, [[1, 0], [1, -1], [1, 0]])


# --- pools --------------------------------------------------------------------------------------

#                       0  1  2  3  4  5  6  7  8  9 10 11 12 13 14 15
LABELS = np.array([0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 2, 2])
CONFOUNDS = np.array([0, 0, 0, 1, 1, 2, 2, 0, 0, 0, 0, 2, 2, 2, 1, 1])


@pytest.mark.parametrize(("count", "size"), [(10, 2), (14, 2), (15, 3)])
def test_pools(count, size):
    """A row for each confound of a label; label 2 has one only, so no partners."""
    pools = draw_pools(rng(), count, LABELS, CONFOUNDS, np.arange(16))
    assert [indices.shape for indices, _ in pools] == [(3, size), (2, size)]
    for label, (indices, is_real) in zip((0, 1), pools, strict=True):
        confounds = (0, 1, 2) if label == 0 else (0, 2)
        for row, real, confound in zip(indices, is_real, confounds, strict=True):
            assert set(LABELS[row]) == {label} and set(CONFOUNDS[row]) == {confound}
            group = (label == LABELS) & (confound == CONFOUNDS)
            assert len(set(row[real])) == real.sum() == min(size, group.sum())


def test_a_small_group_is_taken_whole():
    (first, real), _ = draw_pools(rng(), 15, LABELS, CONFOUNDS, np.arange(16))
    assert real.tolist() == [[True] * 3, [True, True, False], [True, True, False]]
    assert set(first[1]) == {3, 4} and first[1, 2] == first[1, 0]


def test_pools_keep_to_their_pool():
    allowed = np.array([1, 2, 3, 4, 7, 8, 11, 13])
    drawn = [draw_pools(rng(seed), 8, LABELS, CONFOUNDS, allowed) for seed in range(40)]
    assert {int(i) for pools in drawn for indices, _ in pools for i in indices.ravel()} == {
        *allowed.tolist()
    }
    again = draw_pools(rng(7), 8, LABELS, CONFOUNDS, allowed)
    np.testing.assert_array_equal(again[0][0], drawn[7][0][0])


def test_a_batch_too_small_for_pools():
    with pytest.raises(UserError, match="^count is 9, .* 5 groups .* set it to 10 or more"):
        draw_pools(rng(), 9, LABELS, CONFOUNDS, np.arange(16))


def test_pools_of_all_labels_share_their_rows():
    """Label 1 lacks confound 1."""
    pools = draw_pools(rng(), 15, LABELS, CONFOUNDS, np.arange(16))
    joined, is_real = joined_pools(pools, CONFOUNDS)
    assert joined.shape == (2, 3, 3)
    np.testing.assert_array_equal(joined[0], pools[0][0])
    np.testing.assert_array_equal(joined[1][[0, 2]], pools[1][0])
    np.testing.assert_array_equal(is_real[0], pools[0][1])
    np.testing.assert_array_equal(is_real[1][[0, 2]], pools[1][1])
    assert not is_real[1, 1].any() and set(LABELS[joined[1, 1]]) == {1}


@pytest.mark.parametrize("count", [8, 10])
def test_balanced_batches(count):
    """Examples without a group stay; what is left over goes to groups at random, so to all."""
    groups = [np.arange(10), np.array([10]), np.array([11, 12]), np.arange(20, 40)]
    batch = np.concatenate([np.arange(count), [50, 51, 52]])
    counts = []
    for seed in range(40):
        drawn = balance_batch(rng(seed), batch, groups)
        np.testing.assert_array_equal(drawn[-3:], [50, 51, 52])
        counts.append([np.isin(drawn, group).sum() for group in groups])
        assert sorted(counts[-1]) == [2] * (4 - count % 4) + [3] * (count % 4)
        own = drawn[np.isin(drawn, groups[0])]
        assert len(set(own)) == len(own)
    assert np.ptp(np.mean(counts, axis=0)) < 0.5
