"""Columns of a table, checked and written to disk."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from itune.errors import UserError
from itune.tables.arrow import is_blank, spool
from itune.tables.sources import Source
from itune.utils.progress import OnProgress, no_progress

if TYPE_CHECKING:
    import pyarrow


def read_columns(
    sources: Mapping[str, Source],
    names: Sequence[str],
    texts: Sequence[str],
    on_progress: OnProgress = no_progress,
) -> dict[str, "pyarrow.Table"]:
    """Write columns to files and map these into memory.

    Args:
      sources: The source of each split, by the name of the split.
      names: Names of the columns to read.
      texts: Names of the columns, the first of ``names``, in which no value may be empty.
      on_progress: Called with the number of rows read so far.

    Returns:
      The columns of each split, in the order of ``names``, by the name of the split.

    Raises:
      UserError: A text is empty, a split has no row, a column is missing, or a source is malformed.
    """
    total = 0 if on_progress is no_progress else sum(source.count() for source in sources.values())
    read, done = {}, 0
    for split, source in sources.items():

        def progress(rows: int, done: int = done) -> None:
            on_progress("rows", done + rows, max(total, done + rows))

        batches = _checked(source, names, texts, progress)
        read[split] = spool(batches, [f"{place} {name}" for place, name in enumerate(names)])
        if not read[split].num_rows:
            raise UserError(f"{source.name}: has no row; give it some")
        done += read[split].num_rows
    return read


def _checked(
    source: Source, names: Sequence[str], texts: Sequence[str], progress: Callable[[int], None]
) -> Iterator["pyarrow.RecordBatch"]:
    start = 0
    for batch in source.read(names):
        for name, column in zip(texts, batch.columns, strict=False):
            blank = is_blank(column)
            if blank.true_count:
                row = start + blank.index(True).as_py() + 1
                raise UserError(
                    f"{source.name}, row {row}: {name!r} is empty; remove the row or fill it"
                )
        start += len(batch)
        progress(start)
        yield batch
