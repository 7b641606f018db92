"""Results shown in notebooks."""

import importlib
from typing import Any


def html_of(result: Any) -> str:
    """Return what a notebook shows of a result.

    The report package is imported by name and only when needed, because results must not depend on
    the reports that show them.
    """
    return importlib.import_module("itune.report.notebook").fragment(result)
