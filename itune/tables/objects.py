"""Tables given as Python objects: rows, columns, data frames and data sets."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from itune.errors import UserError
from itune.tables.arrow import ROWS, from_rows, import_pyarrow
from itune.tables.readers import from_records, readable, require_columns, select, value_text
from itune.tables.sources import Source, loaded_source, open_splits, split_called

KNOWN = "a list of dicts, a dict of lists, a data frame, a data set, or a file's name"


def find_sources(
    train: Any, dev: Any, test: Any, subset: str | None = None, revision: str | None = None
) -> dict[str, Source]:
    """The source of train, and those of dev and test that there are.

    Args:
      train: see :func:`open_data`.
      dev: as train, or the name of a split of train's data set; None for the data set's own.
      test: likewise.
      subset: of a data set on the hub.
      revision: of a data set on the hub.

    Raises:
      UserError: as :func:`open_data`, or a data set has no such split.
    """
    own = open_data(train, "train", subset, revision)
    found = {"train": _pick(own, "train", train)}
    for split, data in (("dev", dev), ("test", test)):
        if isinstance(data, str) and data in own:
            found[split] = own[data]
        elif data is not None:
            found[split] = _pick(open_data(data, split, subset, revision), split, data)
        elif named := next((key for key in own if split_called(key) == split), None):
            found[split] = own[named]
    return found


def open_data(
    data: Any, name: str, subset: str | None = None, revision: str | None = None
) -> dict[str, Source]:
    """Finds the splits of a table.

    ===============================================  ==============================================
    data                                             splits
    ===============================================  ==============================================
    a name or path                                   see :func:`~itune.tables.sources.open_splits`
    a list of dicts, one for each row                one
    a dict of lists or arrays, one a column          one
    a ``datasets.Dataset``                           one
    a frame of pandas or polars, an Arrow table      one
    a dict of any of these, a ``DatasetDict``        its values
    a dict of :class:`~itune.tables.sources.Source`  itself
    ===============================================  ==============================================

    Args:
      data: see above.
      name: what messages call it.
      subset: of a data set on the hub.
      revision: of a data set on the hub.

    Returns:
      At least one source by its split's name; ``train`` where there is one only.

    Raises:
      UserError: it is nothing of that kind.
    """
    if isinstance(data, str | Path):
        return open_splits(str(data), subset, revision)
    if isinstance(data, Mapping) and data and all(isinstance(v, Source) for v in data.values()):
        return dict(data)
    if _is_splits(data):
        for split, part in data.items():
            if not _is_table(part):
                raise UserError(f"{name}, {split}: has no row; leave it out, or give its rows")
        return {str(split): _source(part, f"{name}, {split}") for split, part in data.items()}
    return {"train": _source(data, name)}


def _pick(splits: dict[str, Source], split: str, data: Any) -> Source:
    """The split of that name, or the only one."""
    found = [source for key, source in splits.items() if split_called(key) == split]
    if not found and len(splits) > 1:
        name = data if isinstance(data, str) else split
        raise UserError(
            f"{name}: has no split {split!r}, but {', '.join(splits)}; give --{split} another"
        )
    return (found or list(splits.values()))[0]


def _is_splits(data: Any) -> bool:
    """Whether all values are tables, or, of some, nothing; columns of dicts are no tables."""
    if not isinstance(data, Mapping) or not any(map(_is_table, data.values())):
        return False
    others = [value for value in data.values() if not _is_table(value)]
    return all(value is None or isinstance(value, list | tuple) and not value for value in others)


def _is_table(value: Any) -> bool:
    is_rows = isinstance(value, list | tuple) and len(value) > 0 and isinstance(value[0], Mapping)
    return is_rows or isinstance(value, Mapping) or _is_frame(value) or _is_dataset(value)


def _is_dataset(data: Any) -> bool:
    return (
        hasattr(data, "select_columns") and hasattr(data, "with_format") and hasattr(data, "iter")
    )


def _is_frame(data: Any) -> bool:
    return hasattr(data, "__arrow_c_stream__") and hasattr(data, "columns")


def _source(data: Any, name: str) -> Source:
    if _is_frame(data):
        return _frame_source(data, name)
    if _is_dataset(data) and hasattr(data, "__len__"):
        return loaded_source(data, name)
    if isinstance(data, Mapping):
        return _columns_source(data, name)
    if isinstance(data, Sequence) and not isinstance(data, str | bytes):
        return _rows_source(data, name)
    raise UserError(f"{name} is of type {type(data).__name__}; give {KNOWN}")


def _rows_source(rows: Sequence[Mapping[str, Any]], name: str) -> Source:
    def records():
        for number, row in enumerate(rows, start=1):
            if not isinstance(row, Mapping):
                what = f"{name}, row {number}: is of type {type(row).__name__}"
                raise UserError(f"{what}, not a dict; give {KNOWN}")
            yield f"{name}, row {number}", row

    return Source(name, lambda names: from_records(records(), names, name), lambda: len(rows))


def _columns_source(columns: Mapping[str, Any], name: str) -> Source:
    def read(names):
        require_columns(names, map(str, columns), name)
        values = [_values(columns[column], column, name) for column in names]
        sizes = [len(column) for column in values]
        if len(set(sizes)) > 1:
            told = " and ".join(f"{n!r} {size}" for n, size in zip(names, sizes, strict=True))
            raise UserError(f"{name}: columns differ in length ({told}); make them equally long")
        rows = enumerate(zip(*values, strict=True), start=1)
        return from_rows(
            (
                [
                    value_text(value, column, f"{name}, row {number}")
                    for value, column in zip(row, names, strict=True)
                ]
                for number, row in rows
            ),
            len(names),
        )

    return Source(
        name,
        read,
        lambda: max((len(c) for c in columns.values() if hasattr(c, "__len__")), default=0),
    )


def _values(column: Any, name: str, source: str) -> Sequence[Any]:
    """The values of a list, an array or a series."""
    if isinstance(column, np.ndarray) and column.ndim != 1:
        raise UserError(f"{source}: {name!r} has {column.ndim} axes; give one value a row")
    if hasattr(column, "tolist"):
        return column.tolist()
    if isinstance(column, str | bytes | Mapping) or not hasattr(column, "__len__"):
        raise UserError(f"{source}: {name!r} is of type {type(column).__name__}; make it a list")
    return column


def _frame_source(data: Any, name: str) -> Source:
    """A frame of pandas or polars, or an Arrow table."""

    def read(names):
        is_arrow = hasattr(data, "column_names")
        require_columns(names, map(str, data.column_names if is_arrow else data.columns), name)
        chosen = list(dict.fromkeys(names))
        with readable(f"{name}: is no data frame"):
            table = import_pyarrow().table(data.select(chosen) if is_arrow else data[chosen])
            for batch in table.to_batches(ROWS):
                yield select(batch, names, name)

    return Source(name, read, lambda: len(data))
