"""Figures, drawn without a screen."""

import importlib.util
from collections.abc import Mapping, Sequence
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np

from itune.errors import UserError

STYLES = (
    ("#c44e52", "o", "-"),
    ("#2f6db5", "s", "-"),
    ("#4c9a5b", "^", "--"),
    ("#8b6db3", "D", ":"),
)
"""Colour, marker and line of each run in turn: told apart without colour too."""


def require_matplotlib() -> None:
    """Finds out now, not after hours of training, that there can be no figure.

    Raises:
      UserError: matplotlib is not installed.
    """
    if importlib.util.find_spec("matplotlib") is None:
        raise UserError("figures need matplotlib: pip install 'itune[plots]'")


def plot_cid(runs: Mapping[str, Sequence[Mapping[str, Any]]], path: Path) -> None:
    """Draws CID against label steps, one line a run, as the paper's Figure 3.

    The two measurements around an influence round stand at the same step, so that a round shows as
    a vertical drop.

    Args:
      runs: for each run's name the rows of its ``metrics.jsonl``.
      path: the PNG (or SVG, PDF) to write.

    Raises:
      UserError: matplotlib is not installed.
    """
    require_matplotlib()
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(6.4, 3.8), dpi=150, layout="constrained")
    axes.axhline(0, color="0.75", linewidth=0.8, zorder=0)
    for (name, rows), (color, marker, line) in zip(runs.items(), cycle(STYLES), strict=False):
        points = [(row["step"], row["cid"]) for row in rows if row["kind"] == "cid"]
        steps, values = np.array(points).T
        axes.plot(
            steps, values, line, color=color, marker=marker, markersize=4, linewidth=1.5, label=name
        )
        axes.annotate(
            f"{values[-1]:.3f}",
            (steps[-1], values[-1]),
            xytext=(6, 0),
            textcoords="offset points",
            color=color,
            va="center",
            fontsize=8,
        )
    axes.set(xlabel="label steps", ylabel="CID (mean over probes)")
    axes.margins(x=0.08)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="lower left", bbox_to_anchor=(0, 1), ncols=3)
    figure.savefig(path)
    pyplot.close(figure)
