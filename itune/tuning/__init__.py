"""Tuning a classifier on a table of one's own, and comparing ways to."""

from itune.tuning.compare import compare, read_compared
from itune.tuning.compared import Compared, Difference, MethodResult
from itune.tuning.schedule import schedule
from itune.tuning.tune import scaled_settings, tune
from itune.tuning.tuned import (
    CellAccuracy,
    Moment,
    SplitAccuracy,
    Tuned,
    in_words,
    read_tuned,
    tuned_of,
)

__all__ = [
    "CellAccuracy",
    "Compared",
    "Difference",
    "MethodResult",
    "Moment",
    "SplitAccuracy",
    "Tuned",
    "compare",
    "in_words",
    "read_compared",
    "read_tuned",
    "scaled_settings",
    "schedule",
    "tune",
    "tuned_of",
]
