"""How certain a CID is: an interval and a permutation p value (NumPy).

With M the influences of a label's n examples on one another, the CID of a probe p of confound c is
``sum_j M_pj [c_j = c, j != p] / (n_c - 1) - sum_j M_pj [c_j != c] / (n - n_c)``, and the CID of a
data set is the mean over its probes, each group weighted by its share w_c of the data.

**CID is a U-statistic.** M_ij = x_i·x_j for unit gradients x. With u_c = w_c n / (n - n_c), μ_c the
expectation of x in a group, μ̄ = Σ n_c μ_c / n and d_c = μ_c - μ̄, the expectation of a label's CID
is

    θ = Σ_c u_c μ_c·d_c = ½ Σ_cd A_cd μ_c·μ_d,    A_cd = 2 u_c [c = d] - (u_c n_d + u_d n_c) / n.

For two confounds of equal weight it is half the squared distance of the two means: the maximum mean
discrepancy (MMD) of a linear kernel. With x = μ_c + e in group c, Hoeffding's decomposition is

    T - θ = Σ_i e_i·g_c(i) / n_c(i)  +  Σ_{i<j} A_cd e_i·e_j / (n_c n_d),    g_c = Σ_d A_cd μ_d,

where n_c n_c reads n_c (n_c - 1). The terms are uncorrelated, so their variances add up. The first
is linear in the groups' means and vanishes as these coincide; the second does not. A bootstrap of
examples has the second at about twice its size near 0, where it is all there is. Unbiased estimates
are:

- Σ_i∈c (e_i·g_c)² / (n_c (n_c - 1)), with e_i·μ_d the row sums of M centred within the group; those
  over one's own group are divided by n_c - 2, which is the jackknife of U-statistics;
- E(e_i·e_j)² from M centred in rows and columns: between groups the sum of squares over (n_c -
  1)(n_d - 1); within a group, without the diagonal and U-centred, over n_c (n_c - 3).

**The interval** holds each θ that a test at 5 % does not reject, as Wilson's does for a proportion:
|T - θ| ≤ t sd(θ). The variance must be that under θ: at the estimate it is too small where T is
small by chance. On the path μ_c(s) = μ̄ + s d_c from groups alike (s = 0) to the means observed (s
= 1), θ(s) = B s + Q s², with B = Σ u_c μ̄·d_c and Q = Σ u_c |d_c|² ≥ 0, and the variance is a
polynomial of s, too. The ends are roots in s, on the side of the vertex of θ(s) where s = 1 is;
below the vertex the variance stays as it is there. All labels move by the same s. t is Student's
quantile with 2 V² / var(V) degrees of freedom: var(V) is the jackknife's over rows, but at least
that of normal gradients for the linear part.

The interval is not symmetric about T: near 0 the upper end is farther off. It misses from above
only there, as the permutation test rejects on one side only.

**Where it does not hold.** Simulated coverage is in ``benchmarks/results/coverage.json``. A group
of 8 to 20 rows whose gradients are strongly skewed, and which decides the CID since the other
groups are far larger or weigh little, has a mean and a variance that go together: coverage falls to
.9 with 8 rows, and to .8 if few directions hold most of the variance. Groups that differ in spread
but not in size can have up to .99. A group of fewer than 4 rows has no variance of its own and gets
that of the label's others; if there are none, that of the label's rows together. Labels of fewer
than 4 rows add none.

**The permutation test** permutes confounds among the examples of each label. If the model does not
tell confounds apart, given the label, every permutation is as likely as the confounds observed.

Sources: Hoeffding (1948), U-statistics; Arvesen (1969), their jackknife; Efron and Stein (1981),
the jackknife's bias; Gretton et al. (2012) and Sutherland (2017), the variance of MMD; Székely and
Rizzo (2014), U-centring; Wilson (1927), the interval by inversion.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.special import stdtrit

from itune.errors import UserError
from itune.groups import Group, paired_groups

CONFIDENCE = 0.95

MIN_OWN = 4
"""Fewest rows of a group that have a variance of their own: U-centring divides by n - 3."""


@dataclass(frozen=True)
class CIDTest:
    """CID of a sample, with an interval and a p value.

    Attributes:
      cid: CID of the sample; no probe is its own partner.
      low: Lower end of the 95 % interval; NaN if every label has fewer than 4 rows.
      high: Upper end of the 95 % interval; NaN if every label has fewer than 4 rows.
      p: Two-sided permutation p value, at least ``1 / (draws + 1)``.
      size: Number of examples in the sample.
      draws: Number of permutations.
      decay: Power of the sample's size by which the interval narrows: its width is expected to be
        proportional to ``size ** -decay``. It is 0.5 far from 0 and about 1 near 0.
    """

    cid: float
    low: float
    high: float
    p: float
    size: int
    draws: int
    decay: float = 0.5


def cid_test(
    matrix: np.ndarray,
    label: np.ndarray,
    confound: np.ndarray,
    share: dict[Group, float],
    rng: np.random.Generator,
    *,
    draws: int = 2000,
) -> CIDTest:
    """Compute the CID of a sample, its interval and its permutation p value.

    Args:
      matrix: Influences of the sample's examples on one another, ``(n, n)``, symmetric.
      label: Label of each example, ``(n,)``, integers.
      confound: Confound of each example, ``(n,)``, integers, all of them annotated.
      share: Weight of each group's probes, such as the group's share of the data set that the
        sample was drawn from; groups that the sample lacks are ignored.
      rng: Random generator of the permutations; the interval is not random.
      draws: Number of permutations.

    Raises:
      UserError: No label of the sample has two confounds.
    """
    labels = [
        _Label(matrix, rows, confound[rows], _weights(share, y))
        for y, rows in _by_label(label, confound).items()
    ]
    if not labels:
        raise UserError("CID is undefined: no label of the sample has two confounds to compare")
    return combined_test(labels, rng, draws)


class OfLabel(Protocol):
    """What is tested of one label: its CID times its weight, and how certain that is."""

    size: int
    weight: float

    def observed(self) -> float:
        """Return the weighted CID."""
        ...

    def permuted(self, rng: np.random.Generator, draws: int) -> np.ndarray:
        """Return weighted CIDs, ``(draws,)``, of attributes permuted among the examples."""
        ...

    def spread(self) -> "Spread":
        """Estimate the variance along the path."""
        ...


def combined_test(labels: Sequence[OfLabel], rng: np.random.Generator, draws: int) -> CIDTest:
    """Return the weighted mean CID of some labels, with its interval and permutation p value."""
    observed = sum(one.observed() for one in labels)
    total = sum(one.weight for one in labels)
    permuted = sum(one.permuted(rng, draws) for one in labels)
    as_far = np.sum(np.abs(permuted) >= abs(observed) * (1 - 1e-9))
    spread = sum((one.spread() for one in labels), Spread())
    low, high = spread.interval(observed)
    later_low, later_high = spread.interval(observed, times=4)
    shrinks = later_high - later_low < high - low
    return CIDTest(
        cid=float(observed / total),
        low=float(low / total),
        high=float(high / total),
        p=float((as_far + 1) / (draws + 1)),
        size=sum(one.size for one in labels),
        draws=draws,
        decay=math.log((high - low) / (later_high - later_low), 4) if shrinks else 0.5,
    )


class Spread:
    """How θ and the variance of CID depend on s; labels are independent, so all of it adds up.

    Attributes:
      linear: B of θ(s) = B s + Q s².
      square: Q of θ(s).
      first: Variance of the linear term, a polynomial of s, ``(3,)``.
      second: Variance of the quadratic term.
      jackknife: Variance of the estimated variance by rows, ``p @ jackknife @ p``, p = (1, s, s²).
      normal: Variance of the estimated variance of the linear term for normal gradients.
      rows: Number of rows that the variances come from.
    """

    def __init__(self):
        self.linear = self.square = self.second = 0.0
        self.first, self.rows = np.zeros(3), 0
        self.jackknife, self.normal = np.zeros((3, 3)), np.zeros((3, 3))

    def __add__(self, other: "Spread") -> "Spread":
        result = Spread()
        for name, value in vars(self).items():
            setattr(result, name, value + getattr(other, name))
        return result

    def half_width(self, s: float, times: int = 1) -> float:
        """Return t sd at a point of the path, of a sample ``times`` as large."""
        powers = np.array([1, s, s * s])
        now = max(self.first @ powers + self.second, 0.0)
        noise = max(powers @ self.jackknife @ powers, powers @ self.normal @ powers)
        if not now or not noise:
            return 0.0
        later = max(self.first @ powers / times + self.second / times**2, 0.0)
        freedom = max(2 * now**2 / noise, 1.0) * times
        return float(stdtrit(freedom, (1 + CONFIDENCE) / 2)) * math.sqrt(later)

    def interval(self, observed: float, times: int = 1) -> tuple[float, float]:
        """Return the least and the greatest θ that is not rejected."""
        if not self.rows or not math.isfinite(observed):
            return math.nan, math.nan
        if self.square <= 1e-12:
            half = self.half_width(1, times)
            return observed - half, observed + half
        from scipy.optimize import root_scalar  # which takes long to import

        vertex = -self.linear / (2 * self.square)
        side = 1 if vertex <= 1 else -1
        least = -self.square * vertex**2

        def end(sign: int) -> float:
            def excess(r: float) -> float:
                half = self.half_width(vertex + side * r, times)
                return least + self.square * r * r - observed - sign * half

            if excess(0) >= 0:
                return observed + sign * self.half_width(vertex, times)
            far = 1.0
            while excess(far) < 0:
                far *= 2
            return least + self.square * root_scalar(excess, bracket=(0, far), xtol=1e-9).root ** 2

        return end(-1), end(1)


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
        self.norms = np.diag(self.matrix).copy()
        np.fill_diagonal(self.matrix, 0)
        self.values, self.codes = np.unique(confound, return_inverse=True)
        self.weights = np.array([weights.get(int(value), 0.0) for value in self.values])
        self.weight, self.size = self.weights.sum(), len(rows)

    def observed(self) -> float:
        """Weighted sum over groups of their CID."""
        return self.cid(self.codes[:, None])[0]

    def cid(self, codes: np.ndarray) -> np.ndarray:
        """Weighted sum over groups of their CID, for each of D assignments of codes, ``(n, D)``."""
        everyone = self.matrix.sum(axis=1, keepdims=True)
        result = np.zeros(codes.shape[1])
        for code, weight in enumerate(self.weights):
            in_group = (codes == code).astype(np.float64)
            size = in_group.sum(axis=0)
            same = self.matrix @ in_group
            difference = same / np.maximum(size - 1, 1) - (everyone - same) / (len(codes) - size)
            result += weight * (in_group * difference).sum(axis=0) / size * (size > 1)
        return result

    def permuted(self, rng: np.random.Generator, draws: int) -> np.ndarray:
        """Weighted sums of CID, ``(draws,)``, of confounds permuted among the examples."""
        codes = np.broadcast_to(self.codes[:, None], (len(self.codes), draws))
        return self.cid(rng.permuted(codes, axis=0))

    def spread(self) -> Spread:
        """Estimate the variance of the weighted sum of CID along the path; see the module."""
        result, n = Spread(), len(self.codes)
        members = np.eye(len(self.weights))[self.codes]
        sizes = members.sum(axis=0)
        u = np.where(sizes > 1, self.weights, 0) * n / (n - sizes)
        part = sizes / n
        # g_c at s is Σ_d (alike + s apart)_cd μ_d
        alike = np.outer(u - part * u.sum(), part)
        apart = 2 * (np.diag(u) - np.outer(u, part)) - np.outer(part, u - part * u.sum())
        sums = self.matrix @ members
        means = (members.T @ sums + np.diag(members.T @ self.norms)) / np.outer(sizes, sizes)
        deviations = np.eye(len(u)) - part
        result.linear = float(u @ deviations @ means @ part)
        result.square = float(u @ np.diag(deviations @ means @ deviations.T))
        if n < MIN_OWN:
            return result
        result.rows = n
        large = np.flatnonzero(sizes >= MIN_OWN)
        clusters = [np.flatnonzero(self.codes == c) for c in large] or [np.arange(n)]
        borrowed = _borrowed(sizes, large, clusters)
        pairs = (alike + apart) ** 2 / (np.outer(sizes, sizes) - np.diag(sizes * (sizes > 1)))
        pairs = borrowed.T @ pairs @ borrowed
        projections = sums / np.maximum(sizes - members, 1)
        for place, rows in enumerate(clusters):
            size = len(rows)
            centred = projections[rows] - projections[rows].mean(axis=0)
            if len(large):
                centred[:, large[place]] *= (size - 1) / (size - 2)
            at_0, slope = centred @ alike.T, centred @ apart.T
            squares = np.stack([at_0**2, 2 * at_0 * slope, slope**2])
            first = (squares @ (borrowed[:, place] / (sizes * (size - 1)))).T
            second = np.zeros(size)
            for weight, other in zip(pairs[place], clusters, strict=True):
                second += weight * _squares(self.matrix[np.ix_(rows, other)], rows is other)
            result.first += first.sum(axis=0)
            result.second += second.sum() / 2
            result.normal += 2 / (size - 1) * np.outer(first.sum(axis=0), first.sum(axis=0))
            first[:, 0] += second
            result.jackknife += size * np.atleast_2d(np.cov(first.T))
        return result


def _borrowed(sizes: np.ndarray, large: np.ndarray, clusters: list[np.ndarray]) -> np.ndarray:
    """Weights by which the covariance of each group is a mean over clusters, ``(K, E)``."""
    freedom = np.array([len(rows) - 1 for rows in clusters])
    borrowed = np.tile(freedom / freedom.sum(), (len(sizes), 1))
    borrowed[large] = np.eye(len(clusters))[: len(large)]
    return borrowed


def _squares(block: np.ndarray, is_within: bool) -> np.ndarray:
    """Sum over columns of the squared, centred influences, which add up to tr(Σ_c Σ_d)."""
    rows, columns = block.shape
    if not is_within:
        centred = block - block.mean(0) - block.mean(1, keepdims=True) + block.mean()
        return (centred**2).sum(axis=1) / ((rows - 1) * (columns - 1))
    sums = block.sum(axis=0)
    centred = block - (sums[:, None] + sums) / (rows - 2) + sums.sum() / ((rows - 1) * (rows - 2))
    np.fill_diagonal(centred, 0)
    return (centred**2).sum(axis=1) / (rows * (rows - 3))


def _by_label(label: np.ndarray, confound: np.ndarray) -> dict[int, np.ndarray]:
    by_label: dict[int, list[np.ndarray]] = {}
    for group, rows in paired_groups(label, confound).items():
        by_label.setdefault(group.label, []).append(rows)
    return {y: np.sort(np.concatenate(rows)) for y, rows in by_label.items()}


def _weights(share: dict[Group, float], label: int) -> dict[int, float]:
    return {group.confound: value for group, value in share.items() if group.label == label}
