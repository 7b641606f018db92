"""Influence tuning: audit and demote spurious correlations with exact instance attribution."""

from itune.errors import UserError

__version__ = "0.1.0"

__all__ = ["UserError", "__version__"]
