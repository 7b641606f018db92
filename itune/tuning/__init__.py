"""Tuning a classifier on a table, and comparing methods on it."""

from itune.tuning.compare import compare
from itune.tuning.schedule import schedule
from itune.tuning.tune import scaled_settings, tune

__all__ = ["compare", "scaled_settings", "schedule", "tune"]
