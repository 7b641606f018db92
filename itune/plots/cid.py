"""CID against label steps, as the paper's Figure 3: a panel for each method."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from itune.plots.drawing import FIRST, LINE, SOFT, WIDTH, Plot
from itune.results import CIDEvaluation
from itune.utils.formats import method_title, signed
from itune.utils.visible import short

COLUMNS = 2
LEAST = 0.01
"""CID that every panel has room for, so that what rounds to 0 looks like 0."""

LISTED = 10
"""Evaluations that a description lists; of longer runs the first, the highest and the last."""

Histories = Sequence[Sequence[CIDEvaluation]]
"""The history of every run of one method."""


class _Point(NamedTuple):
    step: int
    cid: float
    note: str

    @property
    def is_before(self) -> bool:
        """Whether it is just before an influence round."""
        return self.note.startswith("before")


class _Panel(NamedTuple):
    title: str
    runs: list[list[_Point]]
    others: list[list[_Point]]
    published: float | None
    last_step: int

    @property
    def end(self) -> float:
        """CID at the end, mean over runs."""
        return float(np.mean([run[-1].cid for run in self.runs]))


def cid_plot(
    tasks: Mapping[str, Mapping[str, Histories]],
    *,
    published: Mapping[str, Mapping[str, float]] | None = None,
    columns: int = COLUMNS,
    width: float = WIDTH,
) -> Plot | None:
    """Return a plot of CID over training: every run of a method, and other methods faintly behind.

    The evaluations before and after an influence round stand at one step, so that a round shows as
    a vertical line, from a hollow mark to a full one. Where several runs were evaluated at the same
    steps, their mean stands out.

    Args:
      tasks: Histories of the runs by task and method; runs that measured nothing are left out.
      published: Published CID at the end by task and method key, a mark at the right edge.
      columns: Panels side by side, at most.
      width: Width in inches.

    Returns:
      The plot; None where nothing was measured.
    """
    rows = list(_rows(tasks, published or {}, columns))
    if not rows:
        return None
    panels = [panel for row in rows for panel in row if panel]
    columns = len(rows[0])

    def fill(axes: Sequence[Any]) -> None:
        for place, row in enumerate(rows):
            below = rows[place + 1] if place + 1 < len(rows) else [None] * columns
            for panel, under, ax in zip(row, below, axes[place * columns :], strict=False):
                if panel is None:
                    ax.set_axis_off()
                    continue
                _fill(ax, panel)
                is_last = under is None or under.last_step != panel.last_step
                ax.tick_params(labelbottom=is_last)
                ax.set_xlabel("label steps" if is_last else "")
            axes[place * columns].set_ylabel("CID")
        low, high = axes[0].get_ylim()  # all panels share it
        axes[0].set_ylim(min(low, -LEAST), max(high, LEAST))

    return Plot(
        fill,
        height=2.5 if len(panels) == 1 else 1.75 * len(rows) * width / WIDTH * 2 / columns,
        alt=" ".join(map(_description, panels)),
        caption=_caption(panels),
        rows=len(rows),
        columns=columns,
        width=width,
        share={"sharey": True},
    )


def _rows(
    tasks: Mapping[str, Mapping[str, Histories]],
    published: Mapping[str, Mapping[str, float]],
    columns: int,
) -> Iterator[list[_Panel | None]]:
    """Panels by row; each task begins a row, and the last one may be short."""
    measured = {
        task: {
            method: [points for run in runs if (points := _points(run))]
            for method, runs in methods.items()
        }
        for task, methods in tasks.items()
    }
    measured = {
        task: {method: runs for method, runs in methods.items() if runs}
        for task, methods in measured.items()
        if any(methods.values())
    }
    columns = min(columns, max(map(len, measured.values()), default=0))
    has_tasks = len(measured) > 1
    for task, methods in measured.items():
        last_step = max((run[-1].step for runs in methods.values() for run in runs), default=0)
        panels: list[_Panel | None] = [
            _Panel(
                title=f"{task}: " * has_tasks + method_title(method),
                runs=runs,
                others=[run for name, of in methods.items() if name != method for run in of],
                published=published.get(task, {}).get(method),
                last_step=last_step,
            )
            for method, runs in methods.items()
        ]
        for place in range(0, len(panels), columns):
            row = panels[place : place + columns]
            yield row + [None] * (columns - len(row))


def _points(history: Sequence[CIDEvaluation]) -> list[_Point]:
    """The evaluations that came to a number."""
    return [
        _Point(found.step, found.cid, found.note)
        for found in history
        if found.cid is not None and math.isfinite(found.cid)
    ]


def _fill(ax: Any, panel: _Panel) -> None:
    ax.axhline(0, color=SOFT, linewidth=0.7, zorder=0)
    for run in panel.others:
        ax.plot([p.step for p in run], [p.cid for p in run], color=LINE, linewidth=1, zorder=1)
    mean = _mean(panel.runs)
    for run in panel.runs if mean is None or len(panel.runs) > 1 else ():
        look = {"linewidth": 1.4} if mean is None else {"linewidth": 0.8, "alpha": 0.5}
        ax.plot([p.step for p in run], [p.cid for p in run], color=FIRST, zorder=2, **look)
    for run in panel.runs if mean is None else [mean]:
        ax.plot([p.step for p in run], [p.cid for p in run], color=FIRST, linewidth=1.4, zorder=2)
        for is_before, face in ((True, "none"), (False, FIRST)):
            points = [point for point in run if point.is_before == is_before]
            look = {"markersize": 4, "markerfacecolor": face, "color": FIRST, "zorder": 3}
            ax.plot([p.step for p in points], [p.cid for p in points], "o", **look)
    at_end = f"{signed(panel.end)} at the end"
    if panel.published is not None:
        at_end += f" (◇ paper {signed(panel.published)})"
        edge = {"transform": ax.get_yaxis_transform(), "clip_on": False, "zorder": 4}
        look = {"markerfacecolor": "none", "color": SOFT, "markersize": 5}
        ax.plot(1, panel.published, "D", **look, **edge)
    ax.set_title(short(panel.title, 26), loc="left", fontweight="bold", pad=16)
    place = {"xytext": (0, 4), "xycoords": "axes fraction", "textcoords": "offset points"}
    ax.annotate(at_end, (0, 1), **place)
    ax.set_xlim(-0.05 * panel.last_step, 1.05 * max(panel.last_step, 1))
    ax.locator_params(nbins=4)


def _mean(runs: Sequence[Sequence[_Point]]) -> list[_Point] | None:
    """The mean over runs; None where they were evaluated at different steps."""
    if len({tuple((p.step, p.note) for p in run) for run in runs}) > 1:
        return None
    means = np.mean([[point.cid for point in run] for run in runs], axis=0)
    return [point._replace(cid=float(cid)) for point, cid in zip(runs[0], means, strict=True)]


def _description(panel: _Panel) -> str:
    ends = ", ".join(signed(run[-1].cid) for run in panel.runs)
    if len(panel.runs) > 1:
        return f"{panel.title}: CID ends at {ends}, in the mean at {signed(panel.end)}."
    (run,) = panel.runs
    highest = max(run, key=lambda point: point.cid)
    points = run if len(run) <= LISTED else list(dict.fromkeys((run[0], highest, run[-1])))
    listed = ", ".join(
        f"{signed(point.cid)} at step {point.step}{f' ({point.note})' if point.note else ''}"
        for point in points
    )
    return f"{panel.title}: CID is {listed}."


def _caption(panels: Sequence[_Panel]) -> str:
    runs = [run for panel in panels for run in panel.runs]
    parts = ["CID over training, measured on the same training examples throughout."]
    if any(point.is_before for run in runs for point in run):
        parts.append(
            "An influence round takes it from a hollow mark straight down, or up, to a full one."
        )
    if len(panels) > 1:
        parts.append("The other methods stand faintly behind each.")
    if len(runs) > len(panels):
        parts.append("Thin lines are seeds, and the number is their mean at the end.")
    if any(panel.published is not None for panel in panels):
        parts.append("Diamonds at the right edge are published.")
    return " ".join(parts)
