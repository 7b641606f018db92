"""Columns of text kept in a file instead of in memory (Apache Arrow)."""

import json
import math
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from itune.errors import UserError
from itune.tables.cells import float_text, value_text
from itune.tables.selection import Selection
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
    """Write batches of columns of text to a temporary file and map it into memory.

    The operating system loads the pages that are read, and drops them when memory is short. The
    file has no name any more when this returns, and is deleted with the table.
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


def typed(column: Any) -> "pyarrow.ChunkedArray | None":
    """Return a column in Arrow's form if its values have one type, as those of arrays and series.

    None for a list, a column of objects, and one of a type that Arrow has not.
    """
    arrow = import_pyarrow()
    dtype = getattr(column, "dtype", None)
    dtypes = (dtype, getattr(getattr(dtype, "categories", None), "dtype", None))
    if "object" in (str(kind).lower() for kind in dtypes):
        return None
    try:
        if hasattr(column, "__arrow_c_stream__") or hasattr(column, "__arrow_c_array__"):
            return arrow.chunked_array(column)
        if hasattr(column, "__array__") and not hasattr(column, "__arrow_array__"):
            column = column if hasattr(column, "iloc") else np.asanyarray(column)
        return None if dtype is None else arrow.chunked_array([arrow.array(column)])
    except (arrow.ArrowException, TypeError, ValueError, RuntimeError):
        return None


def as_text(column: Any, name: str, source: str, *, is_text: bool) -> "pyarrow.Array":
    """Return a column as strings, spelt as :func:`~itune.tables.cells.value_text` does.

    ``name`` is the column and ``source`` the file or object that it comes from, for messages.
    """
    arrow = import_pyarrow()
    try:
        if isinstance(column.type, arrow.BaseExtensionType):
            if not _is_text(column.storage.type):  # such as the number of a period
                raise arrow.ArrowInvalid("its values are no text")
            column = column.storage
        if arrow.types.is_dictionary(column.type):
            values = as_text(column.dictionary, name, source, is_text=is_text)
            return values.take(column.indices)
        if arrow.types.is_floating(column.type):  # of their own precision
            numbers = column.fill_null(math.nan).to_numpy(zero_copy_only=False)
            column = arrow.array(map(float_text, numbers), arrow.large_string())
        elif arrow.types.is_temporal(column.type) or _is_list(column.type):
            texts = [value_text(v, name, source, is_text=is_text) for v in column.to_pylist()]
            column = arrow.array(texts, arrow.large_string())
        column = column.cast(arrow.large_string())
        column.validate(full=True)
    except UserError:
        raise
    except (arrow.ArrowException, ValueError, OverflowError) as error:  # dates that Python has not
        raise UserError(
            f"{source}: column {name!r} holds {column.type}, which cannot be read as text "
            f"({first_line(error)}); name a column of text or numbers"
        ) from None
    return column


def _is_text(kind: "pyarrow.DataType") -> bool:
    types = import_pyarrow().types
    return types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind)


def _is_list(kind: "pyarrow.DataType") -> bool:
    types = import_pyarrow().types
    checks = (types.is_list, types.is_large_list, types.is_fixed_size_list, types.is_list_view)
    return any(check(kind) for check in (*checks, types.is_large_list_view))


def select(
    batch: Any, selection: Selection, source: str, classes: Mapping[str, Sequence[str]] = {}
) -> "pyarrow.RecordBatch":
    """Return the selected columns of a batch as text; numbers of ``classes`` as their names."""
    arrow = import_pyarrow()
    columns = []
    for name in selection.names:
        column = batch.column(name)
        if name in classes and arrow.types.is_integer(column.type):
            column = _class_names(column, classes[name], name, source)
        columns.append(as_text(column, name, source, is_text=name in selection.texts))
    return arrow.record_batch(columns, [str(number) for number in range(len(columns))])


def _class_names(column: Any, classes: Sequence[str], name: str, source: str) -> "pyarrow.Array":
    """Return the names of classes given by number; -1 is missing."""
    arrow = import_pyarrow()
    compute = arrow.compute
    column = compute.if_else(compute.equal(column, -1), None, column)
    ends = compute.min_max(column).as_py()
    for place in ends.values():
        if place is not None and not 0 <= place < len(classes):
            raise UserError(
                f"{source}: column {name!r} holds class {place}, but has names for {len(classes)}; "
                "name it or correct it"
            )
    return arrow.array(classes, arrow.large_string()).take(column)


def classes_of(schema: "pyarrow.Schema") -> dict[str, list[str]]:
    """Return the names of classes that ``datasets`` has noted in a schema, by column."""
    noted = (schema.metadata or {}).get(b"huggingface")
    try:
        features = json.loads(noted)["info"]["features"] if noted else {}
        return {
            name: [str(label) for label in feature["names"]]
            for name, feature in features.items()
            if isinstance(feature, dict) and feature.get("_type") == "ClassLabel"
        }
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}  # somebody else's note


def is_blank(column: "pyarrow.Array") -> "pyarrow.Array":
    """Return whether each string is missing, or has nothing but white space."""
    compute = import_pyarrow().compute
    lengths = compute.binary_length(compute.utf8_trim_whitespace(column))
    return compute.fill_null(compute.equal(lengths, 0), True)
