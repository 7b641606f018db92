"""Tuning a classifier on a table of one's own, and comparing ways to."""

from itune.tuning.compare import compare, read_compared
from itune.tuning.compared import Compared, Difference, MethodResult
from itune.tuning.schedule import schedule
from itune.tuning.tune import scaled_settings, tune
from itune.tuning.tuned import GroupAccuracy, Moment, SplitAccuracy, Tuned, read_tuned, tuned_of
from itune.utils.formats import method_title

__all__ = [
    "GroupAccuracy",
    "Compared",
    "Difference",
    "MethodResult",
    "Moment",
    "SplitAccuracy",
    "Tuned",
    "compare",
    "method_title",
    "read_compared",
    "read_tuned",
    "scaled_settings",
    "schedule",
    "tune",
    "tuned_of",
]
