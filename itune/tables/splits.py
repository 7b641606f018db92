"""The splits of a data set."""

SPLITS = ("train", "dev", "test")
"""Names of the parts that each data set is split into, in order."""
