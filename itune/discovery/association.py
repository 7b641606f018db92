"""How strongly features are associated with labels in the data, whatever a model does (NumPy)."""

from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_matrix


class Association(NamedTuple):
    """Association of C features with the labels.

    Attributes:
      usual: The label that a feature speaks for: that of the largest ``z``, ``(C,)``.
      rate: Share of that label among the rows with the feature, ``(C,)``.
      z: ``(rate - p) / sqrt(p (1 - p) / n)``, p the share of the label in all rows and n the number
        of rows with the feature, ``(C,)``. Source: Gardner et al. (2021), Competency problems.
      pmi: Pointwise mutual information ``log(rate / p)``, in nats, ``(C,)``.
    """

    usual: np.ndarray
    rate: np.ndarray
    z: np.ndarray
    pmi: np.ndarray


def associate(rows: csr_matrix, label: np.ndarray) -> Association:
    """Measure the association of features with labels.

    Args:
      rows: Ones where a row has a feature, ``(C, N)``, float32.
      label: Label of each row, ``(N,)``, integers.

    Returns:
      The label that each feature speaks for, and how strongly.
    """
    classes = int(label.max()) + 1
    counts = np.asarray(rows @ np.eye(classes, dtype=np.float32)[label], float)
    total = counts.sum(axis=1, keepdims=True)
    prior = np.bincount(label, minlength=classes) / len(label)
    rate = counts / np.maximum(total, 1)
    spread = np.sqrt(prior * (1 - prior) / np.maximum(total, 1))
    z = (rate - prior) / np.where(spread > 0, spread, np.inf)
    usual = np.argmax(z, axis=1)
    pick = np.arange(len(usual)), usual
    with np.errstate(divide="ignore"):
        pmi = np.log(rate[pick] / prior[usual])
    return Association(usual, rate[pick], z[pick], pmi)
