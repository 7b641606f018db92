"""Hyperparameter search: a grid, a study that many workers share, and a report."""

from itune.search.grids import grid_methods, load_grid
from itune.search.plan import SearchPlan, plan_search
from itune.search.report import make_report
from itune.search.study import PointStatus, Study, open_study
from itune.search.worker import SEARCH, work

__all__ = [
    "SEARCH",
    "PointStatus",
    "SearchPlan",
    "Study",
    "grid_methods",
    "load_grid",
    "make_report",
    "open_study",
    "plan_search",
    "work",
]
