"""What a table is read from: named columns, of a file or in memory."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from itune.errors import UserError
from itune.tables.arrow import ROWS, as_text, import_pyarrow, typed
from itune.tables.cells import value_text
from itune.tables.selection import Selection, require_columns

if TYPE_CHECKING:
    import pyarrow


class Source(NamedTuple):
    """Something that holds named columns.

    Attributes:
      name: Name of the source in messages.
      read: Yields batches of the selected columns as strings, classes by name. Raises UserError for
        a name that is not there, and for malformed data when it is reached.
      columns: Returns the names of the columns; takes ``quoted`` of a :class:`Selection`.
      count: Returns about how many rows there are, for progress; quick, so it may be an estimate.
      classes: Returns the names of classes in order, for each column that has such an order.
      notes: What a person should know about what is read, one sentence each.
    """

    name: str
    read: Callable[[Selection], Iterator["pyarrow.RecordBatch"]]
    columns: Callable[[bool | None], Sequence[str]]
    count: Callable[[], int]
    classes: Callable[[], Mapping[str, Sequence[str]]] = dict
    notes: tuple[str, ...] = ()


def columns_source(
    columns: Sequence[tuple[str, Any]], name: str, classes: Mapping[str, Sequence[str]] = {}
) -> Source:
    """Return the source of columns in memory, each with its name; ``name`` is that of the whole."""

    def read(selection: Selection) -> Iterator["pyarrow.RecordBatch"]:
        names = selection.names
        require_columns(names, [key for key, _ in columns], name)
        chosen = [dict(columns)[key] for key in names]
        _require_one_index(chosen, name)
        sizes = [_length(column, key, name) for key, column in zip(names, chosen, strict=True)]
        if len(set(sizes)) > 1:
            listed = " and ".join(f"{n!r} {size}" for n, size in zip(names, sizes, strict=True))
            raise UserError(f"{name}: columns differ in length ({listed}); make them equally long")
        texts = [
            _texts(column, key, name, is_text=place < len(selection.texts))
            for place, (key, column) in enumerate(zip(names, chosen, strict=True))
        ]
        for _ in range(0, max(sizes), ROWS):
            parts = [next(column) for column in texts]
            yield import_pyarrow().record_batch(parts, [str(n) for n in range(len(parts))])

    return Source(
        name,
        read,
        lambda quoted: [key for key, _ in columns],
        lambda: max((len(c) for _, c in columns if hasattr(c, "__len__")), default=0),
        lambda: classes,
    )


def _require_one_index(columns: Sequence[Any], name: str) -> None:
    """Refuse Series whose index differs, which pandas pairs by it and not by their order."""
    indices = [column.index for column in columns if hasattr(column, "iloc")]
    if not all(index.equals(indices[0]) for index in indices):
        raise UserError(
            f"{name}: its Series differ in their index; make them a DataFrame, or lists in order"
        )


def _length(column: Any, name: str, source: str) -> int:
    if getattr(column, "ndim", 1) != 1:
        raise UserError(f"{source}: {name!r} has {column.ndim} axes; give one value a row")
    if isinstance(column, str | bytes | Mapping) or not hasattr(column, "__len__"):
        raise UserError(f"{source}: {name!r} is of type {type(column).__name__}; make it a list")
    return len(column)


def _texts(column: Any, name: str, source: str, *, is_text: bool) -> Iterator["pyarrow.Array"]:
    """Yield the values of a list, an array or a series as text, batch by batch."""
    arrow = import_pyarrow()
    if (whole := typed(column)) is not None:
        parts = [as_text(chunk, name, source, is_text=is_text) for chunk in whole.chunks]
        whole = arrow.chunked_array(parts, arrow.large_string())
        for start in range(0, len(whole), ROWS):
            yield whole.slice(start, ROWS).combine_chunks()
        return
    convert = next((of for of in ("tolist", "to_list") if hasattr(column, of)), None)
    values = enumerate(getattr(column, convert)() if convert else column, start=1)
    while batch := list(islice(values, ROWS)):
        texts = [value_text(v, name, f"{source}, row {n}", is_text=is_text) for n, v in batch]
        yield arrow.array(texts, arrow.large_string())
