"""Tuning a classifier on a table, and comparing methods on it."""

from itune.tuning.schedule import schedule

__all__ = ["schedule"]
