"""How certain the CID of a number is: an interval and a permutation p value (NumPy).

With unit gradients ĝ_i = μ + β x_i + e_i of a label and x standardised, the CID is without bias
θ = 2 |β|², and a quadratic form of influences, Σ K_ij ĝ_i·ĝ_j over i ≠ j, whose error is

    T - θ = Σ_i l_i e_i·β  +  Σ_{i≠j} K_ij e_i·e_j,    l = 2 K x.

Variances come from residuals: e_i·β from a line through all other rows, so that nothing of the
row itself is in it; e_i·e_j from residuals of all influences on x, to both sides. They are rid of
their leverages h (MacKinnon and White 1985, HC2), and of the mean norm of the residuals, which
leaves -h_ij |e|² between two rows. The path that the interval goes along is β(s) = s β, from no
slope to the one observed; the rest is :mod:`itune.auditing.significance`. The permutation test
permutes numbers among the examples of each label.
"""

import numpy as np

from itune.auditing.significance import MIN_OWN, CIDTest, Spread, combined_test
from itune.errors import UserError
from itune.metrics.linear_cid import numbers_by_label, slope_products


def linear_cid_test(
    matrix: np.ndarray,
    label: np.ndarray,
    number: np.ndarray,
    share: dict[int, float],
    rng: np.random.Generator,
    *,
    draws: int = 2000,
) -> CIDTest:
    """Estimate the CID of a number from a sample, with an interval and a permutation p value.

    ``matrix`` are the influences of n examples on one another, and ``number`` their numbers,
    standardised within each label of the data that the sample was drawn from. ``share`` is the
    weight of each label. UserError if no label has three rows whose numbers differ.
    """
    labels = [
        _Label(matrix[np.ix_(rows, rows)].astype(np.float64), x, share[y], number[rows].var())
        for y, (rows, x) in numbers_by_label(label, number).items()
    ]
    if not labels:
        raise UserError("no label of the sample has three rows whose numbers differ")
    return combined_test(labels, rng, draws)


class _Label:
    """The examples of one label: influences, numbers standardised anew, their variance before."""

    def __init__(self, matrix: np.ndarray, x: np.ndarray, weight: float, variance: float):
        self.matrix, self.x, self.weight, self.size = matrix, x, weight, len(x)
        self.scale = weight / variance

    def cid(self, x: np.ndarray) -> np.ndarray:
        """Weighted CID of each of D assignments of numbers, ``(n, D)``."""
        own = np.diag(self.matrix)[:, None]
        total = self.matrix.sum(axis=1, keepdims=True)
        return self.scale * slope_products(x, self.matrix @ x, total, own).mean(axis=0)

    def observed(self) -> float:
        return self.cid(self.x[:, None])[0]

    def permuted(self, rng: np.random.Generator, draws: int) -> np.ndarray:
        x = np.broadcast_to(self.x[:, None], (self.size, draws))
        return self.cid(rng.permuted(x, axis=0))

    def spread(self) -> Spread:
        result, n, x = Spread(), self.size, self.x
        result.square = float(self.scale * 2 * (x @ self.matrix @ x) / n**2)
        if n <= MIN_OWN:
            return result
        result.rows = n
        hat = (1 + np.outer(x, x)) / n
        rest = np.eye(n) - hat
        left = np.maximum(1 - np.diag(hat), 1e-9)
        residual = rest @ self.matrix @ rest
        noise = np.trace(residual) / (n - 2)
        residual -= noise * rest
        # Weights by which the slope, and the line at x_p, are a mean of all gradients but p's.
        slopes = (x + x[:, None] / (n - 1)) / (n - x * x * n / (n - 1))[:, None]
        np.fill_diagonal(slopes, 0)
        line = (x * n / (n - 1))[:, None] * slopes + (1 - np.eye(n)) / (n - 1)
        along = (slopes * (self.matrix - line @ self.matrix + noise * line)).sum(axis=1)
        kernel = x[:, None] * slopes
        kernel = self.scale * (kernel + kernel.T) / n
        first = (2 * (kernel @ x) * along) ** 2 * left
        second = (4 * kernel**2 * residual**2 / np.outer(left, left)).sum(axis=1)
        result.first[2], result.second = first.sum(), second.sum() / 2
        result.normal[2, 2] = 2 / (n - 2) * first.sum() ** 2
        parts = np.stack([second, np.zeros(n), first])
        result.jackknife = n * np.cov(parts)
        return result
