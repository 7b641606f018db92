"""The influence part of an audit: CID of all training examples, of each label, of each pair."""

from typing import NamedTuple

import numpy as np

from itune.groups import Group
from itune.metrics.cid import GroupInfluences


class PairCID(NamedTuple):
    """How far apart two confounds of one label are.

    ``(M_aa + M_bb) / 2 - M_ab`` with ``M_ab`` the mean influence of group b on the probes of group
    a: half the squared distance of the groups' mean unit gradients, without what examples do to
    themselves. 0 in the mean if the model does not tell a from b.

    Attributes:
      label: the label.
      first: a confound, a.
      second: another, b.
      cid: the value; NaN where a group has one example.
      sizes: examples of both groups.
    """

    label: int
    first: int
    second: int
    cid: float
    sizes: tuple[int, int]


class InfluenceAudit(NamedTuple):
    """CID of a training set, taken apart.

    Attributes:
      cid: mean over all probes with both groups, without self.
      standard_error: of that mean over probes, the partners taken as given.
      by_group: for each group the mean over its probes.
      by_label: for each label the mean over its probes.
      pairs: every pair of confounds of every label.
      probes: how many there were.
    """

    cid: float
    standard_error: float
    by_group: dict[Group, float]
    by_label: dict[int, float]
    pairs: tuple[PairCID, ...]
    probes: int


def influence_audit(influences: GroupInfluences) -> InfluenceAudit:
    """Sums up the influences of :func:`itune.metrics.make_group_influences`."""
    values = influences.differences(with_self=False)
    groups = {
        group: values[influences.group == number]
        for number, group in enumerate(influences.groups)
        if np.any(influences.group == number)
    }
    labels = sorted({group.label for group in groups})
    by_label = {y: np.concatenate([v for c, v in groups.items() if c.label == y]) for y in labels}
    known = values[~np.isnan(values)]
    error = known.std(ddof=1) / np.sqrt(len(known)) if len(known) > 1 else np.nan
    return InfluenceAudit(
        cid=_mean(values),
        standard_error=float(error),
        by_group={group: _mean(of_group) for group, of_group in groups.items()},
        by_label={label: _mean(of_label) for label, of_label in by_label.items()},
        pairs=tuple(_pairs(influences)),
        probes=len(known),
    )


def _pairs(influences: GroupInfluences):
    means = influences.means(with_self=False)
    for a, first in enumerate(influences.groups):
        for b, second in enumerate(influences.groups):
            if b <= a or first.label != second.label:
                continue
            rows = [influences.group == a, influences.group == b]
            if not all(map(np.any, rows)):
                continue
            own = (_mean(means[rows[0], a]) + _mean(means[rows[1], b])) / 2
            across = (_mean(means[rows[0], b]) + _mean(means[rows[1], a])) / 2
            sizes = int(influences.sizes[a]), int(influences.sizes[b])
            yield PairCID(first.label, first.confound, second.confound, own - across, sizes)


def _mean(values: np.ndarray) -> float:
    """Of those that are known; NaN if none is."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")
