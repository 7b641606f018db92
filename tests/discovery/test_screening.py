"""Screening estimates the CID of every feature, and its z under chance is standard normal."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from itune.auditing.significance import cid_test
from itune.discovery.association import associate
from itune.discovery.candidates import Candidates, merge
from itune.discovery.features.base import Feature
from itune.discovery.screening import cid_by_label, screen
from itune.groups import groups_of


def unit_rows(rng, size, width=12):
    rows = rng.normal(size=(size, width)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def by_definition(values, has):
    """Half the means within both groups, no row with itself, less the mean across."""
    matrix = values.astype(float) @ values.T
    within = [
        (matrix[np.ix_(r, r)].sum() - np.trace(matrix[np.ix_(r, r)])) / (len(r) * (len(r) - 1))
        for r in (np.flatnonzero(has), np.flatnonzero(~has))
    ]
    return sum(within) / 2 - matrix[np.ix_(has, ~has)].mean()


def as_audited(values, has):
    """CID of rows of one label, by the code of audits."""
    matrix = values.astype(float) @ values.T
    confound, label = has.astype(int), np.zeros(len(has), int)
    share = {group: len(rows) / len(has) for group, rows in groups_of(label, confound).items()}
    rng = np.random.default_rng(0)
    return cid_test(matrix, label, confound, share, rng, draws=2).cid


def test_cid_is_that_of_all_pairs():
    rng = np.random.default_rng(0)
    values, label = unit_rows(rng, 60), rng.integers(0, 2, 60)
    having = rng.random((5, 60)) < 0.3
    sparse = csr_matrix(having.astype(np.float32))
    found = screen(values, label, sparse, rng)
    weighed = cid_by_label(values, label, sparse, 3)
    for feature in range(5):
        expected = 0
        for y in (0, 1):
            rows = label == y
            has = having[feature][rows]
            cid = by_definition(values[rows], has)
            expected += 2 * cid * has.sum() * (~has).sum() / len(has) / 60
            assert found.cid[feature, y] == pytest.approx(cid, abs=1e-6)
            assert weighed[feature, y] == pytest.approx(as_audited(values[rows], has), abs=1e-6)
        assert np.isnan(weighed[feature, 2])
        assert found.explained[feature] == pytest.approx(expected, abs=1e-7)


@pytest.mark.parametrize("labels", [1, 3])
def test_z_of_chance_is_standard_normal(labels):
    """With more rows of a label than have all their products computed, and with fewer."""
    rng = np.random.default_rng(1)
    values, label = unit_rows(rng, 400, width=40) + 0.5, rng.integers(0, labels, 400)
    having = rng.random((800, 400)) < rng.choice([0.05, 0.2, 0.5], (800, 1))
    z = screen(values, label, csr_matrix(having.astype(np.float32)), rng).z
    assert abs(z.mean()) < 0.15 and 0.85 < z.std() < 1.15


def test_what_organises_the_gradients_stands_out():
    rng = np.random.default_rng(2)
    label, has = rng.integers(0, 2, 300), rng.random(300) < 0.2
    values = unit_rows(rng, 300, width=40) + 0.3 * has[:, None]
    having = np.vstack([has, rng.random((20, 300)) < 0.2])
    found = screen(values, label, csr_matrix(having.astype(np.float32)), rng)
    assert found.z.argmax() == 0 and found.z[0] > 10 * np.abs(found.z[1:]).max() / 2
    spread = [np.var(values[label == y], axis=0).sum() for y in (0, 1)]
    between = np.mean([0.2 * 0.8 * 40 * 0.3**2 / s for s in spread]) * np.mean(spread)
    assert found.explained[0] == pytest.approx(between, rel=0.25)


def test_labels_without_both_kinds_are_left_out():
    rng = np.random.default_rng(3)
    values, label = unit_rows(rng, 40), np.repeat([0, 1], 20)
    having = csr_matrix(((label == 0) & (np.arange(40) % 2 == 0))[None].astype(np.float32))
    found = screen(values, label, having, rng)
    alone = screen(values[:20], label[:20], having[:, :20], rng)
    assert found.explained == pytest.approx(alone.explained / 2) and found.explained != 0
    assert np.isfinite(found.z).all()
    assert np.isfinite(found.cid[0, 0]) and np.isnan(found.cid[0, 1])


def test_association_with_the_label():
    label = np.array([0, 0, 0, 1])
    found = associate(csr_matrix(np.array([[0, 0, 1, 1], [1, 1, 0, 0]], np.float32)), label)
    assert found.usual.tolist() == [1, 0] and found.rate.tolist() == [0.5, 1.0]
    np.testing.assert_allclose(found.z, [0.25 / np.sqrt(3 / 32), 0.25 / np.sqrt(3 / 32)])
    np.testing.assert_allclose(found.pmi, np.log([2, 4 / 3]))


def test_features_of_the_same_rows_are_one():
    rows = np.zeros((5, 100), np.float32)
    rows[0, :40] = rows[1, :40] = rows[2, 40:] = 1
    rows[3, 20:60] = rows[4, 21:60] = 1
    features = [Feature("words", str(n), {}) for n in range(5)]
    candidates = Candidates(features, csr_matrix(rows))
    merged = merge(candidates, np.arange(5), 9)
    assert merged.places.tolist() == [0, 3] and merged.aliases == [[1, 2], [4]]
    assert merge(candidates, np.array([4, 3, 2, 0]), 1).aliases == [[3]]
    rows[1, 36:40] = 0  # phi .92
    apart = merge(Candidates(features, csr_matrix(rows)), np.arange(2), 9)
    assert apart.aliases == [[], []]
