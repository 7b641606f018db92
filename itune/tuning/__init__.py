"""Tuning a classifier on a table, and comparing methods on it."""

from itune.tuning.schedule import schedule
from itune.tuning.tune import scaled_settings

__all__ = ["scaled_settings", "schedule"]
