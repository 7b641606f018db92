"""Accuracy on dev against label steps."""

from collections.abc import Sequence

from itune.report.blocks import Figure
from itune.report.drawing import FIRST, INK, SECOND, SOFT, draw
from itune.results import DevEvaluation
from itune.training.best_checkpoint import BestCheckpoint

LOOKS = {"all rows": (SECOND, "s", "-"), "worst group": (FIRST, "^", "--")}


def course_figure(
    course: Sequence[DevEvaluation], selected: BestCheckpoint | None
) -> Figure | None:
    """Accuracy of all rows, and of the worst group; the moment that gave the model stands out.

    Args:
      course: step, note and accuracies of each measurement.
      selected: the moment that was chosen; None for the last.

    Returns:
      The figure; None for fewer than two measurements.
    """
    if len(course) < 2:
        return None
    steps = [found.step for found in course]
    lines = {"all rows": [found.accuracy.accuracy for found in course]}
    if all(found.accuracy.worst for found in course):
        lines["worst group"] = [found.accuracy.worst.accuracy for found in course]

    def fill(axes):
        (panel,) = axes
        for (name, values), (colour, marker, line) in zip(
            lines.items(), LOOKS.values(), strict=False
        ):
            look = {"color": colour, "marker": marker, "markersize": 4, "linewidth": 1.4}
            panel.plot(steps, values, line, label=f"{name}: {values[-1]:.3f} at the end", **look)
        if selected:
            panel.axvline(selected.step, color=SOFT, linewidth=1, linestyle=":")
            place = {"xy": (selected.step, 1), "xycoords": ("data", "axes fraction")}
            panel.annotate(
                "selected", **place, xytext=(3, -1), textcoords="offset points", va="top", color=INK
            )
        panel.set(xlabel="label steps", ylabel="accuracy on dev")
        panel.margins(x=0.04, y=0.15)
        panel.legend(frameon=False, loc="lower left", bbox_to_anchor=(-0.02, 1), borderpad=0)

    told = " ".join(
        f"Accuracy of {name} on dev: {_listed(steps, values)}." for name, values in lines.items()
    )
    chosen = f" The model is from step {selected.step} ({selected.note})." if selected else ""
    caption = "Accuracy on dev over training."
    if selected:
        caption += f" The dotted line is the moment that gave the model, {selected.note}."
    return Figure(draw(fill, height=2.6), told + chosen, caption)


def _listed(steps: Sequence[int], values: Sequence[float]) -> str:
    """The ends and extremes, in order of steps."""
    places = {0, len(values) - 1, values.index(min(values)), values.index(max(values))}
    return ", ".join(f"{values[place]:.3f} at step {steps[place]}" for place in sorted(places))
