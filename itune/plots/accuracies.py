"""Accuracies of several methods, a mark for each seed."""

from collections.abc import Mapping, Sequence
from typing import Any

from itune.metrics.statistics import summarise
from itune.plots.drawing import FIRST, INK, LINE, SECOND, WIDTH, Plot
from itune.utils.formats import method_title
from itune.utils.visible import short

LOOKS = ((SECOND, "o", SECOND), (FIRST, "D", "none"))
"""Colour, marker and its face of the two series of a method."""

Series = Mapping[str, Sequence[float]]
"""Values of a method by what they are, two series at most; empty ones are not drawn."""


def accuracy_plot(
    tasks: Mapping[str, Mapping[str, Series]],
    *,
    label: str,
    digits: int = 3,
    caption: str = "",
    width: float = WIDTH,
) -> Plot:
    """Return a plot with two lines of marks for each method, with bars and numbers for their means.

    Args:
      tasks: Values by task, method and series; a panel for each task.
      label: What the values are, and their unit.
      digits: Digits of the means after the point.
      caption: What to add to the caption.
      width: Width in inches.
    """
    methods = max(map(len, tasks.values()))

    def fill(axes: Sequence[Any]) -> None:
        for ax, (task, of_task) in zip(axes, tasks.items(), strict=True):
            _fill(ax, of_task, digits)
            ax.set(xlabel=label, ylim=(methods - 0.5, -0.5), yticks=[])
            if len(tasks) > 1:
                ax.set_title(short(task), loc="left", fontweight="bold")
        _add_legend(axes)

    return Plot(
        fill,
        height=0.8 + 0.52 * methods + 0.2 * (len(tasks) > 1),
        alt=" ".join(
            _description(task if len(tasks) > 1 else "", method, series, digits)
            for task, of_task in tasks.items()
            for method, series in of_task.items()
        ),
        caption=f"A mark for each seed; bars and numbers are their means. {caption}".rstrip(),
        columns=len(tasks),
        width=width,
    )


def _fill(ax: Any, methods: Mapping[str, Series], digits: int) -> None:
    text = {"transform": ax.get_yaxis_transform(), "va": "center"}
    for row, (method, series) in enumerate(methods.items()):
        ax.axhline(row - 0.5, color=LINE, linewidth=0.7)
        ax.text(0, row - 0.3, short(method_title(method)), fontweight="bold", **text)
        for (label, values), look, below in zip(series.items(), LOOKS, (-0.02, 0.26), strict=False):
            if len(values):
                _draw_seeds(ax, row + below, values, look, label)
                ax.text(1.03, row + below, f"{summarise(values).mean:.{digits}f}", **text)
    ax.spines["left"].set_visible(False)
    ax.margins(x=0.06)


def _draw_seeds(
    ax: Any, y: float, values: Sequence[float], look: tuple[str, str, str], label: str
) -> None:
    colour, marker, face = look
    mean = summarise(values).mean
    style = {"color": colour, "markerfacecolor": face, "markersize": 5, "clip_on": False}
    ax.plot(values, [y] * len(values), marker, label=label, **style)
    if len(values) > 1:
        ax.plot([mean] * 2, [y - 0.12, y + 0.12], color=INK, linewidth=1.8)


def _add_legend(axes: Sequence[Any]) -> None:
    """One legend for all panels, above the first."""
    from matplotlib.lines import Line2D

    marks: dict[str, Any] = {}
    for ax in axes:
        for mark, label in zip(*ax.get_legend_handles_labels(), strict=True):
            marks.setdefault(label, mark)
    marks["mean"] = Line2D([], [], color=INK, marker="|", linestyle="", markeredgewidth=1.8)
    place = {"loc": "outside upper left", "borderpad": 0, "handletextpad": 0, "columnspacing": 1}
    axes[0].figure.legend(marks.values(), marks.keys(), frameon=False, ncols=3, **place)


def _description(task: str, method: str, series: Series, digits: int) -> str:
    parts = (
        f"{label} {summarise(values).mean:.{digits}f} "
        f"({', '.join(f'{value:.{digits}f}' for value in values)})"
        for label, values in series.items()
        if len(values)
    )
    return f"{f'{task}, ' if task else ''}{method_title(method)}: {', '.join(parts)}."
