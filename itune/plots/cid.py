"""CID against label steps, as the paper's Figure 3."""

import math
from collections.abc import Mapping, Sequence
from itertools import cycle
from pathlib import Path

import numpy as np

from itune.errors import UserError
from itune.plots.drawing import STYLES, panels
from itune.results import CIDEvaluation

History = Sequence[CIDEvaluation]


def plot_cid(runs: Mapping[str, History], path: Path) -> None:
    """Draws CID against label steps, one line a run.

    The two measurements around an influence round stand at the same step, so that a round shows as
    a vertical drop.

    Args:
      runs: for each run's name the rows of its ``metrics.jsonl``.
      path: the PNG (or SVG, PDF) to write.
    """
    with panels([path], size=(6.4, 3.8)) as (axes,):
        for (name, rows), (color, marker, line) in zip(runs.items(), cycle(STYLES), strict=False):
            steps, values = _points(rows)
            style = {"color": color, "marker": marker, "markersize": 4, "linewidth": 1.5}
            axes.plot(steps, values, line, label=name, **style)
            axes.annotate(
                f"{values[-1]:.3f}",
                (steps[-1], values[-1]),
                xytext=(6, 0),
                textcoords="offset points",
                color=color,
                va="center",
                fontsize=8,
            )
        _label(axes)
        axes.margins(x=0.08)
        axes.legend(frameon=False, loc="lower left", bbox_to_anchor=(0, 1), ncols=3)


def plot_cid_over_seeds(
    tasks: Mapping[str, Mapping[str, Sequence[History]]],
    paths: Sequence[Path],
    *,
    published: Mapping[str, Mapping[str, float]],
) -> None:
    """Draws the mean CID of each method's runs against label steps, each run faintly behind it.

    A panel for each task. Final values stand in the legend; hollow marks at the right edge are
    published ones.

    Args:
      tasks: by task and method the rows of every run; a method's runs were measured at one series
        of steps.
      paths: the files to write.
      published: by task and method a final CID, where there is one.

    Raises:
      UserError: the runs of a method were measured at different steps.
    """
    with panels(paths, columns=len(tasks), size=(6.4, 4.2)) as axes:
        for panel, (task, methods) in zip(axes, tasks.items(), strict=True):
            for (method, runs), style in zip(methods.items(), cycle(STYLES), strict=False):
                _plot_method(panel, method, runs, style, published.get(task, {}).get(method))
            _label(panel)
            panel.margins(x=0.03)
            title = f"{task}: CID at the end" + "; hollow: paper" * (task in published)
            panel.legend(frameon=False, loc="upper right", fontsize=9, title=title)


def _plot_method(
    axes, method: str, runs: Sequence[History], style, published: float | None
) -> None:
    color, marker, line = style
    series = [_points(rows) for rows in runs]
    steps = series[0][0]
    if any(not np.array_equal(steps, other) for other, _ in series):
        raise UserError(
            f"runs of {method} were measured at different steps; draw runs of one configuration"
        )
    values = np.array([values for _, values in series])
    mean = values.mean(axis=0)
    name = f"{method.replace('_', ' ')}: {mean[-1]:.3f}"
    if published is not None:
        name += f" (paper {published:.3f})"
        hollow = {"markerfacecolor": "white", "clip_on": False, "zorder": 5}
        edge = axes.get_yaxis_transform()  # x in axes' widths, y in data
        axes.plot(1, published, marker, color=color, transform=edge, **hollow)
    for one in values if len(values) > 1 else ():
        axes.plot(steps, one, line, color=color, linewidth=0.7, alpha=0.35)
    look = {"color": color, "marker": marker, "markersize": 4, "linewidth": 1.6}
    axes.plot(steps, mean, line, label=name, **look)


def _points(history: History) -> tuple[np.ndarray, np.ndarray]:
    """Steps and values of the evaluations, in order."""
    values = [math.nan if found.cid is None else found.cid for found in history]
    return np.array([found.step for found in history]), np.array(values)


def _label(axes) -> None:
    axes.axhline(0, color="0.75", linewidth=0.8, zorder=0)
    axes.set(xlabel="label steps", ylabel="CID (mean over probes)")
