"""Influence tuning: audit and demote spurious correlations with exact instance attribution."""

import importlib
from typing import Any

from itune.errors import UserError

__version__ = "0.1.0"

__all__ = ["TextClassifier", "UserError", "__version__", "load"]

_LAZY = {"TextClassifier": "itune.estimator", "load": "itune.predictor"}


def __getattr__(name: str) -> Any:
    """What takes long to import, when it is asked for."""
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_LAZY[name]), name)
