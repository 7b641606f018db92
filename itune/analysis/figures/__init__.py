"""Figures, drawn without a screen, and told apart without colour."""

from itune.analysis.figures.accuracies import plot_accuracies
from itune.analysis.figures.cid import plot_cid, plot_cid_over_seeds
from itune.analysis.figures.drawing import STYLES, require_matplotlib
from itune.analysis.figures.influences import plot_influences

__all__ = [
    "STYLES",
    "plot_accuracies",
    "plot_cid",
    "plot_cid_over_seeds",
    "plot_influences",
    "require_matplotlib",
]
