"""Further columns of the table: values of a category, and numbers and dates from a quantile on."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from itune.discovery.features.base import Feature, Found, Rows, is_common
from itune.tables.confounds import CALENDAR, as_setting
from itune.tables.dates import as_days
from itune.tables.further import ALL_DIFFER, DISTINCT, FREE_TEXT, SENTENCE
from itune.tables.values import as_number

MOST = 100
"""Different values that a category has at most."""

QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9)

IN = {"month": "in", "weekday": "on a"}
"""What stands between a column and a part of the calendar."""


class Scale(NamedTuple):
    """What values of a column are, if they have an order: their number, and words for it."""

    number: Callable[[str], float | None]
    beyond: str
    is_date: bool


NUMBERS, DATES = Scale(as_number, "or more", False), Scale(as_days, "or later", True)


def scale_of(names: tuple[str, ...]) -> Scale | None:
    """Return how a column's different values are ordered; None if they are categories."""
    for scale in (NUMBERS, DATES):
        if len(names) > 2 and all(scale.number(name) is not None for name in names):
            return scale
    return None


def unfit(codes: np.ndarray, names: tuple[str, ...], label: np.ndarray) -> str | None:
    """Return why a column is not worth a look; None if it is.

    ``codes`` are the numbers of the rows' values, -1 where missing, and ``label`` their labels.
    """
    known = codes[codes >= 0]
    present = np.unique(known)
    if len(present) < 2:
        return "one value"
    pairs = np.unique(np.stack([codes, label])[:, codes >= 0], axis=1)
    if len(pairs.T) == len(present) == len(np.unique(label)) == len(np.unique(pairs[1])):
        return "says the label"
    scale, is_distinct = scale_of(names), len(present) >= DISTINCT * len(known)
    values = [names[code] for code in present]
    if scale is None and np.mean([len(value.split()) for value in values]) >= SENTENCE:
        return FREE_TEXT if is_distinct or len(present) > MOST else None
    if is_distinct and (scale is None or not scale.is_date and all(map(_is_whole, values))):
        return ALL_DIFFER
    return f"more than {MOST} values" if scale is None and len(present) > MOST else None


def _is_whole(value: str) -> bool:
    return isinstance(as_number(value), int)


def find(rows: Rows, minimum: int) -> Iterator[Found]:
    """Yield values of columns that are categories, and quantiles of numbers and dates."""
    for column, (codes, names) in rows.columns.items():
        quoted = as_setting(column)
        if scale := scale_of(names):
            yield from _from_quantiles(column, quoted, codes, names, scale, minimum)
        if scale == DATES:
            yield from _by_calendar(column, quoted, codes, names, minimum)
        elif len(names) <= MOST:
            for code, name in enumerate(names):
                having = np.flatnonzero(codes == code)
                if is_common(len(having), len(codes), minimum):
                    settings = {"confound": quoted}
                    yield Feature("columns", f"{column} {name}", settings, values=(name,)), having


def _from_quantiles(
    column: str,
    quoted: str,
    codes: np.ndarray,
    names: tuple[str, ...],
    scale: Scale,
    minimum: int,
) -> Iterator[Found]:
    numbers = np.array([*map(scale.number, names), np.nan], float)
    values = numbers[codes]  # -1, a missing value, is the last
    known = values[~np.isnan(values)]
    if not len(known):
        return
    for bound in np.unique(np.quantile(known, QUANTILES, method="higher")).tolist():
        having = np.flatnonzero(values >= bound)
        if is_common(len(having), len(codes), minimum):
            above = tuple(name for name, of in zip(names, numbers, strict=False) if of >= bound)
            edge = (
                names[int(np.flatnonzero(numbers == bound)[0])] if scale.is_date else f"{bound!r}"
            )
            shown = edge if scale.is_date else f"{bound:.15g}"
            settings = {"confound": quoted, "bins": edge}
            yield (
                Feature("columns", f"{column} {shown} {scale.beyond}", settings, values=above),
                having,
            )


def _by_calendar(
    column: str, quoted: str, codes: np.ndarray, names: tuple[str, ...], minimum: int
) -> Iterator[Found]:
    for what, bins in CALENDAR.items():
        places = np.array([*map(bins.number, names), -1])
        for place, called in enumerate(bins.names):
            having = np.flatnonzero(places[codes] == place)
            if is_common(len(having), len(codes), minimum):
                settings = {"confound": quoted, "bins": what}
                values = tuple(name for name, of in zip(names, places, strict=False) if of == place)
                name = f"{column} {IN[what]} {called}"
                yield Feature("columns", name, settings, values=values), having
