"""Tables given as Python objects: rows, columns, data frames and data sets."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from itune.errors import UserError, as_path, option
from itune.tables.arrow import ROWS, classes_of, import_pyarrow, select
from itune.tables.readers import from_records, names_of, readable
from itune.tables.selection import Selection, require_columns
from itune.tables.source import Source, columns_source
from itune.tables.sources import loaded_source, open_splits
from itune.tables.splits import AUTO, LEFT_OUT, listed, pick_split, split_called, stem

if TYPE_CHECKING:
    import pyarrow

KNOWN = "a list of dicts, a dict of lists, a data frame, a data set, or a file's name"


def find_sources(
    train: Any, dev: Any, test: Any, subset: str | None = None, revision: str | None = None
) -> dict[str, Source]:
    """Find the source of train, and those of dev and test where there are any, by split.

    ``train``, ``dev`` and ``test`` are anything that :func:`open_data` takes; dev and test also the
    name of a part of train's data set, ``auto`` or None for the part that is called so, or ``none``
    to leave it out. Notes of train's source name what is not read.

    Raises:
      UserError: There is no such data, it cannot be read, or it is not clear which part is meant.
    """
    own = open_data(train, "train", subset, revision)
    where = str(train) if isinstance(train, str | Path) else "data"
    used = {"train": _pick(own, "train", where)}
    found = {"train": own[used["train"]]}
    for split, data in (("dev", dev), ("test", test)):
        if isinstance(data, str) and data == LEFT_OUT:
            continue
        if data is None or (isinstance(data, str) and data == AUTO):
            if part := pick_split(list(own), split, where):
                used[split], found[split] = part, own[part]
        elif isinstance(data, str) and (part := _named(own, data)):
            used[split], found[split] = part, own[part]
        else:
            name = str(data) if isinstance(data, str | Path) else split
            others = open_data(data, split, subset, revision)
            found[split] = others[_pick(others, split, name)]
    notes = []
    if unread := [part for part in own if part not in used.values()]:
        notes.append(f"{where}: {listed(unread)} {'is' if len(unread) == 1 else 'are'} not read")
    if split_called(used["train"]) in ("dev", "test"):
        notes.append(f"{where}: {used['train']} is taken for train, as there is no other part")
    return found | {"train": found["train"]._replace(notes=(*found["train"].notes, *notes))}


def _named(own: Mapping[str, Source], name: str) -> str | None:
    """Return the part of a data set that is called so, with or without the ending of a file."""
    if Path(name).suffix and as_path(name).exists():
        return None
    if name in own:
        return name
    parts = [part for part in own if stem(part) == name]
    if len(parts) > 1:
        raise UserError(f"{name} may be {listed(parts)}; name one with its ending")
    return next(iter(parts), None)


def open_data(
    data: Any, name: str, subset: str | None = None, revision: str | None = None
) -> dict[str, Source]:
    """Find the splits of a table.

    ===============================================  ==============================================
    data                                             splits
    ===============================================  ==============================================
    a name or path                                   see :func:`~itune.tables.sources.open_splits`
    a list of dicts, one for each row                one, ``train``
    a dict of lists or arrays, one a column          one, ``train``
    a ``datasets.Dataset``                           one, ``train``
    a frame of pandas or polars, an Arrow table      one, ``train``
    a dict of any of these, a ``DatasetDict``        one for each key
    a dict of :class:`~itune.tables.source.Source`  one for each key
    ===============================================  ==============================================

    ``name`` is what messages call the data. UserError if it is of another kind, or unreadable.
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


def _pick(splits: Mapping[str, Source], split: str, where: str) -> str:
    """Return which part is called so, or the only one."""
    parts = list(splits)
    found = parts[0] if len(parts) == 1 else pick_split(parts, split, where)
    if found is None:
        raise UserError(
            f"{where}: has no split {split!r}, but {listed(parts)}; give {option(split)} another"
        )
    return found


def _is_splits(data: Any) -> bool:
    """Return whether all values are tables, some perhaps empty; a dict of columns is not."""
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
    if hasattr(data, "iloc") and hasattr(data, "columns"):  # of pandas, whose columns mix types
        columns = [(str(key), data.iloc[:, place]) for place, key in enumerate(data.columns)]
        return columns_source(columns, name)
    if _is_frame(data):
        return _frame_source(data, name)
    if _is_dataset(data) and hasattr(data, "__len__"):
        return loaded_source(data, name)
    if isinstance(data, Mapping):
        return columns_source([(str(key), column) for key, column in data.items()], name)
    if isinstance(data, Sequence) and not isinstance(data, str | bytes):
        return _rows_source(data, name)
    raise UserError(f"{name} is of type {type(data).__name__}; give {KNOWN}")


def _rows_source(rows: Sequence[Mapping[Any, Any]], name: str) -> Source:
    def records() -> Iterator[tuple[str, Mapping[str, Any]]]:
        for number, row in enumerate(rows, start=1):
            if not isinstance(row, Mapping):
                what = f"{name}, row {number}: is of type {type(row).__name__}"
                raise UserError(f"{what}, not a dict; give {KNOWN}")
            yield f"{name}, row {number}", {str(key): value for key, value in row.items()}

    return Source(
        name,
        lambda selection: from_records(records(), selection, name),
        lambda quoted: names_of(records()),
        lambda: len(rows),
    )


def _frame_source(data: Any, name: str) -> Source:
    """Return the source of a frame of polars, or of an Arrow table."""
    is_arrow = hasattr(data, "schema") and hasattr(data.schema, "metadata")
    classes = classes_of(data.schema) if is_arrow else {}

    known = [*map(str, data.schema.names if is_arrow else data.columns)]

    def read(selection: Selection) -> Iterator["pyarrow.RecordBatch"]:
        require_columns(selection.names, known, name)
        chosen = list(dict.fromkeys(selection.names))
        with readable(f"{name}: is no data frame"):
            table = import_pyarrow().table(data.select(chosen) if is_arrow else data[chosen])
            for batch in table.to_batches(ROWS):
                yield select(batch, selection, name, classes)

    return Source(name, read, lambda quoted: known, lambda: len(data), lambda: classes)
