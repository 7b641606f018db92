"""How influence on a probe is distributed in its two groups, as the paper's Figure 1."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from itune.metrics.probe_influences import ProbeInfluence
from itune.metrics.statistics import welch_test
from itune.plots.drawing import STYLES, panels

BINS = 30


def plot_influences(found: Sequence[ProbeInfluence], paths: Sequence[Path]) -> None:
    """Draws two overlaid histograms for each probe, each of area 1, with their means.

    Training examples of the probe's confound are filled; others are hatched, their mean dashed.

    Args:
      found: a panel each, one below the other.
      paths: the files to write.
    """
    with panels(paths, rows=len(found), size=(6.4, 3.4)) as axes:
        for panel, influence in zip(axes, found, strict=True):
            _plot_probe(panel, influence)
            panel.set(ylabel="density")
            place = {"loc": "lower center", "bbox_to_anchor": (0.5, 1)}  # between panel and title
            panel.legend(frameon=False, fontsize=9, ncols=2, **place)
        axes[-1].set_xlabel("influence on the probe (cosine of gradients)")


def _plot_probe(axes, influence: ProbeInfluence) -> None:
    bins = np.histogram_bin_edges(np.concatenate([influence.same, influence.different]), BINS)
    groups = {"same confound": influence.same, "different confound": influence.different}
    looks = ({"histtype": "stepfilled", "alpha": 0.4}, {"histtype": "step", "hatch": "////"})
    for (name, values), (color, _, _), line, look in zip(
        groups.items(), STYLES, ("-", "--"), looks, strict=False
    ):
        label = f"{name}: mean {values.mean():.3f}, n = {len(values)}"
        axes.hist(values, bins, density=True, color=color, linewidth=1.2, label=label, **look)
        axes.axvline(values.mean(), color=color, linestyle=line, linewidth=2)
    test = welch_test(influence.same, influence.different)
    p = "p < 0.001" if test.p < 0.001 else f"p = {test.p:.3f}"
    axes.set_title(
        f"probe {influence.probe} ({influence.group}): means differ by {influence.difference:.3f}, "
        f"Welch t = {test.t:.1f}, {p}",
        fontsize=10,
        pad=26,
    )
