"""The format of a run's files, and what earlier versions called things.

Version 2 has ``groups`` and ``worst_group`` for ``cells`` and ``worst_cell``, and ``metrics_bytes``
for ``record_bytes`` in the metadata of checkpoints; version 1 wrote no number.
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
    """Return a JSON value of a run's file, of any version, with the keys of :data:`FORMAT`.

    >>> upgrade({"test": {"accuracy": 0.9, "cells": {"y=0 c=1": 0.5}, "worst_cell": "y=0 c=1"}})
    {'test': {'accuracy': 0.9, 'groups': {'y=0 c=1': 0.5}, 'worst_group': 'y=0 c=1'}}
    """
    if isinstance(value, Mapping):
        return {_NEW_NAMES.get(key, key): upgrade(item) for key, item in value.items()}
    return [upgrade(item) for item in value] if isinstance(value, list) else value
