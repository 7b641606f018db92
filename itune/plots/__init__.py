"""Plots, drawn without a screen, and told apart without colour."""

from itune.plots.accuracies import accuracy_plot
from itune.plots.cid import cid_plot
from itune.plots.drawing import STYLES, Plot
from itune.plots.findings import findings_plot
from itune.plots.influences import influence_plot, influences_on_probe

__all__ = [
    "STYLES",
    "Plot",
    "accuracy_plot",
    "cid_plot",
    "findings_plot",
    "influence_plot",
    "influences_on_probe",
]
