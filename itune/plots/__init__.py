"""Plots, drawn without a screen, and told apart without colour."""

from itune.plots.accuracies import accuracy_plot
from itune.plots.cid import cid_plot
from itune.plots.dev import dev_plot
from itune.plots.drawing import STYLES, Plot
from itune.plots.influences import (
    Influences,
    influence_plot,
    influences_by_label,
    influences_on_probe,
)

__all__ = [
    "STYLES",
    "Influences",
    "Plot",
    "accuracy_plot",
    "cid_plot",
    "dev_plot",
    "influence_plot",
    "influences_by_label",
    "influences_on_probe",
]
