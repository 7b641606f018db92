"""A linear probe: whether the confound can be predicted from the pooled vector.

That it can be predicted does not prove that the model's predictions use it; that it cannot be is
evidence that they do not.
"""

from typing import NamedTuple

import numpy as np

FOLDS = 5


class LinearProbe(NamedTuple):
    """How well a linear classifier predicts the confound from the pooled vector, given the label.

    Attributes:
      balanced_accuracy: Balanced accuracy on held-out examples, 0 to 1: the mean over confounds of
        their recall, averaged over labels.
      chance: Balanced accuracy of guessing, averaged over the same labels: one over the number of
        confounds.
      by_label: Balanced accuracy within each label that has at least two confounds with at least
        :data:`FOLDS` examples each.
      size: Number of examples of these labels and confounds.
    """

    balanced_accuracy: float
    chance: float
    by_label: dict[int, float]
    size: int


def run_linear_probe(
    pooled: np.ndarray, label: np.ndarray, confound: np.ndarray, rng: np.random.Generator
) -> LinearProbe | None:
    """Cross-validate a logistic regression of the confound on pooled vectors, within each label.

    Features are standardised, confounds are weighted equally, and the L2 penalty is scikit-learn's
    default (``C=1``). Each confound's examples are dealt evenly to :data:`FOLDS` folds. All
    confounds are annotated; returns None if no label has two with :data:`FOLDS` examples each.
    """
    by_label, chances, size = {}, [], 0
    for y in np.unique(label):
        values, counts = np.unique(confound[label == y], return_counts=True)
        frequent = values[counts >= FOLDS]
        if len(frequent) < 2:
            continue
        rows = np.flatnonzero((label == y) & np.isin(confound, frequent))
        by_label[int(y)] = _cross_validated(pooled[rows].astype(np.float64), confound[rows], rng)
        chances.append(1 / len(frequent))
        size += len(rows)
    if not by_label:
        return None
    mean = float(np.mean(list(by_label.values())))
    return LinearProbe(mean, float(np.mean(chances)), by_label, size)


def _cross_validated(features: np.ndarray, confound: np.ndarray, rng: np.random.Generator) -> float:
    """Balanced accuracy of predictions for held-out examples."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import balanced_accuracy_score
    from sklearn.model_selection import PredefinedSplit, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    folds = np.empty(len(confound), int)
    for value in np.unique(confound):
        rows = rng.permutation(np.flatnonzero(confound == value))
        folds[rows] = np.arange(len(rows)) % FOLDS
    regression = LogisticRegression(class_weight="balanced", max_iter=1000)
    model = make_pipeline(StandardScaler(), regression)
    predicted = cross_val_predict(model, features, confound, cv=PredefinedSplit(folds))
    return float(balanced_accuracy_score(confound, predicted))
