"""Confirmation of a candidate on rows that it was not found by: CID, errors, counterfactuals."""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from itune.auditing.predictions import predict
from itune.auditing.significance import CIDTest, cid_test
from itune.data.dataset import Dataset
from itune.groups import Group, draw_sample, groups_of
from itune.methods.base import Classifier, Params
from itune.metrics.matrix import influences_among
from itune.metrics.proportions import wilson
from itune.utils.resumable import NEVER_SAVED, Resumable


def measure_cid(
    sketches: np.ndarray,
    label: np.ndarray,
    has: np.ndarray,
    rng: np.random.Generator,
    *,
    sample: int,
    draws: int,
) -> CIDTest | None:
    """Test the CID of a feature, which n rows have or lack, by sketches of theirs, ``(n, size)``.

    A sample of the rows is taken, equally many of each group. The p value is valid whatever the
    projections are; they add an error of ``(2 / size) ** 0.5`` to ``(8 / size) ** 0.5`` of the CID,
    which the interval does not hold. None if no label has rows of both kinds.
    """
    confound = has.astype(np.int32)
    rows = draw_sample(label, confound, sample, rng)
    if not len(rows):
        return None
    drawn = np.asarray(sketches[rows], np.float64)
    share = _shares(label, confound)
    return cid_test(drawn @ drawn.T, label[rows], confound[rows], share, rng, draws=draws)


def measure_exactly(
    classifier: Classifier,
    params: Params,
    dataset: Dataset,
    places: np.ndarray,
    has: np.ndarray,
    rng: np.random.Generator,
    *,
    sample: int,
    draws: int,
    chunk: int,
) -> CIDTest | None:
    """Test the CID of a feature by exact influences among rows at some places, ``(n,)``.

    ``has`` tells which of these rows have it. A sample of them is drawn, equally many of each
    group. Influences are computed within labels, as CID has no others. None if no label has rows of
    both kinds.
    """
    label, confound = dataset.label[places], has.astype(np.int32)
    drawn = draw_sample(label, confound, sample, rng)
    if not len(drawn):
        return None
    matrix = np.full((len(drawn), len(drawn)), math.nan)
    for y in np.unique(label[drawn]):
        rows = np.flatnonzero(label[drawn] == y)
        matrix[np.ix_(rows, rows)] = influences_among(
            classifier.loss, params, dataset, places[drawn[rows]], chunk=chunk, partners=sample
        )
    share = _shares(label, confound)
    return cid_test(matrix, label[drawn], confound[drawn], share, rng, draws=draws)


def _shares(label: np.ndarray, confound: np.ndarray) -> dict[Group, float]:
    groups = groups_of(label, confound)
    return {group: len(rows) / len(label) for group, rows in groups.items()}


class ErrorGap(NamedTuple):
    """Where a model errs: on rows with a feature that have another label than it speaks for.

    Attributes:
      size: Number of such rows.
      error: Share of them that is predicted wrongly; NaN if there is none.
      elsewhere: Share of all other rows that is predicted wrongly.
      gap: ``error - elsewhere``.
      low: Lower end of the 95 % interval of ``gap`` (Newcombe's, of Wilson's).
      high: Upper end of the 95 % interval of ``gap``.
      worst_group: Least accuracy of the groups of label and feature.
    """

    size: int
    error: float
    elsewhere: float
    gap: float
    low: float
    high: float
    worst_group: float


def measure_errors(
    is_right: np.ndarray, label: np.ndarray, has: np.ndarray, usual: int
) -> ErrorGap:
    """Compare errors on rows with a feature and an unusual label with those on all others.

    The arguments are arrays ``(N,)`` and the label that the feature speaks for. Source: Newcombe
    (1998), Interval estimation for the difference between independent proportions, method 10.
    """
    against = has & (label != usual)
    (error, low, high), (elsewhere, low_else, high_else) = (
        (float(wrong.mean()) if len(wrong) else math.nan, *wilson(float(wrong.sum()), len(wrong)))
        for wrong in (~is_right[against], ~is_right[~against])
    )
    gap = error - elsewhere
    groups = groups_of(label, has.astype(np.int32))
    return ErrorGap(
        size=int(against.sum()),
        error=error,
        elsewhere=elsewhere,
        gap=gap,
        low=gap - math.hypot(error - low, high_else - elsewhere),
        high=gap + math.hypot(high - error, elsewhere - low_else),
        worst_group=min(float(is_right[rows].mean()) for rows in groups.values()),
    )


@dataclass(frozen=True)
class Counterfactual:
    """What predictions do when a feature is taken out of texts that have it.

    Attributes:
      size: Number of texts.
      changed: Number of them whose prediction changes.
      low: Lower end of the 95 % interval of ``changed / size`` (Wilson).
      high: Upper end of the 95 % interval of ``changed / size``.
      away: Number of them whose prediction changes from the label that the feature speaks for.
      towards: Number of them whose prediction changes to each label, by its number.
    """

    size: int
    changed: int
    low: float
    high: float
    away: int
    towards: tuple[int, ...]

    @property
    def share(self) -> float:
        """``changed / size``; NaN if there is no text."""
        return self.changed / self.size if self.size else math.nan


def measure_change(
    before: np.ndarray, after: np.ndarray, usual: int, labels: int
) -> Counterfactual | None:
    """Compare predictions before and after texts change, ``(n,)``; None if n is 0."""
    if not len(before):
        return None
    is_changed = before != after
    low, high = wilson(float(is_changed.sum()), len(before))
    away = is_changed & (before == usual)
    towards = np.bincount(after[is_changed].astype(int), minlength=labels)
    return Counterfactual(
        len(before), int(is_changed.sum()), low, high, int(away.sum()), tuple(towards.tolist())
    )


def predict_labels(
    classifier: Classifier,
    params: Params,
    dataset: Dataset,
    resumable: Resumable = NEVER_SAVED,
    name: str = "predictions",
) -> np.ndarray:
    """Return the most likely label of each row, ``(N,)``; ``name`` is that in ``resumable``."""
    rows = np.arange(len(dataset))
    found = predict(classifier, params, dataset, rows, resumable=resumable, name=name)
    return found.logits.argmax(axis=-1)
