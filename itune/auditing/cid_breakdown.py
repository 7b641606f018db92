"""CID of a whole training set, broken down by label, by group and by pair of confounds (NumPy)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from itune.groups import Group
from itune.metrics.cid import GroupInfluences


class PairCID(NamedTuple):
    """How far apart a model puts two confounds of one label.

    ``(M_aa + M_bb) / 2 - M_ab``, with ``M_ab`` the mean influence of group b on the probes of group
    a: half the squared distance of the groups' mean unit gradients, without the influences of
    examples on themselves. Its expectation is 0 if the model does not tell a from b.

    Attributes:
      label: Number of the label.
      first: Number of one confound, a.
      second: Number of the other confound, b.
      cid: The value; NaN if either group has one example only.
      sizes: Number of examples of group a, and of group b.
    """

    label: int
    first: int
    second: int
    cid: float
    sizes: tuple[int, int]


@dataclass(frozen=True)
class CIDBreakdown:
    """CID of a training set, broken down. No probe is its own partner.

    Attributes:
      cid: Mean over all probes that have partners of both kinds.
      standard_error: Standard error of ``cid`` over probes, with the partners taken as fixed; NaN
        if there is only one probe.
      by_group: Mean over the probes of each group; NaN if none has partners.
      by_label: Mean over the probes of each label; NaN if none has partners.
      pairs: Every pair of confounds of every label.
      probes: Number of probes that have partners of both kinds.
      without_gradient: Share of the probes whose gradient is exactly 0.
    """

    cid: float
    standard_error: float
    by_group: dict[Group, float]
    by_label: dict[int, float]
    pairs: tuple[PairCID, ...]
    probes: int
    without_gradient: float = 0.0


def break_down_cid(influences: GroupInfluences) -> CIDBreakdown:
    """Break down the CID of the probes of :func:`itune.metrics.make_group_influences`."""
    values = influences.differences(with_self=False)
    groups = {
        group: values[influences.group == number]
        for number, group in enumerate(influences.groups)
        if np.any(influences.group == number)
    }
    labels = sorted({group.label for group in groups})
    by_label = {y: np.concatenate([v for g, v in groups.items() if g.label == y]) for y in labels}
    known = values[~np.isnan(values)]
    error = known.std(ddof=1) / np.sqrt(len(known)) if len(known) > 1 else np.nan
    return CIDBreakdown(
        cid=_mean(values),
        standard_error=float(error),
        by_group={group: _mean(in_group) for group, in_group in groups.items()},
        by_label={label: _mean(in_label) for label, in_label in by_label.items()},
        pairs=tuple(_pairs(influences)),
        probes=len(known),
        without_gradient=float(np.mean(influences.own == 0)),
    )


def _pairs(influences: GroupInfluences) -> Iterator[PairCID]:
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
    """Mean of the values that are not NaN; NaN if there is none."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")
