"""Further columns of a table, beside its texts, labels and confounds."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from itune.tables.columns import number_column, read_columns
from itune.tables.config import TableConfig
from itune.tables.objects import find_sources
from itune.tables.selection import Selection


def read_further(
    train: Any, config: TableConfig, names: Sequence[str], *, dev: Any = None, test: Any = None
) -> dict[str, tuple[Mapping[str, np.ndarray], tuple[str, ...]]]:
    """Number the values of columns of a table that was read by its configuration.

    Return, by column, the numbers in each split, in the order of its file, -1 where missing, and
    the names of the numbers. UserError if the data cannot be read or lack a column.
    """
    if not names:
        return {}
    sources = find_sources(train, dev, test, config.subset, config.revision)
    read = read_columns(sources, Selection((), tuple(names), config.quoted))
    found: dict[str, tuple[Mapping[str, np.ndarray], tuple[str, ...]]] = {}
    for place, name in enumerate(names):
        columns = {split: table.column(place) for split, table in read.items()}
        numbered = number_column(columns, sources, name)
        found[name] = dict(zip(read, numbered.codes, strict=True)), numbered.names
    return found
