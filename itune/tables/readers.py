"""Read named columns of files, batch by batch: CSV, JSON lines and Parquet."""

import contextlib
import csv
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from itune.errors import UserError
from itune.tables.arrow import ROWS, as_text, from_rows, import_pyarrow
from itune.utils.formats import first_line
from itune.utils.suggestions import nearest
from itune.utils.text_files import brief, count_lines, parse_object, read_lines

if TYPE_CHECKING:
    import pyarrow

LONGEST_FIELD = 10_000_000
"""Largest number of characters of a CSV field; a longer one lacks its closing quote."""


def require_columns(names: Sequence[str], known: Iterable[str], source: str) -> None:
    """Check that each column is there once.

    Args:
      names: Names of the columns that are wanted.
      known: Names of the columns that there are.
      source: Name of the file or object that has them, for error messages.

    Raises:
      UserError: A column is missing, in which case the nearest name is offered, or is there twice.
    """
    known = list(known)
    for name in names:
        if not known:
            raise UserError(f"{source}: has no column {name!r}, nor any other; give it some")
        if known.count(name) > 1:
            raise UserError(f"{source}: has two columns {name!r}; rename one of them")
        if name not in known:
            near = nearest(name, known)
            listed = ", ".join(map(repr, known))
            choose = f"set text, label and confound (or none, or a rule) to some of {listed}"
            remedy = f"did you mean {near!r}?" if near else choose
            raise UserError(f"{source}: has no column {name!r}; {remedy}")


# CSV


def _read_csv(path: Path, names: Sequence[str]) -> Iterator["pyarrow.RecordBatch"]:
    rows = _csv_rows(path)
    _, header = next(rows, (1, None))
    if header is None:
        raise UserError(f"{path}: is empty; give a file with a header and one row a line")
    header = [name.strip() for name in header]
    require_columns(names, header, str(path))
    places = [header.index(name) for name in names]

    def fields() -> Iterator[list[str]]:
        for line, row in rows:
            if len(row) != len(header):
                raise UserError(
                    f"{path}, line {line}: has {_fields(len(row))} but the header {len(header)}; "
                    'put "quotes" around text that holds the separator'
                )
            yield [row[place] for place in places]

    return from_rows(fields(), len(names))


def _fields(count: int) -> str:
    return f"{count} field{'s' * (count != 1)}"


def _csv_rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows that are not blank, each after the number of the line it begins in."""
    lines = read_lines(path)
    first = next(lines, "")
    csv.field_size_limit(LONGEST_FIELD)
    reader = csv.reader(chain([first], lines), delimiter=_delimiter(first), strict=True)
    while True:
        line = reader.line_num + 1
        try:
            row = next(reader, None)
        except csv.Error as error:
            raise UserError(
                f"{path}, line {line}: is no CSV ({error}); close every quote, and double those "
                "inside quoted text"
            ) from None
        if row is None:
            return
        if row:
            yield line, row


def _delimiter(header: str) -> str:
    r"""Return the one of ``,``, ``;`` and ``\t`` that the header has most of."""
    return max(",;\t", key=header.count)


# JSON lines, and other rows with named values


def _read_jsonl(path: Path, names: Sequence[str]) -> Iterator["pyarrow.RecordBatch"]:
    def records() -> Iterator[tuple[str, Mapping[str, Any]]]:
        for number, line in enumerate(read_lines(path), start=1):
            if line.strip():
                where = f"{path}, line {number}"
                yield where, parse_object(line, where, example=names[0])

    return from_records(records(), names, str(path))


def from_records(
    records: Iterable[tuple[str, Mapping[str, Any]]], names: Sequence[str], source: str
) -> Iterator["pyarrow.RecordBatch"]:
    """Pack records into batches; a column that a record lacks is missing there.

    Args:
      records: Records, each a mapping of names to values, after the place where it stands, such as
        a file and a line, for error messages.
      names: Names of the columns to take.
      source: Name of the file or object that all records come from, for error messages.

    Raises:
      UserError: A value is neither text nor a number, or a column is in no record.
    """
    seen: set[str] = set()

    def values() -> Iterator[list[str | None]]:
        for where, record in records:
            seen.update(record)
            yield [value_text(record.get(name), name, where) for name in names]
        if seen:
            require_columns(names, sorted(map(str, seen)), source)

    return from_rows(values(), len(names))


def value_text(value: Any, name: str, where: str) -> str | None:
    """Return a value as a string: a number as it is written, a list of words joined by blanks.

    Args:
      value: Value of one column in one row; None and NaN are missing.
      name: Name of the column, for error messages.
      where: Place of the row, such as a file and a line, for error messages.

    Returns:
      The string, or None if the value is missing.

    Raises:
      UserError: The value is neither text nor a number, or is text that is not valid Unicode.
    """
    if hasattr(value, "item"):  # of NumPy
        value = value.item() if getattr(value, "size", 1) == 1 else value.tolist()
    if isinstance(value, list | tuple) and all(isinstance(word, str) for word in value):
        value = " ".join(value)
    if isinstance(value, bool):
        return str(value).lower()
    if value is None or isinstance(value, int | float):
        return None if value is None or value != value else str(value)
    if not isinstance(value, str):
        raise UserError(f"{where}: {name!r} is {brief(value)}; make it a string or a number")
    if not value.isascii():
        _require_whole(value, name, where)
    return value


def _require_whole(value: str, name: str, where: str) -> None:
    r"""Refuse half a surrogate pair, which JSON can spell, ``\ud800``, but no text can hold."""
    try:
        value.encode()
    except UnicodeEncodeError:
        raise UserError(
            f"{where}: {name!r} holds half a surrogate pair; write the character itself"
        ) from None


# Parquet


def _read_parquet(path: Path, names: Sequence[str]) -> Iterator["pyarrow.RecordBatch"]:
    with readable(f"{path}: is no Parquet file"):
        file = import_pyarrow().parquet.ParquetFile(path)
        require_columns(names, file.schema_arrow.names, str(path))
        for batch in file.iter_batches(ROWS, columns=list(dict.fromkeys(names))):
            yield select(batch, names, str(path))


@contextlib.contextmanager
def readable(problem: str) -> Iterator[None]:
    """Turn errors of reading damaged data into a UserError that begins with ``problem``."""
    try:
        yield
    except (import_pyarrow().ArrowException, OSError, ValueError, MemoryError) as error:
        raise UserError(
            f"{problem} that can be read ({first_line(error)}); write it again"
        ) from None


def select(batch: Any, names: Sequence[str], source: str) -> "pyarrow.RecordBatch":
    """Return columns of a batch as text, in the order of ``names``."""
    columns = [as_text(batch.column(name), name, source) for name in names]
    return import_pyarrow().record_batch(columns, [str(number) for number in range(len(names))])


def _count_parquet(path: Path) -> int:
    with readable(f"{path}: is no Parquet file"):
        return import_pyarrow().parquet.read_metadata(path).num_rows


class Reader(NamedTuple):
    """How to read a kind of file.

    Attributes:
      read: Yields batches of the columns of a file that have the given names.
      count: Returns about how many rows a file has.
    """

    read: Callable[[Path, Sequence[str]], Iterator["pyarrow.RecordBatch"]]
    count: Callable[[Path], int]


READERS = {
    ".csv": Reader(_read_csv, count_lines),
    ".tsv": Reader(_read_csv, count_lines),
    ".jsonl": Reader(_read_jsonl, count_lines),
    ".parquet": Reader(_read_parquet, _count_parquet),
}
"""Reader of each kind of file, by the ending of its name."""
