"""Hyperparameter search: a grid, a study that many workers share, and a report."""

from itune.search.grids import load_grid
from itune.search.plan import plan_search
from itune.search.report import make_report
from itune.search.study import open_study
from itune.search.worker import SEARCH, work

__all__ = ["SEARCH", "load_grid", "make_report", "open_study", "plan_search", "work"]
