"""How influences are distributed in their two by_label: same confound, and different confound."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from itune.groups import Group, GroupNames, groups_of
from itune.report.blocks import Figure
from itune.report.drawing import FIRST, SECOND, SOFT, draw
from itune.report.text import short

BINS = 35
NARROWEST = 0.1
"""The least width of the axis of influences; what differs by less is not told apart."""

PANELS = 6
"""Labels that are drawn, those of the largest share; of others the number is told."""


class LabelInfluences(NamedTuple):
    """Influences among examples of one label, and what each counts for (NumPy).

    The mean of ``values`` by ``same``, minus that by ``different``, is the CID of the label.

    Attributes:
      values: influences of pairs, ``(m,)``.
      same: weights of the pairs that share their confound, ``(m,)``; sum 1.
      different: weights of the others, ``(m,)``; sum 1.
      share: of the label's groups among the data.
    """

    values: np.ndarray
    same: np.ndarray
    different: np.ndarray
    share: float

    def spreads(self) -> tuple["Spread", "Spread"]:
        """How the influences of both groups are spread: of the same confound, of another."""
        return _spread(self.values, self.same), _spread(self.values, self.different)


class Spread(NamedTuple):
    """Where influences lie.

    Attributes:
      mean: of them.
      low: one in ten is below.
      high: one in ten is above.
    """

    mean: float
    low: float
    high: float


def influences_by_label(
    matrix: np.ndarray, label: np.ndarray, confound: np.ndarray, share: Mapping[Group, float]
) -> dict[int, LabelInfluences]:
    """Influences by label, weighted as :func:`itune.auditing.cid_test` does.

    Args:
      matrix: ``(n, n)``, influences among a sample.
      label: of its n examples.
      confound: of the same.
      share: of each group among the data.
    """
    groups = groups_of(label, confound)
    found = {}
    for y in dict.fromkeys(group.label for group in groups):
        of_label = {group: rows for group, rows in groups.items() if group.label == y}
        members = np.concatenate(list(of_label.values()))
        same, different = np.zeros((2, len(label), len(label)))
        for group, rows in of_label.items():
            others = np.setdiff1d(members, rows)
            if len(rows) > 1 and len(others):
                weight = share[group] / len(rows)
                same[np.ix_(rows, rows)] = weight / (len(rows) - 1)
                different[np.ix_(rows, others)] = weight / len(others)
        np.fill_diagonal(same, 0)
        total = same.sum()
        if total > 0:
            is_used = (same > 0) | (different > 0)
            parts = (matrix, same / total, different / different.sum())
            found[y] = LabelInfluences(*(part[is_used] for part in parts), share=float(total))
    return found


def influences_figure(by_label: Mapping[int, LabelInfluences], names: GroupNames) -> Figure:
    """A panel for each label: both groups as histograms, with their means."""
    largest = sorted(sorted(by_label, key=lambda y: -by_label[y].share)[:PANELS])
    shown = {y: by_label[y] for y in largest}
    edges = _edges(np.concatenate([group.values for group in shown.values()]))

    def fill(axes):
        for panel, (y, group) in zip(axes, shown.items(), strict=True):
            _fill(panel, group, edges, f"label {short(names.labels[y])}")
        axes[-1].set_xlabel("influence on one another (cosine of gradients)")

    svg = draw(fill, rows=len(shown), height=1.55, sharex=True)
    rest = len(by_label) - len(shown)
    caption = (
        "How much training examples of one label influence one another: filled where both have the "
        "same confound, hatched where they differ. Lines and numbers are the means. The further "
        "apart they are, the more the model goes by the confound: their distance is CID. Heights "
        "are shares of pairs, weighted as in CID."
    )
    if rest:
        caption += f" {rest} smaller labels are not drawn."
    return Figure(
        svg, " ".join(_told(group, names.labels[y]) for y, group in shown.items()), caption
    )


def _edges(values: np.ndarray) -> np.ndarray:
    """Of the bins: over all values, and no narrower than :data:`NARROWEST`."""
    low, high = values.min(), values.max()
    spare = max(NARROWEST - (high - low), 0) / 2
    return np.linspace(low - spare, high + spare, BINS + 1)


def _fill(panel, group: LabelInfluences, edges: np.ndarray, title: str) -> None:
    looks = (
        ("same confound", group.same, FIRST, "-", {"fill": True, "alpha": 0.45}),
        ("different confound", group.different, SECOND, "--", {"fill": False, "hatch": "////"}),
    )
    for (name, weights, colour, line, look), spread in zip(looks, group.spreads(), strict=True):
        heights = np.histogram(group.values, edges, weights=weights)[0]
        label = f"{name}: {spread.mean:.2f}"
        panel.stairs(heights, edges, color=colour, linewidth=1, label=label, **look)
        panel.axvline(spread.mean, color=colour, linestyle=line, linewidth=1.8)
    panel.set_yticks([])
    panel.spines["left"].set_visible(False)
    panel.tick_params(color=SOFT)
    panel.set_title(title, loc="left", fontweight="bold", pad=20, parse_math=False)
    panel.legend(
        frameon=False,
        ncols=2,
        fontsize=9,
        loc="lower left",
        bbox_to_anchor=(0, 0.98),
        borderpad=0,
        borderaxespad=0.2,
        handlelength=1.4,
        columnspacing=1.2,
    )


def _spread(values: np.ndarray, weights: np.ndarray) -> Spread:
    order = np.argsort(values)
    reached = np.cumsum(weights[order])
    ends = values[order][np.searchsorted(reached, (0.1 * reached[-1], 0.9 * reached[-1]))]
    return Spread(float(values @ weights), *map(float, ends))


def _told(group: LabelInfluences, name: str) -> str:
    same, different = group.spreads()
    means = (
        f"{text} {spread.mean:.2f}, 8 of 10 pairs between {spread.low:.2f} and {spread.high:.2f}"
        for text, spread in (
            ("with the same confound the mean influence is", same),
            ("with different confounds", different),
        )
    )
    return f"Label {name}: {'; '.join(means)}; they differ by {same.mean - different.mean:+.2f}."
