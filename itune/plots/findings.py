"""Candidates that a model may lean on: how far it uses each, against where it errs."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from itune.plots.drawing import FIRST, INK, SECOND, SOFT, Plot
from itune.utils.formats import percent, signed
from itune.utils.visible import short

PLACES = (((6, 4), "left"), ((6, -12), "left"), ((-6, 4), "right"), ((-6, -12), "right"))
"""Places of a name beside its mark, in points, and which of its ends is there."""

NAMED = 6
"""Candidates whose names stand beside their marks."""

LARGEST = 180
"""Area of the mark of the candidate with the most rows, in square points."""


class Mark(NamedTuple):
    """One candidate.

    Attributes:
      name: What it is called.
      cid: CID of the feature; NaN leaves it out.
      gap: Errors against its usual label less errors elsewhere, as a fraction; NaN leaves it out.
      rows: Number of rows that have it.
      kind: ``harmful``, ``used`` or ``unconfirmed``.
    """

    name: str
    cid: float
    gap: float
    rows: int
    kind: str


LOOKS = {
    "harmful": {"marker": "o", "color": FIRST},
    "used": {"marker": "s", "color": SECOND},
    "unconfirmed": {"marker": "D", "color": SOFT, "facecolors": "none"},
}
"""Mark and colour of each kind, to be told apart without colour too."""


def findings_plot(marks: Sequence[Mark]) -> Plot | None:
    """Return a plot of CID against the gap of errors; None where nothing has both.

    Args:
      marks: The candidates, in order; the first few that are used are named.

    Returns:
      The plot. Marks are the larger, the more rows have the feature.
    """
    shown = [mark for mark in marks if math.isfinite(mark.cid) and math.isfinite(mark.gap)]
    if not shown:
        return None
    most = max(mark.rows for mark in shown)

    def fill(axes: Sequence[Any]) -> None:
        ax = axes[0]
        for line in (ax.axhline, ax.axvline):
            line(0, color=SOFT, linewidth=0.7, zorder=0)
        for mark in reversed(shown):
            size = max(LARGEST * mark.rows / most, 8)
            ax.scatter(mark.cid, 100 * mark.gap, s=size, alpha=0.8, **LOOKS[mark.kind])
        ax.margins(0.15)
        ax.set_xlabel("CID: how far it is used")
        ax.set_ylabel("more errors against it, points")
        _name(ax, [mark for mark in shown if mark.kind != "unconfirmed"][:NAMED])

    described = "; ".join(
        f"{mark.name}: CID {signed(mark.cid)}, gap {percent(mark.gap)}, {mark.rows:,} rows, "
        f"{mark.kind}"
        for mark in shown[:NAMED]
    )
    return Plot(
        fill,
        height=3.0,
        alt=f"CID and gap of errors of {len(shown)} candidates. {described}.",
        caption=(
            "Each mark is a candidate: a circle where it is used and harms, a square where it is "
            "used, an open diamond where that is not confirmed. Larger marks have more rows. To "
            "the right the model uses it more; further up it errs more on rows that have it and "
            "another label than it speaks for."
        ),
    )


def _name(ax: Any, marks: Sequence[Mark]) -> None:
    """Write names beside marks, each where it is upon no other; leave out those without a place."""
    ax.figure.draw_without_rendering()  # which settles where the axes are
    taken: list[Any] = []
    for mark in marks:
        for offset, end in PLACES:
            text = ax.annotate(
                short(mark.name, 24),
                (mark.cid, 100 * mark.gap),
                xytext=offset,
                textcoords="offset points",
                ha=end,
                color=INK,
                fontsize=8,
            )
            box = text.get_window_extent()
            if not any(box.overlaps(other) for other in taken):
                taken.append(box)
                break
            text.remove()
