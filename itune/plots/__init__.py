"""Figures, drawn without a screen, and told apart without colour."""

from itune.plots.accuracies import plot_accuracies
from itune.plots.cid import plot_cid, plot_cid_over_seeds
from itune.plots.drawing import STYLES
from itune.plots.influences import plot_influences

__all__ = [
    "STYLES",
    "plot_accuracies",
    "plot_cid",
    "plot_cid_over_seeds",
    "plot_influences",
]
