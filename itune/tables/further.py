"""Further columns of a table, beside its texts, labels and confounds."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from itune.errors import UserError
from itune.tables.columns import number_column, read_columns
from itune.tables.config import TableConfig
from itune.tables.objects import find_sources
from itune.tables.selection import Selection
from itune.tables.source import Source

Columns: TypeAlias = Mapping[str, tuple[Mapping[str, np.ndarray], tuple[str, ...]]]
"""By the name of a further column: numbers of its values in each split, in the order of the split's
file, -1 where missing; and the names of the numbers."""


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
        return Further(_read(sources, names, config.quoted) if names else {}, left_out)
    except UserError:  # of one that holds lists, say
        columns: dict[str, Any] = {}
        for name in names:
            try:
                columns |= _read(sources, [name], config.quoted)
            except UserError:
                left_out[name] = "no single values"
        return Further(columns, left_out)


def _read(sources: Mapping[str, Source], names: Sequence[str], quoted: bool | None) -> Columns:
    read = read_columns(sources, Selection((), tuple(names), quoted))
    found: dict[str, tuple[Mapping[str, np.ndarray], tuple[str, ...]]] = {}
    for place, name in enumerate(names):
        columns = {split: table.column(place) for split, table in read.items()}
        numbered = number_column(columns, sources, name)
        found[name] = dict(zip(read, numbered.codes, strict=True)), numbered.names
    return found
