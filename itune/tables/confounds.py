"""Confounds out of columns: numbers and dates in bins, and several columns crossed (NumPy)."""

import csv
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from itune.errors import UserError
from itune.groups import HIDDEN
from itune.tables.dates import MONTHS, WEEKDAYS, as_days, month, weekday
from itune.tables.values import as_number

Column = tuple[Sequence[np.ndarray], tuple[str, ...]]
"""The numbers of a column's values in each split, and the names of the numbers."""


class Bins(NamedTuple):
    """How the values of a column are cut.

    Attributes:
      number: Function of a value that returns what is cut, or None if the value has none.
      edges: Ascending numbers, each the least of its bin.
      names: Names of the bins, one more than edges.
      kind: What values must be: ``number`` or ``date``.
    """

    number: Callable[[str], float | None]
    edges: tuple[float, ...]
    names: tuple[str, ...]
    kind: str


CALENDAR = {
    "month": Bins(month, tuple(range(1, 12)), MONTHS, "date"),
    "weekday": Bins(weekday, tuple(range(1, 7)), WEEKDAYS, "date"),
}
"""Bins of dates that have a name."""


def confound_columns(text: str | None) -> tuple[str, ...]:
    """Return the columns that a setting names, with commas between them.

    >>> confound_columns('gender, "race, in words"')
    ('gender', 'race, in words')
    """
    try:
        return () if text is None else tuple(next(csv.reader([text], skipinitialspace=True), ()))
    except csv.Error:
        raise UserError(
            f"confound {text!r} cannot be parted at commas; put each name in quotation marks"
        ) from None


def as_setting(column: str) -> str:
    """Return the setting that names one column, whatever it is called.

    >>> as_setting("age"), as_setting("age, now"), as_setting("none")
    ('age', '"age, now"', '"none"')
    """
    is_plain = column not in ("", "none") and not set(column) & set(',"\r\n') and column[0] != " "
    return column if is_plain else '"' + column.replace('"', '""') + '"'


def parse_bins(text: str | None, columns: Sequence[str]) -> dict[str, Bins]:
    """Return the bins of each column that is cut into some.

    >>> parse_bins("18,65", ["age"])["age"].names
    ('<18', '18 to <65', '>=65')
    >>> parse_bins("age=18 || income=1e3,2e3", ["age", "income"])["income"].edges
    (1000.0, 2000.0)
    """
    found: dict[str, Bins] = {}
    for part in [] if text is None else text.split("||"):
        name, is_named, edges = (word.strip() for word in part.rpartition("="))
        if not is_named and len(columns) == 1:
            name = columns[0]
        if name not in columns:
            raise UserError(
                f"bins {part.strip()!r} must name a column of confound ({', '.join(columns)}), as "
                f"in {columns[0] if columns else 'age'}=18,35,65"
            )
        found[name] = CALENDAR.get(edges) or _bins(edges)
    return found


def _bins(text: str) -> Bins:
    edges = [edge.strip() for edge in text.split(",")]
    is_dates = all(as_days(edge) is not None for edge in edges)
    number = as_days if is_dates else as_number
    numbers = [float(value) for edge in edges if (value := number(edge)) is not None]
    if len(numbers) < len(edges) or any(low >= high for low, high in pairwise(numbers)):
        raise UserError(
            "bins must be ascending numbers, such as 18,35,65, or dates, such as 2024-01-01, or "
            f"month or weekday, got {text!r}"
        )
    ends = edges if is_dates else [f"{edge:.15g}" for edge in numbers]
    names = (f"<{ends[0]}", *(f"{a} to <{b}" for a, b in pairwise(ends)), f">={ends[-1]}")
    return Bins(number, tuple(numbers), names, "date" if is_dates else "number")


def combine(columns: Mapping[str, Column], bins: Mapping[str, Bins]) -> Column:
    """Return the confound that some columns make: one value for each combination that occurs.

    Combinations are called ``gender f & age >=65``, bins ``<18``, ``18 to <65`` and ``>=65``. A
    row that lacks a value in any column is not annotated.
    """
    columns = {
        name: _cut(name, *column, bins[name]) if name in bins else column
        for name, column in columns.items()
    }
    if len(columns) == 1:
        return next(iter(columns.values()))
    (first, (crossed, values)), *others = columns.items()
    names = [f"{first} {value}" for value in values]
    for column, (codes, values) in others:
        pairs = [
            np.where((before < 0) | (code < 0), HIDDEN, before * np.int64(len(values)) + code)
            for before, code in zip(crossed, codes, strict=True)
        ]
        crossed, present = _occurring(pairs)
        names = [
            f"{names[before]} & {column} {values[code]}"
            for before, code in (divmod(pair, len(values)) for pair in present)
        ]
    return crossed, tuple(names)


def _cut(name: str, codes: Sequence[np.ndarray], values: Sequence[str], bins: Bins) -> Column:
    numbers = []
    for value in values:
        if (number := bins.number(value)) is None:
            raise UserError(
                f"confound {name!r} has the value {value!r}, which is no {bins.kind}; leave bins "
                f"out, or put a {bins.kind} there"
            )
        numbers.append(number)
    places = np.searchsorted(bins.edges, np.array(numbers, float), side="right")
    codes, present = _occurring([np.append(places, HIDDEN)[code] for code in codes])
    return codes, tuple(bins.names[code] for code in present)


def _occurring(codes: Sequence[np.ndarray]) -> tuple[list[np.ndarray], list[int]]:
    """Number the codes that occur in any split anew, in order; return them too."""
    present = np.unique(np.concatenate(codes))
    present = present[present >= 0]
    fresh = [
        np.where(code < 0, HIDDEN, np.searchsorted(present, code)).astype(np.int32)
        for code in codes
    ]
    return fresh, present.tolist()
