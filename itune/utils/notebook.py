"""Results shown in notebooks."""

import importlib
from typing import Any


def html_of(result: Any) -> str:
    """Return what a notebook shows of a result; by name, since results do not import reports."""
    return importlib.import_module("itune.report.notebook").fragment(result)
