"""Screening: the CID of every candidate from sums of sketches (NumPy).

For the rows of a label, let ``s_j`` be sketches of unit gradients, ``S_1`` and ``S_0`` their sums
over the ``n_1`` rows with a feature and the ``n_0`` without. Then

    CID = (S_1·S_1 - q_1) / (2 n_1 (n_1 - 1)) + (S_0·S_0 - q_0) / (2 n_0 (n_0 - 1))
          - S_1·S_0 / (n_1 n_0)

with ``q = sum_j |s_j|²`` is half the squared distance of the two groups' mean unit gradients,
without bias; it is :class:`~itune.auditing.cid_breakdown.PairCID` of the feature. A candidate costs
the addition of its rows' sketches. Were rows to have the feature at random, its variance would be

    Var = ½ t (1/n_1 + 1/n_0)²,    t = E (e_i·e_j)²,    e the sketches less their label's mean,

so that ``n_1 n_0 / n CID`` has the variance ``t / 2`` for every feature of a label. With ``n`` rows
of the label these are twice ``n`` times the share of the unit gradients' variance that the feature
explains: sums over labels, divided by their standard deviation, are the z that candidates are
ordered by, and it is large where the training signal is organised by the feature.

An audit weighs groups by their rows: its CID of a label is ``(n_1 (W_1 - M) + n_0 (W_0 - M)) / n``,
with ``W`` the means within the groups and ``M`` that across, from the same sums.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_matrix

BLOCK = 4096
"""Candidates whose sums are held at once."""

PAIRS = 20_000
"""Pairs of rows that t is estimated from."""


class Screening(NamedTuple):
    """CID of C candidates.

    Attributes:
      z: CID over all labels in standard deviations of a feature that rows have at random, ``(C,)``.
      explained: Estimated share of the variance of unit gradients within labels, ``(C,)``; a label
        that has fewer than two rows with a feature or without adds nothing.
      cid: CID of each label, ``(C, labels)``; NaN for labels that have fewer than two rows with a
        feature or without.
    """

    z: np.ndarray
    explained: np.ndarray
    cid: np.ndarray


def screen(
    values: np.ndarray, label: np.ndarray, having: csr_matrix, rng: np.random.Generator
) -> Screening:
    """Estimate the CID of every candidate for each label.

    Args:
      values: Sketches of the rows' unit gradients, ``(N, size)``.
      label: Label of each row, ``(N,)``, integers.
      having: Ones where a row has a feature, ``(C, N)``, float32.
      rng: Random generator of the pairs of rows that t is estimated from.

    Returns:
      The z of each candidate, the share of variance it explains, and its CID of each label.
    """
    classes = int(label.max()) + 1
    scaled = np.zeros(having.shape[0])
    variance = np.zeros(having.shape[0])
    cid = np.full((having.shape[0], classes), np.nan, np.float32)
    for y in range(classes):
        rows = np.flatnonzero(label == y)
        if len(rows) < 4:
            continue
        sketches = np.ascontiguousarray(values[rows], np.float32)
        t = _spread(sketches, rng)
        for part, means in _means(sketches, csr_matrix(having[:, rows])):
            value = (means.within + means.without) / 2 - means.across
            known = np.isfinite(value)
            cid[part, y] = value
            share = means.one * means.zero / len(rows)
            scaled[part] += np.where(known, value, 0) * share
            variance[part] += np.where(known, t / 2, 0)
    z = scaled / np.sqrt(np.where(variance > 0, variance, np.inf))
    return Screening(z, 2 * scaled / len(label), cid)


def cid_by_label(
    values: np.ndarray, label: np.ndarray, having: csr_matrix, classes: int
) -> np.ndarray:
    """Return the CID of each label as an audit has it, its groups weighed by their rows.

    ``values`` are sketches, ``(N, size)``, and ``having`` ones where a row has a feature, ``(C,
    N)``. The result is ``(C, classes)``, NaN where a label has fewer than two rows of one kind.
    """
    cid = np.full((having.shape[0], classes), np.nan)
    for y in range(classes):
        rows = np.flatnonzero(label == y)
        if len(rows) < 4:
            continue
        sketches = np.ascontiguousarray(values[rows], np.float32)
        for part, means in _means(sketches, csr_matrix(having[:, rows])):
            weighed = means.one * means.within + means.zero * means.without
            cid[part, y] = weighed / len(rows) - means.across
    return cid


class _Means(NamedTuple):
    """Numbers of a label's rows with and without features, and mean products of their sketches."""

    one: np.ndarray
    zero: np.ndarray
    within: np.ndarray
    without: np.ndarray
    across: np.ndarray


def _means(sketches: np.ndarray, having: csr_matrix) -> Iterator[tuple[slice, _Means]]:
    """Yield the means of some candidates at a time; not finite with fewer than two of a kind."""
    squares = np.einsum("nk,nk->n", sketches, sketches).astype(np.float64)
    total = sketches.sum(axis=0, dtype=np.float64)
    for start in range(0, having.shape[0], BLOCK):
        block = csr_matrix(having[start : start + BLOCK])
        one = np.asarray(block.sum(axis=1), float)[:, 0]
        zero = len(sketches) - one
        sums = np.asarray(block @ sketches, np.float64)
        own = np.asarray(block @ squares, np.float64)
        along = sums @ total
        square = np.einsum("ck,ck->c", sums, sums)
        rest = total @ total - 2 * along + square
        known = np.where((one > 1) & (zero > 1), 1.0, np.nan)
        with np.errstate(divide="ignore", invalid="ignore"):
            yield (
                slice(start, start + len(one)),
                _Means(
                    one,
                    zero,
                    known * (square - own) / (one * (one - 1)),
                    known * (rest - (squares.sum() - own)) / (zero * (zero - 1)),
                    known * (along - square) / (one * zero),
                ),
            )


def _spread(sketches: np.ndarray, rng: np.random.Generator) -> float:
    """Estimate t, the mean squared inner product of two different centred rows."""
    first, second = rng.integers(0, len(sketches), (2, PAIRS))
    first, second = first[first != second], second[first != second]
    mean, total = sketches.mean(axis=0), 0.0
    if len(sketches) ** 2 <= len(first):  # all products, each of which is drawn more than once
        centred = sketches - mean
        products = (centred @ centred.T)[first, second]
        return float(np.mean(products.astype(np.float64) ** 2))
    for start in range(0, len(first), BLOCK):
        a, b = (sketches[places[start : start + BLOCK]] - mean for places in (first, second))
        total += float(np.sum(np.einsum("nk,nk->n", a, b).astype(np.float64) ** 2))
    return total / len(first)
