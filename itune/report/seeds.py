"""Accuracies of several methods, a mark for each seed."""

from collections.abc import Mapping, Sequence

from itune.metrics.statistics import summarise
from itune.report.blocks import Figure
from itune.report.drawing import FIRST, INK, LINE, SECOND, draw
from itune.report.text import short

LOOKS = (("group-balanced accuracy", SECOND, "o", SECOND), ("worst group", FIRST, "D", "none"))


def seeds_figure(methods: Mapping[str, Sequence[Sequence[float]]]) -> Figure:
    """Draws two lines of marks for each method, with bars and numbers for their means.

    Args:
      methods: by name, for every seed the group-balanced accuracy, and for every seed the worst
        group.
    """

    def fill(axes):
        (panel,) = axes
        for row, (name, of_method) in enumerate(methods.items()):
            panel.axhline(row - 0.5, color=LINE, linewidth=0.7)
            text = {"transform": panel.get_yaxis_transform(), "va": "center", "parse_math": False}
            panel.text(0, row - 0.3, short(name), fontweight="bold", **text)
            places = zip(of_method, LOOKS, (-0.02, 0.26), strict=True)
            for values, (label, colour, marker, face), lower in places:
                y, mean = row + lower, summarise(values).mean
                look = {"color": colour, "markerfacecolor": face, "markersize": 5, "clip_on": False}
                key = label if row == 0 else None
                panel.plot(values, [y] * len(values), marker, label=key, **look)
                if len(values) > 1:
                    panel.plot([mean, mean], [y - 0.12, y + 0.12], color=INK, linewidth=1.8)
                panel.text(1.03, y, f"{mean:.3f}", **text)
        panel.set(xlabel="accuracy on test", ylim=(len(methods) - 0.5, -0.5), yticks=[])
        panel.spines["left"].set_visible(False)
        panel.margins(x=0.06)
        panel.legend(
            frameon=False, ncols=2, loc="lower left", bbox_to_anchor=(-0.03, 1), borderpad=0
        )

    caption = (
        "A mark for each seed; bars and numbers are their means. Group-balanced accuracy: the "
        "accuracy if all groups were of equal size, so that the confound says nothing."
    )
    svg = draw(fill, height=0.7 + 0.52 * len(methods))
    return Figure(svg, " ".join(_told(*item) for item in methods.items()), caption)


def _told(name: str, of_method: Sequence[Sequence[float]]) -> str:
    parts = (
        f"{label} {summarise(values).mean:.3f} ({', '.join(f'{v:.3f}' for v in values)})"
        for values, (label, *_) in zip(of_method, LOOKS, strict=True)
    )
    return f"{name}: {', '.join(parts)}."
