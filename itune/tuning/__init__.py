"""Tuning a classifier on a table, and comparing methods on it."""

from itune.tuning.compare import compare_on
from itune.tuning.schedule import schedule
from itune.tuning.tune import scaled_settings, tune_on

__all__ = ["compare_on", "scaled_settings", "schedule", "tune_on"]
