"""Further columns of a table, beside its texts, labels and confounds."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np

from itune.errors import UserError
from itune.tables.arrow import import_pyarrow
from itune.tables.columns import number_column, read_columns
from itune.tables.config import TableConfig
from itune.tables.dates import as_days
from itune.tables.objects import find_sources
from itune.tables.selection import Selection
from itune.tables.source import Source
from itune.tables.values import as_number, distinct_values

if TYPE_CHECKING:
    import pyarrow

Columns: TypeAlias = Mapping[str, tuple[Mapping[str, np.ndarray], tuple[str, ...]]]
"""By the name of a further column: numbers of its values in each split, in the order of the split's
file, -1 where missing; and the names of the numbers."""

DISTINCT = 0.95
"""Share of different values from which on they name their rows."""

SENTENCE = 4
"""Words that a value has in the mean of what is free text."""

ALL_DIFFER, FREE_TEXT = "nearly all values differ", "free text"
"""Why a column is left out."""

LONG = 10_000
"""Rows from which on a column is looked at before its values are numbered, which takes long."""


class Further(NamedTuple):
    """Further columns of a table, and why others were left out, by name."""

    columns: Columns = {}
    left_out: Mapping[str, str] = {}


def read_further(
    train: Any,
    config: TableConfig,
    names: Sequence[str] | None,
    *,
    dev: Any = None,
    test: Any = None,
) -> Further:
    """Number the values of columns of a table that was read by its configuration.

    None takes all columns that train has and the configuration does not name. UserError if the data
    cannot be read, or lack a column that is named.
    """
    sources = find_sources(train, dev, test, config.subset, config.revision)
    if names is not None:
        return Further(_read(sources, names, config.quoted) if names else {})
    found = {split: source.columns(config.quoted) for split, source in sources.items()}
    others = [name for name in found["train"] if name not in config.selection.names]
    left_out = {
        name: f"missing in {split}"
        for name in others
        for split, columns in found.items()
        if name not in columns
    }
    names = [name for name in dict.fromkeys(others) if name not in left_out]
    try:
        return Further(_read(sources, names, config.quoted, left_out) if names else {}, left_out)
    except UserError:  # of one that holds lists, say
        columns: dict[str, Any] = {}
        for name in names:
            try:
                columns |= _read(sources, [name], config.quoted, left_out)
            except UserError:
                left_out[name] = "no single values"
        return Further(columns, left_out)


def names_rows(column: "pyarrow.ChunkedArray") -> str | None:
    """Return why a long column of strings is not worth numbering; None if it may be.

    Nearly all values differ, and are neither dates nor numbers with a fraction, which have an order
    to cut them by.
    """
    if len(column) < LONG or import_pyarrow().compute.count_distinct(column).as_py() < LONG:
        return None
    values = {text for text in distinct_values(column) if text is not None}
    if len(values) < DISTINCT * len(column):
        return None
    if all(as_number(value) is not None for value in values):
        return ALL_DIFFER if all(isinstance(as_number(value), int) for value in values) else None
    if all(as_days(value) is not None for value in values):
        return None
    is_prose = np.mean([len(value.split()) for value in values]) >= SENTENCE
    return FREE_TEXT if is_prose else ALL_DIFFER


def _read(
    sources: Mapping[str, Source],
    names: Sequence[str],
    quoted: bool | None,
    left_out: dict[str, str] | None = None,
) -> Columns:
    read = read_columns(sources, Selection((), tuple(names), quoted))
    found: dict[str, tuple[Mapping[str, np.ndarray], tuple[str, ...]]] = {}
    for place, name in enumerate(names):
        columns = {split: table.column(place) for split, table in read.items()}
        if left_out is not None and (why := names_rows(columns["train"])):
            left_out[name] = why
            continue
        numbered = number_column(columns, sources, name)
        found[name] = dict(zip(read, numbered.codes, strict=True)), numbered.names
    return found
