"""Further columns of the table: each value of a category, and numbers above a quantile."""

from collections.abc import Iterator

import numpy as np

from itune.discovery.features.base import Feature, Found, Rows, is_common
from itune.tables.confounds import as_number

MOST = 100
"""Different values that a category has at most."""

QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9)


def find(rows: Rows, minimum: int) -> Iterator[Found]:
    """Yield values of columns that are categories, and quantiles of those that are numbers."""
    for column, (codes, names) in rows.columns.items():
        quoted = f'"{column}"' if any(mark in column for mark in ',"') else column
        if len(names) > 2 and all(as_number(name) is not None for name in names):
            yield from _numbers(column, quoted, codes, names, minimum)
        if len(names) > MOST:
            continue
        for code, name in enumerate(names):
            having = np.flatnonzero(codes == code)
            if is_common(len(having), len(codes), minimum):
                settings = {"confound": quoted}
                yield Feature("columns", f"{column} {name}", settings, values=(name,)), having


def _numbers(
    column: str, quoted: str, codes: np.ndarray, names: tuple[str, ...], minimum: int
) -> Iterator[Found]:
    numbers = np.array([*map(as_number, names), np.nan], float)
    values = numbers[codes]  # -1, a missing value, is the last
    known = values[~np.isnan(values)]
    for bound in np.unique(np.quantile(known, QUANTILES, method="higher")).tolist():
        having = np.flatnonzero(values >= bound)
        if is_common(len(having), len(codes), minimum):
            above = tuple(
                name for name, number in zip(names, numbers, strict=False) if number >= bound
            )
            settings = {"confound": quoted, "bins": f"{bound!r}"}
            yield (
                Feature("columns", f"{column} {bound:.15g} or more", settings, values=above),
                having,
            )
