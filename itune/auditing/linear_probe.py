"""A second opinion: whether the confound can be read off the pooled vector (NumPy, SciPy).

That it can is no proof that predictions use it; that it cannot is a sign that they do not.
"""

from typing import NamedTuple

import numpy as np

FOLDS = 5


class LinearProbe(NamedTuple):
    """How well a linear probe tells the confound, given the label.

    Attributes:
      balanced_accuracy: mean over confounds of the share told right, on examples held out, mean
        over labels.
      chance: what guessing comes to, mean over the same labels: one over the number of confounds.
      by_label: balanced accuracy of each label that has two confounds or more, ``FOLDS`` or more
        examples each.
      size: examples of these labels.
    """

    balanced_accuracy: float
    chance: float
    by_label: dict[int, float]
    size: int


def run_linear_probe(
    pooled: np.ndarray,
    label: np.ndarray,
    confound: np.ndarray,
    rng: np.random.Generator,
    *,
    penalty: float = 1.0,
) -> LinearProbe | None:
    """Fits multinomial logistic regressions of the confound within each label, five-fold.

    Vectors are standardised by the examples fitted to; every confound has the same weight in all;
    the objective is the mean cross entropy plus ``penalty |W|^2 / (2 n)``.

    Args:
      pooled: ``(N, d)``.
      label: of the N examples.
      confound: of the same, all of them known.
      rng: deals the folds.
      penalty: strength of the ridge.

    Returns:
      The probe, or None if no label has two confounds with five examples each.
    """
    found, chances, size = {}, [], 0
    for y in np.unique(label):
        rows = np.flatnonzero(label == y)
        values, counts = np.unique(confound[rows], return_counts=True)
        kept = values[counts >= FOLDS]
        if len(kept) < 2:
            continue
        rows = rows[np.isin(confound[rows], kept)]
        codes = np.searchsorted(kept, confound[rows])
        found[int(y)] = _cross_validated(pooled[rows].astype(np.float64), codes, rng, penalty)
        chances.append(1 / len(kept))
        size += len(rows)
    if not found:
        return None
    mean = float(np.mean(list(found.values())))
    return LinearProbe(mean, float(np.mean(chances)), found, size)


def _cross_validated(x, codes, rng, penalty) -> float:
    folds = np.empty(len(codes), int)
    for code in np.unique(codes):
        rows = rng.permutation(np.flatnonzero(codes == code))
        folds[rows] = np.arange(len(rows)) % FOLDS
    told = np.empty(len(codes), int)
    for fold in range(FOLDS):
        fitted, held = folds != fold, folds == fold
        told[held] = _fit(x[fitted], codes[fitted], penalty)(x[held])
    return float(np.mean([np.mean(told[codes == code] == code) for code in np.unique(codes)]))


def _fit(x, codes, penalty):
    """Fits the regression; returns what tells codes of other rows."""
    from scipy.optimize import minimize

    center, scale = x.mean(axis=0), x.std(axis=0)
    scale = np.where(scale > 0, scale, 1)

    def units(rows):
        return np.column_stack([(rows - center) / scale, np.ones(len(rows))])

    start = np.zeros((x.shape[1] + 1) * (codes.max() + 1))
    fun = _objective(units(x), codes, penalty)
    w = minimize(fun, start, jac=True, method="L-BFGS-B").x.reshape(x.shape[1] + 1, -1)
    return lambda rows: np.argmax(units(rows) @ w, axis=1)


def _objective(units, codes, penalty):
    """Loss and gradient in the flat weights; the last column of ``units`` is that of the biases."""
    classes = codes.max() + 1
    weights = (1 / classes / np.bincount(codes))[codes][:, None]
    truth = np.eye(classes)[codes]

    def fun(flat):
        w = flat.reshape(-1, classes)
        scores = units @ w
        scores = scores - scores.max(axis=1, keepdims=True)
        log_probs = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
        ridge = np.vstack([w[:-1], np.zeros((1, classes))]) * (penalty / len(codes))
        loss = -np.sum(weights * truth * log_probs) + 0.5 * np.sum(ridge * w)
        gradient = units.T @ (weights * (np.exp(log_probs) - truth)) + ridge
        return loss, gradient.ravel()

    return fun
