"""Results shown in notebooks."""

import importlib
from typing import Any


def html_of(result: Any) -> str:
    """Return what a notebook shows of a result.

    The report is imported by name, when it is asked for: it stands above the results that it shows,
    which must not depend on it.

    Args:
      result: What :func:`itune.describe`, :func:`itune.audit`, :func:`itune.tune` or
        :func:`itune.compare` return.
    """
    return importlib.import_module("itune.report").fragment(result)
