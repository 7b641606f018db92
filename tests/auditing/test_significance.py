"""The bootstrap and the permutation test of CID agree with loops over the definition."""

import numpy as np
import pytest

from itune.auditing import cid_test
from itune.groups import Group

LABEL = np.array([0] * 7 + [1] * 6)
CONFOUND = np.array([0, 0, 0, 1, 1, 2, 2, 0, 0, 0, 1, 1, 1])
SHARE = {Group(0, 0): 0.5, Group(0, 1): 0.1, Group(0, 2): 0.1, Group(1, 0): 0.2, Group(1, 1): 0.1}


def cid_by_definition(matrix, label, confound, share, origin=None):
    """Weighted mean over groups of the CID of their probes; equal origins are copies."""
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


def cosines(rows):
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit @ unit.T


@pytest.fixture
def matrix():
    return cosines(np.random.default_rng(0).normal(size=(13, 6)))


class FixedDraws:
    """A random generator whose draws are given: counts of the bootstrap, codes permuted."""

    def __init__(self, counts, codes):
        self.counts, self.codes = list(counts), list(codes)

    def multinomial(self, n, p, draws):
        return np.array([self.counts.pop(0)] * draws)

    def permuted(self, codes, axis):
        return np.repeat(np.array(self.codes.pop(0))[:, None], codes.shape[1], axis=1)


def test_cid_is_its_definition(matrix):
    result = cid_test(matrix, LABEL, CONFOUND, SHARE, np.random.default_rng(0), draws=10)
    expected = cid_by_definition(matrix, LABEL, CONFOUND, SHARE)
    assert result.cid == pytest.approx(expected, abs=1e-12)
    assert result.size == 13 and result.draws == 10


def test_one_bootstrap_draw_is_the_definition_without_copies_as_partners(matrix):
    counts = [[2, 0, 1], [1, 1], [0, 2], [1, 1, 1], [3, 0, 0]]
    drawn = np.repeat(np.arange(13), np.concatenate(counts))
    observed_codes = [[0, 0, 0, 1, 1, 2, 2], [0, 0, 0, 1, 1, 1]]
    draws = FixedDraws(counts, observed_codes)
    result = cid_test(matrix, LABEL, CONFOUND, SHARE, draws, draws=1)
    expected = cid_by_definition(
        matrix[np.ix_(drawn, drawn)], LABEL[drawn], CONFOUND[drawn], SHARE, origin=drawn
    )
    assert result.low == result.high == pytest.approx(expected, abs=1e-12)
    assert result.p == 1  # the permutation is the one observed, which is as far from 0


@pytest.mark.parametrize("scale", [1, -1])
def test_one_permutation_counts_if_it_is_as_far_from_0_on_either_side(matrix, scale):
    counts = [[1, 1, 1], [1, 1], [1, 1], [1, 1, 1], [1, 1, 1]]
    codes = [[1, 0, 2, 0, 1, 0, 2], [1, 0, 1, 0, 1, 0]]
    matrix = scale * matrix
    result = cid_test(matrix, LABEL, CONFOUND, SHARE, FixedDraws(counts, codes), draws=1)
    permuted = cid_by_definition(matrix, LABEL, np.concatenate(codes), SHARE)
    observed = cid_by_definition(matrix, LABEL, CONFOUND, SHARE)
    assert result.p == (1 if abs(permuted) >= abs(observed) else 0.5)


@pytest.mark.parametrize("shift", [0.0, 1.5])
def test_an_effect_is_significant_and_noise_is_not(shift):
    label, confound = np.repeat([0, 1], 60), np.resize([0, 1, 2], 120)
    share = {Group(y, c): 1.0 for y in (0, 1) for c in (0, 1, 2)}
    rng = np.random.default_rng(3)
    rows = rng.normal(size=(120, 6))
    rows[np.arange(120), confound] += shift
    result = cid_test(cosines(rows), label, confound, share, rng, draws=400)
    if shift:
        assert result.low > 0.05 and result.p == pytest.approx(1 / 401)
    else:
        assert result.low < 0 < result.high and result.p > 0.05


def test_the_interval_of_noise_covers_0():
    """In most of 60 samples without an effect, and few of their p values are small."""
    label, confound = np.zeros(40, int), np.resize([0, 1], 40)
    share = {Group(0, 0): 1.0, Group(0, 1): 1.0}
    covered, small = 0, 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        matrix = cosines(rng.normal(size=(40, 8)))
        result = cid_test(matrix, label, confound, share, rng, draws=200)
        covered += result.low <= 0 <= result.high
        small += result.p < 0.05
    assert covered >= 51 and small <= 8
