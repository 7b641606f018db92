"""Columns of a table, checked, written to disk, and numbered."""

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np

from itune.errors import UserError
from itune.groups import HIDDEN
from itune.tables.arrow import is_blank, spool
from itune.tables.selection import Selection
from itune.tables.source import Source
from itune.tables.sources import joined_classes
from itune.tables.values import NumberedValues, as_number, number_values
from itune.utils.progress import OnProgress, no_progress

if TYPE_CHECKING:
    import pyarrow


def read_columns(
    sources: Mapping[str, Source], selection: Selection, on_progress: OnProgress = no_progress
) -> dict[str, "pyarrow.Table"]:
    """Write the selected columns of each split to a file and map it into memory.

    The result is by name of the split, its columns in the order of the selection. UserError if a
    text is empty, a split has no row, a column is missing, or a source is malformed.
    """
    total = 0 if on_progress is no_progress else sum(source.count() for source in sources.values())
    read, done = {}, 0
    for split, source in sources.items():

        def progress(rows: int, done: int = done) -> None:
            on_progress("rows", done + rows, max(total, done + rows))

        batches = _checked(source, selection, progress)
        names = [f"{place} {name}" for place, name in enumerate(selection.names)]
        read[split] = spool(batches, names)
        if not read[split].num_rows:
            raise UserError(f"{source.name}: has no row; give it some")
        done += read[split].num_rows
    return read


def _checked(
    source: Source, selection: Selection, progress: Callable[[int], None]
) -> Iterator["pyarrow.RecordBatch"]:
    start = 0
    for batch in source.read(selection):
        for name, column in zip(selection.texts, batch.columns, strict=False):
            blank = is_blank(column)
            if blank.true_count:
                row = start + blank.index(True).as_py() + 1
                raise UserError(
                    f"{source.name}, row {row}: {name!r} is empty; remove the row or fill it"
                )
        start += len(batch)
        progress(start)
        yield batch


def number_column(
    columns: Mapping[str, "pyarrow.ChunkedArray"], sources: Mapping[str, Source], name: str
) -> NumberedValues:
    """Number the labels or confounds of each split, classes in their order.

    UserError if one split has names of classes and another has numbers, which are no such names.
    """
    known = {split: source.classes().get(name, ()) for split, source in sources.items()}
    classes = joined_classes(source.classes() for source in sources.values()).get(name, [])
    found = number_values(list(columns.values()), classes)
    for split, codes in zip(columns, found.codes, strict=True):
        values = {found.names[code] for code in np.unique(codes) if code != HIDDEN}
        others = values - {*classes, "-1"}
        if classes and not known[split] and others and None not in map(as_number, others):
            other = next(split for split, names in known.items() if names)
            raise UserError(
                f"{sources[split].name}: column {name!r} holds numbers such as {min(others)}, "
                f"where that of {other} has names of classes; write the names in both"
            )
    return found
