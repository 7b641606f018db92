"""Number labels and confounds from 0, as people write them (NumPy and Arrow)."""

import contextlib
import math
import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from itune.groups import HIDDEN
from itune.tables.arrow import import_pyarrow

if TYPE_CHECKING:
    import pyarrow

MISSING = ("", "nan", "NaN")
"""How a missing value may be written, besides null."""


def number_values(
    columns: Sequence["pyarrow.ChunkedArray"], classes: Sequence[str] = ()
) -> tuple[list[np.ndarray], tuple[str, ...]]:
    """Number the values of some columns, all in one order.

    ==============================  ================================================
    values                          numbers
    ==============================  ================================================
    all of them numbers             by value; ``1``, ``1.0`` and ``01`` are one, called ``1``
    others                          alphabetically, by code point
    numbers of classes              the numbers that occur, in order; -1 is missing
    null, empty, blank, NaN         :data:`~itune.groups.HIDDEN`
    ==============================  ================================================

    White space around a value does not count.

    Args:
      columns: Columns of strings.
      classes: Names of the classes, in order, if the values are numbers of classes.

    Returns:
      An int32 array for each column, and the name of each number.
    """
    found = [_distinct(column) for column in columns]
    present = {value for values in found for value in values if value is not None}
    if classes:
        present -= {"-1"}
    groups, named = order_values(present)
    if classes:
        named = [_class_name(name, classes) for name in named]
    codes = [
        np.array(
            [HIDDEN if value is None else groups.get(value, HIDDEN) for value in values]
            or [HIDDEN],
            np.int32,
        )
        for values in found
    ]
    places = [_places(column) for column in columns]
    return [code[place] for code, place in zip(codes, places, strict=True)], tuple(named)


def order_values(values: Iterable[str]) -> tuple[dict[str, int], list[str]]:
    """Return the number of each value, and the name of each number.

    >>> order_values(["10.0", "9.0", "9"])
    ({'9': 0, '9.0': 0, '10.0': 1}, ['9', '10'])
    >>> order_values(["no", "10", "9"])[1]
    ['10', '9', 'no']
    """
    values = sorted(values)
    numbers = [_number(value) for value in values]
    keys: list[Any] = values if None in numbers else numbers
    rank = {key: place for place, key in enumerate(sorted(set(keys)))}
    numbered = {value: rank[key] for value, key in zip(values, keys, strict=True)}
    numbered = dict(sorted(numbered.items(), key=lambda item: (item[1], len(item[0]), item[0])))
    names = {place: value for value, place in reversed(numbered.items())}
    if None not in numbers:
        names = {place: re.sub(r"\.0+$", "", value) for place, value in names.items()}
    return numbered, [names[place] for place in range(len(names))]


def _number(text: str) -> int | float | None:
    if "_" in text:  # which Python's own numbers may have
        return None
    for kind in (int, float):
        with contextlib.suppress(ValueError):
            value = kind(text)
            return value if math.isfinite(value) else None
    return None


def _class_name(value: str, classes: Sequence[str]) -> str:
    place = _number(value)
    is_one = isinstance(place, int) and 0 <= place < len(classes)
    return classes[place] if is_one else value


def _distinct(column: "pyarrow.ChunkedArray") -> list[str | None]:
    """Return the different values in order of appearance, trimmed; None where missing."""
    texts = import_pyarrow().compute.unique(column).to_pylist()
    trimmed = [None if text is None else text.strip() for text in texts]
    return [None if text in MISSING else text for text in trimmed]


def _places(column: "pyarrow.ChunkedArray") -> np.ndarray:
    """Return the place of each value of a column among its distinct ones."""
    compute = import_pyarrow().compute
    return compute.index_in(column, value_set=compute.unique(column)).to_numpy()
