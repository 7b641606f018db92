"""The format of a run's files, and what earlier versions called things.

The files are ``result.json``, ``metrics.jsonl`` and the metadata of checkpoints.

=======  ==========================================================================
version  what is new
=======  ==========================================================================
1        (no number was written)
2        ``groups`` and ``worst_group`` (before: ``cells``, ``worst_cell``);
         ``metrics_bytes`` of a checkpoint (before: ``record_bytes``)
=======  ==========================================================================
"""

from collections.abc import Mapping
from typing import Any

FORMAT = 2
"""Version that is written, as ``format`` of ``result.json``."""

_NEW_NAMES = {
    f"{prefix}{old}": f"{prefix}{new}"
    for prefix in ("", "dev_")
    for old, new in {
        "cells": "groups",
        "worst_cell": "worst_group",
        "worst_cell_accuracy": "worst_group_accuracy",
    }.items()
} | {"record_bytes": "metrics_bytes"}
"""New names of keys of version 1."""


def upgrade(value: Any) -> Any:
    """Return the contents of a file of any version with the keys of :data:`FORMAT`.

    Args:
      value: A JSON value, such as the contents of ``result.json`` or a row of ``metrics.jsonl``.

    >>> upgrade({"test": {"accuracy": 0.9, "cells": {"y=0 c=1": 0.5}, "worst_cell": "y=0 c=1"}})
    {'test': {'accuracy': 0.9, 'groups': {'y=0 c=1': 0.5}, 'worst_group': 'y=0 c=1'}}
    """
    if isinstance(value, Mapping):
        return {_NEW_NAMES.get(key, key): upgrade(item) for key, item in value.items()}
    return [upgrade(item) for item in value] if isinstance(value, list) else value
