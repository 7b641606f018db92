"""How influences are distributed: of the same confound, and of different ones."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from itune.groups import Group, groups_of
from itune.metrics.probe_influences import ProbeInfluence
from itune.metrics.statistics import welch_test
from itune.plots.drawing import FIRST, SECOND, SOFT, WIDTH, Plot
from itune.utils.visible import short

BINS = 35
NARROWEST = 0.1
"""The least width of the axis of influences; what differs by less is not told apart."""

CAPTION = (
    "How much training examples of one label influence {what}: filled where both have the same "
    "confound, hatched where they differ. Lines and numbers are the means. The further apart they "
    "are, the more the model goes by the confound: their distance is CID."
)


class Spread(NamedTuple):
    """Where influences lie: one in ten is below ``low``, and one in ten above ``high``."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class Influences:
    """m influences among examples of one label, and what each counts for (NumPy).

    The weights where the confound is the same sum to 1, and so do the others: the mean of values
    by ``same`` minus that by ``different`` is CID. ``share`` is that of the groups among the data.
    """

    values: np.ndarray
    same: np.ndarray
    different: np.ndarray
    share: float = 1.0
    note: str = ""

    def spreads(self) -> tuple[Spread, Spread]:
        """How influences are spread where the confound is the same, and where it is another."""
        return _spread(self.values, self.same), _spread(self.values, self.different)


def influences_by_label(
    matrix: np.ndarray, label: np.ndarray, confound: np.ndarray, share: Mapping[Group, float]
) -> dict[int, Influences]:
    """Return the influences ``(n, n)`` among n examples by label, weighted as ``cid_test`` does.

    ``share`` is the share of each group among the data.
    """
    groups = groups_of(label, confound)
    by_label = {}
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
            by_label[y] = Influences(*(part[is_used] for part in parts), share=float(total))
    return by_label


def influences_on_probe(influence: ProbeInfluence) -> Influences:
    """Return the influences of training examples on one probe, with a test of their difference."""
    same, different = influence.same, influence.different
    test = welch_test(same.tolist(), different.tolist())
    p = "p < 0.001" if test.p < 0.001 else f"p = {test.p:.3f}"
    return Influences(
        values=np.concatenate([same, different]),
        same=np.repeat([1 / len(same), 0], [len(same), len(different)]),
        different=np.repeat([0, 1 / len(different)], [len(same), len(different)]),
        note=(
            f"{len(same):,} and {len(different):,} examples; means differ by "
            f"{influence.difference:.3f}, Welch t = {test.t:.1f}, {p}"
        ),
    )


def influence_plot(
    panels: Mapping[str, Influences], *, what: str = "one another", width: float = WIDTH
) -> Plot:
    """Return a plot with two histograms in each panel, and their means.

    Args:
      panels: Influences by title, one below the other.
      what: What is influenced, for the axis and the caption.
      width: Width in inches.
    """
    edges = _edges(np.concatenate([panel.values for panel in panels.values()]))

    def fill(axes: Sequence[Any]) -> None:
        for ax, (title, panel) in zip(axes, panels.items(), strict=True):
            _fill(ax, panel, edges, title)
        axes[-1].set_xlabel(f"influence on {what} (cosine of gradients)")

    return Plot(
        fill,
        height=1.55 * len(panels) * max(width / WIDTH, 1),
        alt=" ".join(_description(panel, title) for title, panel in panels.items()),
        caption=CAPTION.format(what=what),
        rows=len(panels),
        width=width,
        share={"sharex": True},
    )


def _edges(values: np.ndarray) -> np.ndarray:
    """Edges of bins over all values, no less than :data:`NARROWEST` apart in all."""
    low, high = values.min(), values.max()
    spare = max(NARROWEST - (high - low), 0) / 2
    return np.linspace(low - spare, high + spare, BINS + 1)


def _fill(ax: Any, panel: Influences, edges: np.ndarray, title: str) -> None:
    looks = (
        ("same confound", panel.same, FIRST, "-", {"fill": True, "alpha": 0.45}),
        ("different confound", panel.different, SECOND, "--", {"fill": False, "hatch": "////"}),
    )
    for (name, weights, colour, line, look), spread in zip(looks, panel.spreads(), strict=True):
        heights = np.histogram(panel.values, edges, weights=weights)[0]
        label = f"{name}: {spread.mean:.2f}"
        ax.stairs(heights, edges, color=colour, linewidth=1, label=label, **look)
        ax.axvline(spread.mean, color=colour, linestyle=line, linewidth=1.8)
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)
    ax.tick_params(color=SOFT)
    ax.set_title(short(title), loc="left", fontweight="bold", pad=20)
    ax.set_title(panel.note, loc="right", pad=20)
    ax.legend(
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


def _description(panel: Influences, title: str) -> str:
    same, different = panel.spreads()
    means = (
        f"{text} {spread.mean:.2f}, 8 of 10 pairs between {spread.low:.2f} and {spread.high:.2f}"
        for text, spread in (
            ("with the same confound the mean influence is", same),
            ("with different confounds", different),
        )
    )
    title = f"{title[:1].upper()}{title[1:]}"
    return f"{title}: {'; '.join(means)}; they differ by {same.mean - different.mean:+.2f}."
