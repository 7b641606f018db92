"""The format of ``result.json`` and ``metrics.jsonl``, and what earlier versions called things.

=======  ==========================================================================
version  what is new
=======  ==========================================================================
1        (no number was written)
2        groups of label and confound were called cells: ``cells``, ``worst_cell``
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
}
"""Keys of version 1 that version 2 calls otherwise."""


def upgraded(value: Any) -> Any:
    """What a file of any version says, with the keys of :data:`FORMAT`.

    Args:
      value: a JSON value, such as the contents of ``result.json`` or a row of ``metrics.jsonl``.

    >>> upgraded({"test": {"accuracy": 0.9, "cells": {"y=0 c=1": 0.5}, "worst_cell": "y=0 c=1"}})
    {'test': {'accuracy': 0.9, 'groups': {'y=0 c=1': 0.5}, 'worst_group': 'y=0 c=1'}}
    """
    if isinstance(value, Mapping):
        return {_NEW_NAMES.get(key, key): upgraded(item) for key, item in value.items()}
    return [upgraded(item) for item in value] if isinstance(value, list) else value
