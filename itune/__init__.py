"""Influence tuning: audit and demote spurious correlations with exact instance attribution."""

import importlib
from typing import Any

from itune.errors import UserError

__version__ = "0.2.0"

__all__ = [
    "TextClassifier",
    "UserError",
    "__version__",
    "attribution",
    "audit",
    "audit_number",
    "compare",
    "describe",
    "discover",
    "influence",
    "load",
    "tune",
    "use_devices",
]

_LAZY = {
    "TextClassifier": "itune.estimator",
    "audit": "itune.api",
    "audit_number": "itune.api",
    "compare": "itune.api",
    "describe": "itune.api",
    "discover": "itune.api",
    "load": "itune.predictor",
    "tune": "itune.api",
    "use_devices": "itune.utils.devices",
}
_PACKAGES = ("attribution", "influence")


def __getattr__(name: str) -> Any:
    """Imports what takes long to import when it is asked for."""
    if name in _PACKAGES:
        return importlib.import_module(f"itune.{name}")
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_LAZY[name]), name)


def __dir__() -> list[str]:
    """The public names."""
    return __all__
