"""Accuracies of several methods, every seed a dot."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from itune.metrics.statistics import summarise
from itune.plots.drawing import STYLES, panels

Sources = Mapping[str, Sequence[float]]
"""Values by where they come from, such as here and the paper."""


def plot_accuracies(
    tasks: Mapping[str, Mapping[str, Sources]], paths: Sequence[Path], *, label: str
) -> None:
    """Draws a panel for each task, a line for each method, a dot for each value, a bar for means.

    The first source is drawn in full marks, further ones in hollow marks below it.

    Args:
      tasks: values by task, method and source.
      paths: the files to write.
      label: what the values are, and their unit.
    """
    longest = max(len(methods) for methods in tasks.values())
    size = (4.8, 1.3 + 0.5 * longest)
    with panels(paths, columns=len(tasks), size=size) as axes:
        for panel, (task, methods) in zip(axes, tasks.items(), strict=True):
            for line, sources in enumerate(methods.values()):
                _plot_line(panel, line, sources)
            names = [method.replace("_", " ") for method in methods]
            panel.set_yticks(range(len(names)), names)
            panel.tick_params(axis="y", length=0)
            panel.set(title=task, xlabel=label, ylim=(len(names) - 0.4, -0.6))
            panel.grid(axis="x", color="0.9", linewidth=0.8)
            panel.set_axisbelow(True)
        _add_legend(axes)


def _plot_line(axes, line: int, sources: Sources) -> None:
    places = enumerate(zip(sources.items(), STYLES, strict=False))
    for number, ((source, values), (color, marker, _)) in places:
        if not len(values):
            continue
        y = line + 0.32 * (number - 0.5 * (len(sources) - 1))
        look = {"color": color, "markerfacecolor": color if number == 0 else "none", "alpha": 0.75}
        axes.plot(values, [y] * len(values), marker, markersize=6, label=source, **look)
        mean = summarise(values).mean
        axes.plot([mean, mean], [y - 0.15, y + 0.15], color=color, linewidth=2.2)


def _add_legend(axes: Sequence) -> None:
    """One legend for all panels, below them."""
    marks: dict = {}
    for panel in axes:
        for mark, source in zip(*panel.get_legend_handles_labels(), strict=True):
            marks.setdefault(source, mark)
    axes[0].figure.legend(
        marks.values(),
        marks.keys(),
        frameon=False,
        loc="outside lower center",
        ncols=len(marks),
        title="each mark a seed, bars their means",
        title_fontsize=9,
    )
