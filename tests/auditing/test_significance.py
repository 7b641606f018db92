"""The bootstrap and the permutation test of CID against loops over the definition."""

import numpy as np
import pytest

from itune.auditing import cid_test, draw_sample
from itune.auditing.samples import draw_by_group
from itune.groups import Group

LABEL = np.array([0] * 7 + [1] * 6)
CONFOUND = np.array([0, 0, 0, 1, 1, 2, 2, 0, 0, 0, 1, 1, 1])
SHARE = {Group(0, 0): 0.5, Group(0, 1): 0.1, Group(0, 2): 0.1, Group(1, 0): 0.2, Group(1, 1): 0.1}


def by_definition(matrix, label, confound, share, origin=None):
    """Weighted mean over groups of their probes' CID; equal origins are copies."""
    origin = np.arange(len(label)) if origin is None else origin
    total = weight = 0
    for group, w in share.items():
        values = []
        for p in np.flatnonzero((label == group.label) & (confound == group.confound)):
            has_label, is_copy = label == label[p], origin == origin[p]
            same = has_label & (confound == confound[p]) & ~is_copy
            different = has_label & (confound != confound[p])
            if same.any():
                values.append(matrix[p, same].mean() - matrix[p, different].mean())
        total, weight = total + w * np.mean(values or [0]), weight + w
    return total / weight


@pytest.fixture
def matrix():
    rows = np.random.default_rng(0).normal(size=(13, 6))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows @ rows.T


def test_estimate(matrix):
    result = cid_test(matrix, LABEL, CONFOUND, SHARE, np.random.default_rng(0), draws=10)
    expected = by_definition(matrix, LABEL, CONFOUND, SHARE)
    assert result.cid == pytest.approx(expected, abs=1e-12)
    assert result.size == 13 and result.draws == 10


class Dealt:
    """Draws what it is told to."""

    def __init__(self, counts=None, codes=None):
        self.counts, self.codes = counts, codes

    def multinomial(self, n, p, draws):
        return np.array([self.counts.pop(0)] * draws)

    def permuted(self, codes, axis):
        return np.repeat(np.array(self.codes.pop(0))[:, None], codes.shape[1], axis=1)


def test_one_bootstrap_draw(matrix):
    counts = [[2, 0, 1], [1, 1], [0, 2], [1, 1, 1], [3, 0, 0]]
    drawn = np.repeat(np.arange(13), np.concatenate(counts))
    codes = [[0, 0, 0, 1, 1, 2, 2], [0, 0, 0, 1, 1, 1]]
    result = cid_test(matrix, LABEL, CONFOUND, SHARE, Dealt([*counts], codes), draws=1)
    expected = by_definition(
        matrix[np.ix_(drawn, drawn)], LABEL[drawn], CONFOUND[drawn], SHARE, origin=drawn
    )
    assert result.low == result.high == pytest.approx(expected, abs=1e-12)
    assert result.p == 1  # the deal that was seen is as far


@pytest.mark.parametrize("scale", [1, -1])
def test_one_permutation(matrix, scale):
    """Counted if as far from 0 on either side."""
    counts = [[1, 1, 1], [1, 1], [1, 1], [1, 1, 1], [1, 1, 1]]
    dealt = [[1, 0, 2, 0, 1, 0, 2], [1, 0, 1, 0, 1, 0]]
    matrix = scale * matrix
    result = cid_test(matrix, LABEL, CONFOUND, SHARE, Dealt(counts, dealt[:]), draws=1)
    permuted = by_definition(matrix, LABEL, np.concatenate(dealt), SHARE)
    seen = by_definition(matrix, LABEL, CONFOUND, SHARE)
    assert result.p == (1 if abs(permuted) >= abs(seen) else 0.5)


def test_an_effect_is_found_and_none_is_not():
    label, confound = np.repeat([0, 1], 60), np.resize([0, 1, 2], 120)
    share = {Group(y, c): 1.0 for y in (0, 1) for c in (0, 1, 2)}
    found = {}
    for shift in (0.0, 1.5):
        rng = np.random.default_rng(3)
        rows = rng.normal(size=(120, 6))
        rows[np.arange(120), confound] += shift
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        found[shift] = cid_test(rows @ rows.T, label, confound, share, rng, draws=400)
    assert found[0.0].low < 0 < found[0.0].high and found[0.0].p > 0.05
    assert found[1.5].low > 0.05 and found[1.5].p == pytest.approx(1 / 401)


def test_the_interval_covers():
    """Of 60 samples in which nothing is to be found, 0 is in the interval of most."""
    label, confound = np.zeros(40, int), np.resize([0, 1], 40)
    share = {Group(0, 0): 1.0, Group(0, 1): 1.0}
    covered, small = 0, 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        rows = rng.normal(size=(40, 8))
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        result = cid_test(rows @ rows.T, label, confound, share, rng, draws=200)
        covered += result.low <= 0 <= result.high
        small += result.p < 0.05
    assert covered >= 51 and small <= 8


def test_sample():
    label = np.repeat([0, 0, 1, 1, 2], [50, 5, 40, 5, 30])
    confound = np.repeat([0, 1, 0, 1, 0], [50, 5, 40, 5, 30])
    sample = draw_sample(label, confound, 40, np.random.default_rng(0))
    groups = dict.fromkeys([(0, 0), (0, 1), (1, 0), (1, 1)], 0)
    for i in sample:
        groups[int(label[i]), int(confound[i])] += 1
    assert groups == {(0, 0): 10, (0, 1): 5, (1, 0): 10, (1, 1): 5}  # label 2 has no partners
    assert np.all(np.diff(sample) > 0)
    alone = draw_sample(np.zeros(5, int), np.zeros(5, int), 4, np.random.default_rng(0))
    assert len(alone) == 0


@pytest.mark.parametrize(
    ("size", "expected"),
    [(3, [1, 1, 1]), (9, [2, 3, 4]), (30, [2, 9, 19]), (99, [2, 9, 80]), (2, [1, 1, 1])],
)
def test_small_groups_leave_their_room_to_others(size, expected):
    group = np.random.default_rng(0).permutation(np.repeat([0, 1, 2], [2, 9, 80]))
    drawn = draw_by_group(group % 2, group, size, np.random.default_rng(1))
    assert np.bincount(group[drawn]).tolist() == expected
    assert np.all(np.diff(drawn) > 0)
