"""Accuracy on dev against label steps."""

from collections.abc import Sequence
from typing import Any

from itune.plots.drawing import FIRST, INK, SECOND, SOFT, Plot
from itune.results import DevEvaluation
from itune.training.best_checkpoint import BestCheckpoint

LOOKS = {"all rows": (SECOND, "s", "-"), "worst group": (FIRST, "^", "--")}


def dev_plot(history: Sequence[DevEvaluation], best: BestCheckpoint | None) -> Plot | None:
    """Return a plot of the accuracy on dev over training, the best checkpoint marked.

    None for fewer than two evaluations.
    """
    if len(history) < 2:
        return None
    steps = [found.step for found in history]
    lines = {"all rows": [found.accuracy.accuracy for found in history]}
    worst = [found.accuracy.worst for found in history]
    if all(worst):
        lines["worst group"] = [group.accuracy for group in worst if group]

    def fill(axes: Sequence[Any]) -> None:
        (ax,) = axes
        for name, values in lines.items():
            colour, marker, line = LOOKS[name]
            look = {"color": colour, "marker": marker, "markersize": 4, "linewidth": 1.4}
            ax.plot(steps, values, line, label=f"{name}: {values[-1]:.3f} at the end", **look)
        if best:
            ax.axvline(best.step, color=SOFT, linewidth=1, linestyle=":")
            place = {"xy": (best.step, 1), "xycoords": ("data", "axes fraction"), "va": "top"}
            offset = {"xytext": (3, -1), "textcoords": "offset points"}
            ax.annotate("best checkpoint", **place, **offset, color=INK)
        ax.set(xlabel="label steps", ylabel="accuracy on dev")
        ax.margins(x=0.04, y=0.15)
        ax.legend(frameon=False, loc="lower left", bbox_to_anchor=(-0.02, 1), borderpad=0)

    alt = " ".join(
        f"Accuracy of {name} on dev: {_listed(steps, values)}." for name, values in lines.items()
    )
    caption = "Accuracy on dev over training."
    if best:
        alt += f" The model is from step {best.step} ({best.note})."
        caption += f" The dotted line is the evaluation that gave the model, {best.note}."
    return Plot(fill, height=2.6, alt=alt, caption=caption)


def _listed(steps: Sequence[int], values: Sequence[float]) -> str:
    """The ends and extremes, in order of steps."""
    places = {0, len(values) - 1, values.index(min(values)), values.index(max(values))}
    return ", ".join(f"{values[place]:.3f} at step {steps[place]}" for place in sorted(places))
