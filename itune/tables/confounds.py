"""Confounds out of columns: numbers that are cut into bins, and several columns crossed (NumPy)."""

import csv
from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np

from itune.errors import UserError
from itune.groups import HIDDEN
from itune.tables.values import as_number

Column = tuple[Sequence[np.ndarray], tuple[str, ...]]
"""The numbers of a column's values in each split, and the names of the numbers."""


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


def parse_bins(text: str | None, columns: Sequence[str]) -> dict[str, tuple[float, ...]]:
    """Return the edges of the bins of each column that is cut into some.

    >>> parse_bins("18,65", ["age"]), parse_bins("age=18 || income=1e3,2e3", ["age", "income"])
    ({'age': (18.0, 65.0)}, {'age': (18.0,), 'income': (1000.0, 2000.0)})
    """
    found: dict[str, tuple[float, ...]] = {}
    for part in [] if text is None else text.split("||"):
        name, is_named, edges = (word.strip() for word in part.rpartition("="))
        if not is_named and len(columns) == 1:
            name = columns[0]
        if name not in columns:
            raise UserError(
                f"bins {part.strip()!r} must name a column of confound ({', '.join(columns)}), as "
                f"in {columns[0] if columns else 'age'}=18,35,65"
            )
        numbers = [number for edge in edges.split(",") if (number := as_number(edge)) is not None]
        is_short = len(numbers) <= edges.count(",")
        if is_short or any(low >= high for low, high in pairwise(numbers)):
            raise UserError(f"bins must be ascending numbers, such as 18,35,65, got {edges!r}")
        found[name] = tuple(map(float, numbers))
    return found


def combine(columns: Mapping[str, Column], bins: Mapping[str, Sequence[float]]) -> Column:
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


def _cut(
    name: str, codes: Sequence[np.ndarray], values: Sequence[str], edges: Sequence[float]
) -> Column:
    numbers = []
    for value in values:
        if (number := as_number(value)) is None:
            raise UserError(
                f"confound {name!r} has the value {value!r}, which is no number; leave bins out, "
                "or put a number there"
            )
        numbers.append(number)
    ends = [f"{edge:.15g}" for edge in edges]
    called = [f"<{ends[0]}", *(f"{a} to <{b}" for a, b in pairwise(ends)), f">={ends[-1]}"]
    places = np.append(np.searchsorted(edges, np.array(numbers, float), side="right"), HIDDEN)
    codes, present = _occurring([places[code] for code in codes])
    return codes, tuple(called[code] for code in present)


def _occurring(codes: Sequence[np.ndarray]) -> tuple[list[np.ndarray], list[int]]:
    """Number the codes that occur in any split anew, in order; return them too."""
    present = np.unique(np.concatenate(codes))
    present = present[present >= 0]
    fresh = [
        np.where(code < 0, HIDDEN, np.searchsorted(present, code)).astype(np.int32)
        for code in codes
    ]
    return fresh, present.tolist()
