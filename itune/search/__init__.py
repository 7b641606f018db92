"""Hyperparameter search: a grid, a study that many workers share, and a report."""

from itune.search.grids import GRIDS, load_grid
from itune.search.report import make_report
from itune.search.study import Study, open_study
from itune.search.worker import SEARCH, Plan, make_plan, work

__all__ = [
    "SEARCH",
    "GRIDS",
    "Plan",
    "Study",
    "load_grid",
    "make_plan",
    "make_report",
    "open_study",
    "work",
]
