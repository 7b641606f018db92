"""Results and settings as JSON."""

import dataclasses
import json
import math
from pathlib import Path
from typing import Any

import numpy as np

from itune.utils.files import write_atomically


def to_jsonable(value: Any) -> Any:
    """Return a value as the dicts, lists, strings, numbers and None that strict JSON can hold.

    =============================  ===============================================================
    value                          result
    =============================  ===============================================================
    NamedTuple, dataclass          a dict of its fields
    dict                           a dict whose keys are strings: a group's is ``y=0 c=1``
    tuple, list, array             a list
    NaN and infinities             None
    NumPy scalar                   a number
    path                           a string
    half of a surrogate pair       U+FFFD, since no UTF-8 has it
    =============================  ===============================================================

    >>> from itune.groups import Group
    >>> to_jsonable({Group(0, 1): (np.float32(0.5), float("nan"))})
    {'y=0 c=1': [0.5, None]}
    """
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, Path):
        return to_jsonable(str(value))
    if isinstance(value, np.ndarray | np.generic):
        return to_jsonable(value.tolist())
    if isinstance(value, dict):
        return {to_jsonable(str(key)): to_jsonable(item) for key, item in value.items()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = [field.name for field in dataclasses.fields(value)]
        return {name: to_jsonable(getattr(value, name)) for name in names}
    if hasattr(value, "_asdict"):
        return to_jsonable(value._asdict())
    if isinstance(value, tuple | list):
        return [to_jsonable(item) for item in value]
    raise TypeError(f"JSON cannot hold a value of type {type(value).__name__}")


def write_json(path: Path, value: Any) -> None:
    """Write a value as indented JSON, as :func:`to_jsonable` makes it, whole or not at all.

    Args:
      path: The file to write; its folder must exist.
      value: Anything that :func:`to_jsonable` takes.

    Raises:
      OSError: The file cannot be written.
    """
    with write_atomically(Path(path)) as (temporary,):
        temporary.write_text(json.dumps(to_jsonable(value), indent=2) + "\n")
