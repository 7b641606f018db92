"""CID against label steps, a panel for each method."""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from itune.report.blocks import Figure
from itune.report.drawing import FIRST, LINE, SOFT, draw
from itune.report.text import short
from itune.results import CIDEvaluation
from itune.utils.formats import signed

COLUMNS = 2
LEAST = 0.01
"""CID that every panel has room for."""

TOLD = 10
"""Points of a run that its description lists; of longer runs the first, the highest, the last."""


def cid_figure(methods: Mapping[str, Sequence[Sequence[CIDEvaluation]]]) -> Figure | None:
    """Draws every run of each method; the other methods stand faintly behind it.

    The measurements before and after an influence round stand at one step, so that a round shows
    as a vertical line, from a hollow mark to a full one.

    Args:
      methods: by name the moments of each run; runs that measured nothing are left out.

    Returns:
      The figure; None where nothing was measured.
    """
    measured = {name: [_points(run) for run in runs] for name, runs in methods.items()}
    measured = {name: [run for run in runs if run] for name, runs in measured.items()}
    measured = {name: runs for name, runs in measured.items() if runs}
    if not measured:
        return None
    columns = min(len(measured), COLUMNS)
    rows = math.ceil(len(measured) / columns)

    def fill(axes):
        for panel, name in zip(axes, measured, strict=False):
            _fill(panel, name, measured)
        for panel in axes[len(measured) :]:
            panel.set_axis_off()
        for panel in axes[: len(measured)][-columns:]:
            panel.set_xlabel("label steps")
            panel.tick_params(labelbottom=True)
        for panel in axes[::columns]:
            panel.set_ylabel("CID")

    height = 2.5 if rows == columns == 1 else 1.75
    svg = draw(fill, rows=rows, columns=columns, height=height, sharex=True, sharey=True)
    return Figure(svg, " ".join(_told(*item) for item in measured.items()), _caption(measured))


def _points(moments: Sequence[CIDEvaluation]) -> list[tuple[int, float, str]]:
    """Step, CID and note of every measurement that came to a number."""
    return [(m.step, m.cid, m.note) for m in moments if m.cid is not None and math.isfinite(m.cid)]


def _is_before(note: str) -> bool:
    return note.startswith("before")


def _fill(panel, name: str, measured) -> None:
    panel.axhline(0, color=SOFT, linewidth=0.7, zorder=0)
    for other, runs in measured.items():
        for run in runs if other != name else ():
            steps, values, _ = zip(*run, strict=True)
            panel.plot(steps, values, color=LINE, linewidth=1, zorder=1)
    for run in measured[name]:
        steps, values, notes = zip(*run, strict=True)
        panel.plot(steps, values, color=FIRST, linewidth=1.4, zorder=2)
        for is_before, face in ((True, "none"), (False, FIRST)):
            places = [place for place, note in enumerate(notes) if _is_before(note) == is_before]
            chosen = np.array(steps)[places], np.array(values)[places]
            look = {"markersize": 4, "markerfacecolor": face, "color": FIRST, "zorder": 3}
            panel.plot(*chosen, "o", **look)
    panel.set_title(short(name, 26), loc="left", fontweight="bold", pad=16, parse_math=False)
    panel.annotate(
        f"{signed(_end(measured[name]))} at the end",
        (0, 1),
        xytext=(0, 4),
        xycoords="axes fraction",
        textcoords="offset points",
    )
    panel.margins(x=0.05)
    low, high = panel.get_ylim()
    panel.set_ylim(min(low, -LEAST), max(high, LEAST))  # what rounds to 0 looks like 0
    panel.locator_params(nbins=4)


def _end(runs) -> float:
    """CID at the end, mean over runs."""
    return float(np.mean([run[-1][1] for run in runs]))


def _told(name: str, runs) -> str:
    ends = ", ".join(signed(run[-1][1]) for run in runs)
    if len(runs) > 1:
        return f"{name}: CID ends at {ends}, in the mean at {signed(_end(runs))}."
    (run,) = runs
    highest = max(run, key=lambda point: point[1])
    points = run if len(run) <= TOLD else list(dict.fromkeys((run[0], highest, run[-1])))
    listed = ", ".join(
        f"{signed(value)} at step {step}{f' ({note})' if note else ''}"
        for step, value, note in points
    )
    return f"{name}: CID is {listed}."


def _caption(measured) -> str:
    has_rounds = any(
        _is_before(note) for runs in measured.values() for run in runs for *_, note in run
    )
    parts = ["CID over training, measured on the same training examples throughout."]
    if has_rounds:
        parts.append(
            "An influence round takes it from a hollow mark straight down, or up, to a full one."
        )
    if len(measured) > 1:
        parts.append("The other methods stand faintly behind each.")
    if any(len(runs) > 1 for runs in measured.values()):
        parts.append("A line for each seed; the number is the mean at the end.")
    return " ".join(parts)
