"""Number labels and confounds from 0, as people write them (NumPy and Arrow)."""

import contextlib
import math
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from itune.groups import HIDDEN
from itune.tables.arrow import import_pyarrow

if TYPE_CHECKING:
    import pyarrow

MISSING = ("", "nan", "NaN")
"""How a missing value may be written, besides null."""

LIKE_MISSING = ("NA", "N/A", "n/a", "#N/A", "<NA>", "null", "NULL", "None")
"""Values that other programs write where a value is missing."""

LISTED = 3
"""Number of examples that a note gives."""


class NumberedValues(NamedTuple):
    """Values of some columns, numbered in one order.

    Attributes:
      codes: An int32 array for each column.
      names: Name of each number.
      notes: What was merged, and what looks as if it should have been; ends of sentences that begin
        with a column's name.
    """

    codes: list[np.ndarray]
    names: tuple[str, ...]
    notes: tuple[str, ...]


def number_values(
    columns: Sequence["pyarrow.ChunkedArray"], classes: Iterable[str] = ()
) -> NumberedValues:
    """Number the values of some columns of strings, all in one order.

    ==============================  ================================================
    values                          numbers
    ==============================  ================================================
    ``classes``                     those that occur, in their order, before others
    all others numbers              by value, then by spelling; ``1.1`` is not ``1.10``
    others                          alphabetically, by code point
    null, empty, blank, NaN         :data:`~itune.groups.HIDDEN`
    ==============================  ================================================

    Values are compared in Unicode's normal form NFC, and white space around them does not count.
    Whole numbers that one column writes as ``1.0`` throughout and another as ``1`` are called
    ``1``: programs write a point where some number is missing. If all values are true or false,
    but spelt ``True`` here and ``true`` or ``TRUE`` there, they are called ``true`` and ``false``.
    """
    found = [_distinct(column) for column in columns]
    spelt = {text for texts in found for text in texts if text is not None}
    found = [[_normal(text) for text in texts] for texts in found]
    bare = {unicodedata.normalize("NFC", name.strip()): None for name in classes}
    merged = _in_one_case(found, bare) if bare else _without_point(found) | _in_one_case(found)
    found = [[merged.get(text, text) if text else None for text in texts] for texts in found]
    present = {text for texts in found for text in texts if text is not None}
    names = [*filter(present.__contains__, bare), *order_values(present - bare.keys())]
    numbers: dict[str | None, int] = {name: number for number, name in enumerate(names)}
    codes = [
        np.array([numbers.get(text, HIDDEN) for text in texts] or [HIDDEN], np.int32)
        for texts in found
    ]
    places = [_places(column) for column in columns]
    return NumberedValues(
        [code[place] for code, place in zip(codes, places, strict=True)],
        tuple(names),
        tuple(_notes(spelt, merged, names)),
    )


def order_values(values: Iterable[str]) -> list[str]:
    """Return different values by number if all are numbers, else alphabetically.

    >>> order_values(["10.0", "9.0", "9"])
    ['9', '9.0', '10.0']
    >>> order_values(["no", "10", "9"])
    ['10', '9', 'no']
    """
    values = sorted(values)
    numbers = {value: as_number(value) for value in values}
    if None in numbers.values():
        return values
    return sorted(values, key=lambda value: (numbers[value], len(value), value))


def as_number(text: str) -> int | float | None:
    """Return the finite number that a text spells, an integer exactly; None if it spells none."""
    if "_" in text:  # which Python's own numbers may have
        return None
    for kind in (int, float):
        with contextlib.suppress(ValueError, OverflowError):
            value = kind(text)
            return value if math.isfinite(value) else None
    return None


def _in_one_case(
    columns: Sequence[Sequence[str | None]], classes: Iterable[str] = ()
) -> dict[str, str]:
    """Return ``true`` for ``True`` if all values are true or false, in more than one case."""
    texts = {text for column in columns for text in column if text is not None}
    names = {name.lower(): name for name in classes}
    both = texts.union(names.values())
    is_one_case = any(all(map(is_so, both)) for is_so in (str.islower, str.istitle, str.isupper))
    if is_one_case or not {text.lower() for text in both} <= {"true", "false"}:
        return {}
    called = {text: names.get(text.lower(), text.lower()) for text in sorted(texts)}
    return {text: name for text, name in called.items() if text != name}


def _without_point(columns: Sequence[Sequence[str | None]]) -> dict[str, str]:
    """Return ``1`` for ``1.0`` if some columns write whole numbers so, others without a point."""
    texts = [[text for text in column if text is not None] for column in columns]
    endings = [{text.endswith(".0") for text in column} for column in texts if column]
    if not all(re.fullmatch(r"-?\d+(\.0)?", text) for column in texts for text in column):
        return {}
    if any(len(ending) > 1 for ending in endings) or len(set().union(*endings)) < 2:
        return {}
    return {text: text[:-2] for column in texts for text in column if text.endswith(".0")}


def _notes(spelt: Iterable[str], merged: Mapping[str, str], names: Sequence[str]) -> Iterable[str]:
    """Yield what was merged, and which names look missing or are equal as numbers."""
    if merged:
        yield f"is read with {_some(f'{a} as {b}' for a, b in merged.items())}"
    forms: dict[str, set[str]] = {}
    for text in spelt:
        forms.setdefault(unicodedata.normalize("NFC", text), set()).add(text)
    composed = sorted(form for form, texts in forms.items() if len(texts) > 1)
    if composed:
        yield (
            f"has {_some(map(repr, composed))} with accents composed in some rows and decomposed "
            "in others; they count as one (NFC)"
        )
    equal: dict[Any, list[str]] = {}
    for name in names:
        if (number := as_number(name)) is not None:
            equal.setdefault(number, []).append(name)
    if missing := [repr(name) for name in names if name in LIKE_MISSING]:
        yield f"has {_some(missing)} as a value; leave the field empty where there is none"
    alike = [" and ".join(map(repr, texts)) for texts in equal.values() if len(texts) > 1]
    if alike:
        yield (
            f"has {_some(alike)}, which are equal as numbers and count as different values; write "
            "them alike if they are one"
        )


def _some(items: Iterable[str]) -> str:
    items = list(items)
    more = [f"{len(items) - LISTED} more"] if len(items) > LISTED else []
    return ", ".join(items[:LISTED] + more)


def _normal(text: str | None) -> str | None:
    return None if text is None else unicodedata.normalize("NFC", text)


def _distinct(column: "pyarrow.ChunkedArray") -> list[str | None]:
    """Return the different values in order of appearance, trimmed; None where missing."""
    texts = import_pyarrow().compute.unique(column).to_pylist()
    trimmed = [None if text is None else text.strip() for text in texts]
    return [None if text in MISSING else text for text in trimmed]


def distinct_values(column: "pyarrow.ChunkedArray") -> list[str | None]:
    """Return the different values of a column of strings as they are compared; None if missing.

    Some may be the same in Unicode's normal form, or but for white space around them.
    """
    return [_normal(text) for text in _distinct(column)]


def _places(column: "pyarrow.ChunkedArray") -> np.ndarray:
    """Return the place of each value of a column among its distinct ones."""
    compute = import_pyarrow().compute
    return compute.index_in(column, value_set=compute.unique(column)).to_numpy()
