"""Read the selected columns of files, batch by batch: CSV, JSON lines and Parquet."""

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from itune.errors import UserError
from itune.tables.arrow import ROWS, classes_of, from_rows, import_pyarrow, select
from itune.tables.cells import value_text
from itune.tables.delimited import delimited_columns, read_delimited
from itune.tables.selection import Selection, require_columns
from itune.utils.formats import first_line
from itune.utils.text_files import count_lines, parse_object, read_lines

if TYPE_CHECKING:
    import pyarrow


# JSON lines, and other rows with named values


def _read_jsonl(path: Path, selection: Selection) -> Iterator["pyarrow.RecordBatch"]:
    return from_records(_records(path, selection.names[0]), selection, str(path))


def _records(path: Path, example: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for number, line in enumerate(read_lines(path), start=1):
        if line.strip():
            where = f"{path}, line {number}"
            yield where, parse_object(line, where, example=example)


def names_of(records: Iterable[tuple[str, Mapping[str, Any]]]) -> list[str]:
    """Return the names that the first hundred records have, in order of appearance."""
    return list(dict.fromkeys(name for _, record in islice(records, 100) for name in record))


def from_records(
    records: Iterable[tuple[str, Mapping[str, Any]]], selection: Selection, source: str
) -> Iterator["pyarrow.RecordBatch"]:
    """Pack records into batches; a column that a record lacks is missing there.

    The first must have the texts, and any one each other column. Each record comes after the place
    where it stands, such as a file and a line, for messages.
    """
    seen: set[str] = set()

    def values() -> Iterator[list[str | None]]:
        for where, record in records:
            if not seen:
                require_columns(selection.texts, list(record), where)
            seen.update(record)
            yield record_texts(map(record.get, selection.names), selection, where)
        if seen:
            require_columns(selection.names, sorted(seen), source)

    return from_rows(values(), len(selection.names))


def record_texts(values: Iterable[Any], selection: Selection, where: str) -> list[str | None]:
    """Return the values of one row as text; ``where`` is the row, for messages."""
    return [
        value_text(value, name, where, is_text=place < len(selection.texts))
        for place, (name, value) in enumerate(zip(selection.names, values, strict=True))
    ]


# Parquet


def _read_parquet(path: Path, selection: Selection) -> Iterator["pyarrow.RecordBatch"]:
    names = selection.names
    with readable(f"{path}: is no Parquet file"):
        file = import_pyarrow().parquet.ParquetFile(path)
        require_columns(names, file.schema_arrow.names, str(path))
        classes = classes_of(file.schema_arrow)
        for batch in file.iter_batches(ROWS, columns=list(dict.fromkeys(names))):
            yield select(batch, selection, str(path), classes)


def _columns_of_parquet(path: Path) -> list[str]:
    with readable(f"{path}: is no Parquet file"):
        return import_pyarrow().parquet.read_schema(path).names


def _classes_in_parquet(path: Path) -> dict[str, list[str]]:
    with readable(f"{path}: is no Parquet file"):
        return classes_of(import_pyarrow().parquet.read_schema(path))


@contextlib.contextmanager
def readable(problem: str) -> Iterator[None]:
    """Turn errors of reading damaged data into a UserError that begins with ``problem``."""
    try:
        yield
    except UserError:
        raise
    except (import_pyarrow().ArrowException, OSError, ValueError, MemoryError) as error:
        raise UserError(
            f"{problem} that can be read ({first_line(error)}); write it again"
        ) from None


def _count_parquet(path: Path) -> int:
    with readable(f"{path}: is no Parquet file"):
        return import_pyarrow().parquet.read_metadata(path).num_rows


class Reader(NamedTuple):
    """How to read a kind of file.

    Attributes:
      read: Yields batches of the selected columns of a file, as strings.
      columns: Returns the names of the columns of a file; takes ``quoted`` of a selection as well.
      count: Returns about how many rows a file has.
      classes: Returns the names of classes that a file notes, in order, by column.
    """

    read: Callable[[Path, Selection], Iterator["pyarrow.RecordBatch"]]
    columns: Callable[[Path, bool | None], Sequence[str]]
    count: Callable[[Path], int]
    classes: Callable[[Path], Mapping[str, Sequence[str]]] = lambda path: {}


READERS = {
    ".csv": Reader(read_delimited, delimited_columns, count_lines),
    ".tsv": Reader(read_delimited, delimited_columns, count_lines),
    ".jsonl": Reader(_read_jsonl, lambda path, _: names_of(_records(path, "text")), count_lines),
    ".parquet": Reader(
        _read_parquet,
        lambda path, _: _columns_of_parquet(path),
        _count_parquet,
        _classes_in_parquet,
    ),
}
"""Reader of each kind of file, by the ending of its name."""
