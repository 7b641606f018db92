"""How sure a CID is: an interval by the bootstrap and a p value by permutation (NumPy).

Both work on the matrix of influences among a sample of examples, since resampling changes probes
and partners at once. With M the influences of a label's examples on one another, the CID of probe p
is ``sum_j M_pj [c_j = c_p, j != p] / (n_c - 1) - sum_j M_pj [c_j != c_p] / (n - n_c)``, and that of
a data set the mean over probes, each cell weighted as in the data.

- *Bootstrap*: examples are drawn anew within each cell. Copies of one example are no partners of
  one another: their influence of 1 says nothing.
- *Permutation*: confounds are dealt anew among the examples of each label. If the model does not
  tell confounds apart, given the label, a deal as good as that seen is as likely as any.
"""

from typing import NamedTuple

import numpy as np

from itune.data.cells import Cell, cells_of

CONFIDENCE = 0.95


class CIDTest(NamedTuple):
    """A CID with what a sample says of its certainty.

    Attributes:
      cid: of the sample, without self.
      low: lower end of the 95 % bootstrap interval.
      high: upper end.
      p: two-sided permutation p value, at least ``1 / (draws + 1)``.
      size: examples of the sample.
      draws: of the bootstrap, and of the permutation.
    """

    cid: float
    low: float
    high: float
    p: float
    size: int
    draws: int


def draw_sample(
    label: np.ndarray, confound: np.ndarray, size: int, rng: np.random.Generator
) -> np.ndarray:
    """Indices of about ``size`` examples, sorted: equally many of each cell, or all of a small one.

    Labels that occur with one confound only are left out, and so is what small cells do not fill.

    Args:
      label: of the N examples.
      confound: of the same, all of them known.
      size: the most examples.
      rng: draws without replacement.
    """
    cells = _paired_cells(label, confound)
    each = max(size // max(len(cells), 1), 2)
    drawn = [rng.choice(c, min(each, len(c)), replace=False) for c in cells.values()]
    return np.sort(np.concatenate(drawn)) if drawn else np.empty(0, np.int64)


def draw_by_cell(
    label: np.ndarray, confound: np.ndarray, size: int, rng: np.random.Generator
) -> np.ndarray:
    """Indices of ``size`` examples, sorted: as evenly from all cells as their sizes allow.

    All examples where there are no more; where there are more cells than ``size``, one of each.

    Args:
      label: of the N examples.
      confound: of the same; those that are not annotated are cells as any other.
      size: how many.
      rng: draws without replacement.

    >>> y = np.repeat([0, 1], [2, 98])
    >>> draw_by_cell(y, y, 10, np.random.default_rng(0))[:3] < 2
    array([ True,  True, False])
    """
    if len(label) <= size:
        return np.arange(len(label))
    cells = sorted(cells_of(label, confound).values(), key=len)
    drawn, left = [], size
    for place, rows in enumerate(cells):
        each = max(left // (len(cells) - place), 1)
        drawn.append(rng.choice(rows, min(each, len(rows)), replace=False))
        left -= len(drawn[-1])
    return np.sort(np.concatenate(drawn))


def cid_test(
    matrix: np.ndarray,
    label: np.ndarray,
    confound: np.ndarray,
    share: dict[Cell, float],
    rng: np.random.Generator,
    *,
    draws: int = 2000,
) -> CIDTest:
    """Tests the CID of a sample.

    Args:
      matrix: ``(n, n)``, influences of the sample's examples on one another; symmetric.
      label: of the n examples.
      confound: of the same.
      share: weight of each cell as probes, such as its share of the data; cells that the sample
        lacks do not count.
      rng: of both resamplings.
      draws: of each.
    """
    groups = [
        _Label(matrix, indices, confound[indices], _weights(share, y))
        for y, indices in _by_label(label, confound).items()
    ]
    seen = sum(group.cid(group.codes[:, None])[0] for group in groups)
    total = sum(group.weights.sum() for group in groups)
    booted = sum(group.bootstrap(rng, draws) for group in groups) / total
    dealt = sum(group.permuted(rng, draws) for group in groups)
    as_far = np.sum(np.abs(dealt) >= abs(seen) * (1 - 1e-9))
    low, high = np.quantile(booted, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return CIDTest(
        cid=float(seen / total),
        low=float(low),
        high=float(high),
        p=float((as_far + 1) / (draws + 1)),
        size=sum(len(group.codes) for group in groups),
        draws=draws,
    )


class _Label:
    """The examples of one label: off-diagonal influences, codes of confounds, weights of cells."""

    def __init__(self, matrix, indices, confound, weights):
        self.matrix = matrix[np.ix_(indices, indices)].astype(np.float64)
        np.fill_diagonal(self.matrix, 0)
        self.values, self.codes = np.unique(confound, return_inverse=True)
        self.weights = np.array([weights.get(int(value), 0.0) for value in self.values])

    def cid(self, codes: np.ndarray) -> np.ndarray:
        """Weighted sum over cells of their probes' mean CID, for each column of codes, ``(D,)``."""
        counts = np.ones_like(codes, dtype=np.float64)
        return self._cid(codes, counts)

    def bootstrap(self, rng, draws) -> np.ndarray:
        """The same for examples drawn anew within each cell."""
        counts = np.zeros((len(self.codes), draws))
        for code in range(len(self.values)):
            rows = np.flatnonzero(self.codes == code)
            counts[rows] = rng.multinomial(len(rows), np.full(len(rows), 1 / len(rows)), draws).T
        return self._cid(np.broadcast_to(self.codes[:, None], counts.shape), counts)

    def permuted(self, rng, draws) -> np.ndarray:
        """The same for confounds dealt anew."""
        codes = np.broadcast_to(self.codes[:, None], (len(self.codes), draws))
        return self.cid(rng.permuted(codes, axis=0))

    def _cid(self, codes, counts) -> np.ndarray:
        """Of examples that occur ``counts`` times each, ``(n, D)``; copies are no partners."""
        everyone = self.matrix @ counts
        total = counts.sum(axis=0)
        result = np.zeros(codes.shape[1])
        for code, weight in enumerate(self.weights):
            of_cell = np.where(codes == code, counts, 0)
            size = of_cell.sum(axis=0)
            same = self.matrix @ of_cell
            partners = size - of_cell  # without the probe and its copies
            with np.errstate(divide="ignore", invalid="ignore"):
                difference = same / partners - (everyone - same) / (total - size)
            is_probe = (of_cell > 0) & (partners > 0)
            probes = np.where(is_probe, of_cell, 0)
            mean = np.where(is_probe, difference, 0) * probes
            result += weight * mean.sum(axis=0) / np.maximum(probes.sum(axis=0), 1)
        return result


def _paired_cells(label, confound) -> dict[Cell, np.ndarray]:
    """Cells whose label has more than one confound."""
    cells = cells_of(label, confound)
    labels = [cell.label for cell in cells]
    return {cell: rows for cell, rows in cells.items() if labels.count(cell.label) > 1}


def _by_label(label, confound) -> dict[int, np.ndarray]:
    found: dict[int, list[np.ndarray]] = {}
    for cell, rows in _paired_cells(label, confound).items():
        found.setdefault(cell.label, []).append(rows)
    return {y: np.sort(np.concatenate(rows)) for y, rows in found.items()}


def _weights(share: dict[Cell, float], label: int) -> dict[int, float]:
    return {cell.confound: value for cell, value in share.items() if cell.label == label}
