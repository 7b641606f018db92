"""Columns of text kept in a file instead of in memory (Apache Arrow)."""

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from types import ModuleType
from typing import TYPE_CHECKING, Any

from itune.errors import UserError
from itune.utils.formats import first_line

if TYPE_CHECKING:
    import pyarrow

ROWS = 10_000
"""Number of rows of a batch."""


def import_pyarrow() -> ModuleType:
    """Import pyarrow with its compute and Parquet modules, which take long to import."""
    import pyarrow
    import pyarrow.compute
    import pyarrow.parquet

    return pyarrow


def spool(batches: Iterable["pyarrow.RecordBatch"], names: Sequence[str]) -> "pyarrow.Table":
    """Write batches to a temporary file and map it into memory.

    The operating system loads the pages that are read, and drops them when memory is short. The
    file has no name any more when this returns, and is deleted with the table.

    Args:
      batches: Batches of columns of text, in the order of ``names``.
      names: Names of the columns.

    Returns:
      The table, whose columns have type ``large_string``.

    Raises:
      UserError: The temporary folder cannot hold the file.
    """
    arrow = import_pyarrow()
    schema = arrow.schema([(name, arrow.large_string()) for name in names])
    try:
        with tempfile.NamedTemporaryFile(suffix=".arrow") as file:
            with arrow.ipc.new_file(file, schema) as writer:
                for batch in batches:
                    writer.write_batch(arrow.record_batch(batch.columns, schema=schema))
            file.flush()
            return arrow.ipc.open_file(arrow.memory_map(file.name)).read_all()
    except OSError as error:
        raise UserError(
            f"{tempfile.gettempdir()} cannot hold the table ({first_line(error)}); make room, or "
            "name another folder by the environment variable TMPDIR"
        ) from None


def from_rows(rows: Iterable[Sequence[str | None]], width: int) -> Iterator["pyarrow.RecordBatch"]:
    """Pack rows of ``width`` strings into batches."""
    arrow = import_pyarrow()
    rest = iter(rows)
    while batch := list(islice(rest, ROWS)):
        columns = [arrow.array(column, arrow.large_string()) for column in zip(*batch, strict=True)]
        yield arrow.record_batch(columns, [str(number) for number in range(width)])


def as_text(column: Any, name: str, source: str) -> "pyarrow.Array":
    """Return a column as strings: numbers as they are written, lists of words joined by blanks.

    Args:
      column: An Arrow array of any type.
      name: Name of the column, for error messages.
      source: Name of the file or object that the column comes from, for error messages.

    Raises:
      UserError: The column holds something else, or text that is not UTF-8.
    """
    arrow = import_pyarrow()
    try:
        if arrow.types.is_dictionary(column.type):
            column = column.dictionary_decode()
        if arrow.types.is_list(column.type) or arrow.types.is_large_list(column.type):
            column = arrow.compute.binary_join(column.cast(arrow.list_(arrow.string())), " ")
        column = column.cast(arrow.large_string())
        column.validate(full=True)
    except arrow.ArrowException as error:
        raise UserError(
            f"{source}: column {name!r} holds {column.type}, which cannot be read as text "
            f"({first_line(error)}); name a column of text or numbers"
        ) from None
    return column


def is_blank(column: "pyarrow.Array") -> "pyarrow.Array":
    """Return whether each string is missing, or has nothing but white space."""
    compute = import_pyarrow().compute
    lengths = compute.binary_length(compute.utf8_trim_whitespace(column))
    return compute.fill_null(compute.equal(lengths, 0), True)
