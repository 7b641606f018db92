"""How certain a CID is: a bootstrap interval and a permutation p value (NumPy).

Both work on the matrix of influences among a sample of examples, since resampling changes probes
and partners at once. With M the influences of a label's examples on one another, the CID of probe p
is ``sum_j M_pj [c_j = c_p, j != p] / (n_c - 1) - sum_j M_pj [c_j != c_p] / (n - n_c)``, and the CID
of a data set is the mean over its probes, each group weighted by its share of the data.

- *Bootstrap*: examples are drawn with replacement within each group. Copies of one example are no
  partners of one another: their influence of 1 says nothing.
- *Permutation*: confounds are permuted among the examples of each label. If the model does not tell
  confounds apart, given the label, every permutation is as likely as the confounds observed.
"""

from dataclasses import dataclass

import numpy as np

from itune.groups import Group, paired_groups

CONFIDENCE = 0.95


@dataclass(frozen=True)
class CIDTest:
    """CID of a sample, with an interval and a p value.

    Attributes:
      cid: CID of the sample; no probe is its own partner.
      low: Lower end of the 95 % bootstrap interval.
      high: Upper end of the 95 % bootstrap interval.
      p: Two-sided permutation p value, at least ``1 / (draws + 1)``.
      size: Number of examples in the sample.
      draws: Number of bootstrap draws, and of permutations.
    """

    cid: float
    low: float
    high: float
    p: float
    size: int
    draws: int


def cid_test(
    matrix: np.ndarray,
    label: np.ndarray,
    confound: np.ndarray,
    share: dict[Group, float],
    rng: np.random.Generator,
    *,
    draws: int = 2000,
) -> CIDTest:
    """Compute the CID of a sample, its bootstrap interval and its permutation p value.

    Args:
      matrix: Influences of the sample's examples on one another, ``(n, n)``, symmetric.
      label: Label of each example, ``(n,)``, integers.
      confound: Confound of each example, ``(n,)``, integers, all of them annotated.
      share: Weight of each group's probes, such as the group's share of the data set that the
        sample was drawn from; groups that the sample lacks are ignored.
      rng: Random generator of the bootstrap and of the permutations.
      draws: Number of bootstrap draws, and of permutations.
    """
    labels = [
        _Label(matrix, rows, confound[rows], _weights(share, y))
        for y, rows in _by_label(label, confound).items()
    ]
    observed = sum(one.cid(one.codes[:, None])[0] for one in labels)
    total = sum(one.weights.sum() for one in labels)
    resampled = sum(one.bootstrap(rng, draws) for one in labels) / total
    permuted = sum(one.permuted(rng, draws) for one in labels)
    as_far = np.sum(np.abs(permuted) >= abs(observed) * (1 - 1e-9))
    low, high = np.quantile(resampled, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return CIDTest(
        cid=float(observed / total),
        low=float(low),
        high=float(high),
        p=float((as_far + 1) / (draws + 1)),
        size=sum(len(one.codes) for one in labels),
        draws=draws,
    )


class _Label:
    """The examples of one label: off-diagonal influences, codes of confounds, weights of groups."""

    def __init__(
        self,
        matrix: np.ndarray,
        rows: np.ndarray,
        confound: np.ndarray,
        weights: dict[int, float],
    ):
        self.matrix = matrix[np.ix_(rows, rows)].astype(np.float64)
        np.fill_diagonal(self.matrix, 0)
        self.values, self.codes = np.unique(confound, return_inverse=True)
        self.weights = np.array([weights.get(int(value), 0.0) for value in self.values])

    def cid(self, codes: np.ndarray) -> np.ndarray:
        """Weighted sum over groups of their CID, for each of D assignments of codes, ``(n, D)``."""
        return self._cid(codes, np.ones(codes.shape))

    def bootstrap(self, rng: np.random.Generator, draws: int) -> np.ndarray:
        """Weighted sums of CID, ``(draws,)``, of examples drawn with replacement in each group."""
        counts = np.zeros((len(self.codes), draws))
        for code in range(len(self.values)):
            rows = np.flatnonzero(self.codes == code)
            counts[rows] = rng.multinomial(len(rows), np.full(len(rows), 1 / len(rows)), draws).T
        return self._cid(np.broadcast_to(self.codes[:, None], counts.shape), counts)

    def permuted(self, rng: np.random.Generator, draws: int) -> np.ndarray:
        """Weighted sums of CID, ``(draws,)``, of confounds permuted among the examples."""
        codes = np.broadcast_to(self.codes[:, None], (len(self.codes), draws))
        return self.cid(rng.permuted(codes, axis=0))

    def _cid(self, codes: np.ndarray, counts: np.ndarray) -> np.ndarray:
        """Weighted sums of CID, ``(D,)``, of examples that occur ``counts`` times, ``(n, D)``."""
        everyone = self.matrix @ counts
        total = counts.sum(axis=0)
        result = np.zeros(codes.shape[1])
        for code, weight in enumerate(self.weights):
            in_group = np.where(codes == code, counts, 0)
            size = in_group.sum(axis=0)
            same = self.matrix @ in_group
            partners = size - in_group  # without the probe and its copies
            with np.errstate(divide="ignore", invalid="ignore"):
                difference = same / partners - (everyone - same) / (total - size)
            is_probe = (in_group > 0) & (partners > 0)
            probes = np.where(is_probe, in_group, 0)
            mean = np.where(is_probe, difference, 0) * probes
            result += weight * mean.sum(axis=0) / np.maximum(probes.sum(axis=0), 1)
        return result


def _by_label(label: np.ndarray, confound: np.ndarray) -> dict[int, np.ndarray]:
    by_label: dict[int, list[np.ndarray]] = {}
    for group, rows in paired_groups(label, confound).items():
        by_label.setdefault(group.label, []).append(rows)
    return {y: np.sort(np.concatenate(rows)) for y, rows in by_label.items()}


def _weights(share: dict[Group, float], label: int) -> dict[int, float]:
    return {group.confound: value for group, value in share.items() if group.label == label}
