"""The splits of a data set."""

SPLITS = ("train", "dev", "test")
"""What each data set is split into, in this order."""
