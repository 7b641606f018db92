"""The breakdown of CID agrees with means over a matrix of influences."""

import numpy as np
import pytest

from itune.auditing.cid_breakdown import break_down_cid
from itune.groups import Group, groups_of
from itune.metrics.cid import GroupInfluences

LABEL = np.array([0, 0, 0, 0, 0, 1, 1, 1, 1])
CONFOUND = np.array([0, 0, 1, 1, 2, 0, 0, 1, 1])


@pytest.fixture(scope="module")
def matrix():
    rows = np.random.default_rng(0).normal(size=(9, 5))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows @ rows.T


@pytest.fixture(scope="module")
def breakdown(matrix):
    groups = groups_of(LABEL, CONFOUND)
    sums = np.full((9, len(groups)), np.nan)
    own = np.empty(9, int)
    for place, (group, rows) in enumerate(groups.items()):
        own[rows] = place
        for p in np.flatnonzero(group.label == LABEL):
            sums[p, place] = matrix[p, rows].sum()
    sizes = np.array([len(rows) for rows in groups.values()])
    return break_down_cid(
        GroupInfluences(np.arange(9), own, tuple(groups), sizes, sums, np.ones(9))
    )


def cid_of_probe(matrix, p):
    same = (LABEL[p] == LABEL) & (CONFOUND[p] == CONFOUND) & (np.arange(9) != p)
    different = (LABEL[p] == LABEL) & (CONFOUND[p] != CONFOUND)
    return matrix[p, same].mean() - matrix[p, different].mean()


def test_means_over_probes_that_have_partners(matrix, breakdown):
    probes = [0, 1, 2, 3, 5, 6, 7, 8]  # 4 is alone in its group
    values = np.array([cid_of_probe(matrix, p) for p in probes])
    assert breakdown.probes == 8
    assert breakdown.cid == pytest.approx(values.mean())
    assert breakdown.standard_error == pytest.approx(values.std(ddof=1) / np.sqrt(8))
    assert breakdown.by_label == {
        0: pytest.approx(values[:4].mean()),
        1: pytest.approx(values[4:].mean()),
    }
    assert breakdown.by_group[Group(0, 1)] == pytest.approx(values[2:4].mean())
    assert np.isnan(breakdown.by_group[Group(0, 2)])


def test_pairs_of_confounds(matrix, breakdown):
    pairs = {(pair.label, pair.first, pair.second): pair for pair in breakdown.pairs}
    assert sorted(pairs) == [(0, 0, 1), (0, 0, 2), (0, 1, 2), (1, 0, 1)]
    pair = pairs[0, 0, 1]
    across = matrix[:2, 2:4].mean()
    assert pair.cid == pytest.approx((matrix[0, 1] + matrix[2, 3]) / 2 - across)
    assert pair.sizes == (2, 2)
    assert np.isnan(pairs[0, 0, 2].cid)  # one example has no partner in its own group
