"""How sure a CID is: an interval by the bootstrap and a p value by permutation (NumPy).

Both work on the matrix of influences among a sample of examples, since resampling changes probes
and partners at once. With M the influences of a label's examples on one another, the CID of probe p
is ``sum_j M_pj [c_j = c_p, j != p] / (n_c - 1) - sum_j M_pj [c_j != c_p] / (n - n_c)``, and that of
a data set the mean over probes, each group weighted as in the data.

- *Bootstrap*: examples are drawn anew within each group. Copies of one example are no partners of
  one another: their influence of 1 says nothing.
- *Permutation*: confounds are dealt anew among the examples of each label. If the model does not
  tell confounds apart, given the label, a deal as good as that seen is as likely as any.
"""

from typing import NamedTuple

import numpy as np

from itune.groups import Group, groups_of

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
    """Indices of about ``size`` examples, sorted: equally many of each group, or all of a small
    one.

    Labels that occur with one confound only are left out, and so is what small groups do not fill.

    Args:
      label: of the N examples.
      confound: of the same, all of them known.
      size: the most examples.
      rng: draws without replacement.
    """
    groups = _paired_groups(label, confound)
    each = max(size // max(len(groups), 1), 2)
    drawn = [rng.choice(c, min(each, len(c)), replace=False) for c in groups.values()]
    return np.sort(np.concatenate(drawn)) if drawn else np.empty(0, np.int64)


def draw_by_group(
    label: np.ndarray, confound: np.ndarray, size: int, rng: np.random.Generator
) -> np.ndarray:
    """Indices of ``size`` examples, sorted: as evenly from all groups as their sizes allow.

    All examples where there are no more; where there are more groups than ``size``, one of each.

    Args:
      label: of the N examples.
      confound: of the same; those that are not annotated are groups as any other.
      size: how many.
      rng: draws without replacement.

    >>> y = np.repeat([0, 1], [2, 98])
    >>> draw_by_group(y, y, 10, np.random.default_rng(0))[:3] < 2
    array([ True,  True, False])
    """
    if len(label) <= size:
        return np.arange(len(label))
    groups = sorted(groups_of(label, confound).values(), key=len)
    drawn, left = [], size
    for place, rows in enumerate(groups):
        each = max(left // (len(groups) - place), 1)
        drawn.append(rng.choice(rows, min(each, len(rows)), replace=False))
        left -= len(drawn[-1])
    return np.sort(np.concatenate(drawn))


def cid_test(
    matrix: np.ndarray,
    label: np.ndarray,
    confound: np.ndarray,
    share: dict[Group, float],
    rng: np.random.Generator,
    *,
    draws: int = 2000,
) -> CIDTest:
    """Tests the CID of a sample.

    Args:
      matrix: ``(n, n)``, influences of the sample's examples on one another; symmetric.
      label: of the n examples.
      confound: of the same.
      share: weight of each group as probes, such as its share of the data; groups that the sample
        lacks do not count.
      rng: of both resamplings.
      draws: of each.
    """
    labels = [
        _Label(matrix, indices, confound[indices], _weights(share, y))
        for y, indices in _by_label(label, confound).items()
    ]
    seen = sum(of_label.cid(of_label.codes[:, None])[0] for of_label in labels)
    total = sum(of_label.weights.sum() for of_label in labels)
    booted = sum(of_label.bootstrap(rng, draws) for of_label in labels) / total
    dealt = sum(of_label.permuted(rng, draws) for of_label in labels)
    as_far = np.sum(np.abs(dealt) >= abs(seen) * (1 - 1e-9))
    low, high = np.quantile(booted, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return CIDTest(
        cid=float(seen / total),
        low=float(low),
        high=float(high),
        p=float((as_far + 1) / (draws + 1)),
        size=sum(len(of_label.codes) for of_label in labels),
        draws=draws,
    )


class _Label:
    """The examples of one label: off-diagonal influences, codes of confounds, weights of groups."""

    def __init__(self, matrix, indices, confound, weights):
        self.matrix = matrix[np.ix_(indices, indices)].astype(np.float64)
        np.fill_diagonal(self.matrix, 0)
        self.values, self.codes = np.unique(confound, return_inverse=True)
        self.weights = np.array([weights.get(int(value), 0.0) for value in self.values])

    def cid(self, codes: np.ndarray) -> np.ndarray:
        """Weighted sum over groups of their probes' mean CID, by column of codes, ``(D,)``."""
        counts = np.ones_like(codes, dtype=np.float64)
        return self._cid(codes, counts)

    def bootstrap(self, rng, draws) -> np.ndarray:
        """The same for examples drawn anew within each group."""
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
            of_group = np.where(codes == code, counts, 0)
            size = of_group.sum(axis=0)
            same = self.matrix @ of_group
            partners = size - of_group  # without the probe and its copies
            with np.errstate(divide="ignore", invalid="ignore"):
                difference = same / partners - (everyone - same) / (total - size)
            is_probe = (of_group > 0) & (partners > 0)
            probes = np.where(is_probe, of_group, 0)
            mean = np.where(is_probe, difference, 0) * probes
            result += weight * mean.sum(axis=0) / np.maximum(probes.sum(axis=0), 1)
        return result


def _paired_groups(label, confound) -> dict[Group, np.ndarray]:
    """Groups whose label has more than one confound."""
    groups = groups_of(label, confound)
    labels = [group.label for group in groups]
    return {group: rows for group, rows in groups.items() if labels.count(group.label) > 1}


def _by_label(label, confound) -> dict[int, np.ndarray]:
    found: dict[int, list[np.ndarray]] = {}
    for group, rows in _paired_groups(label, confound).items():
        found.setdefault(group.label, []).append(rows)
    return {y: np.sort(np.concatenate(rows)) for y, rows in found.items()}


def _weights(share: dict[Group, float], label: int) -> dict[int, float]:
    return {group.confound: value for group, value in share.items() if group.label == label}
