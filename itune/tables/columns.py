"""The columns of a table on disk, checked on the way."""

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
    """Writes columns to files and maps these into memory.

    Args:
      sources: of each split.
      names: of the columns.
      texts: which of them, at the beginning, must not be empty.
      on_progress: told the rows read.

    Raises:
      UserError: a text is empty, or a split has no row; or as ``Source.read``.
    """
    total = 0 if on_progress is no_progress else sum(source.count() for source in sources.values())
    read, done = {}, 0
    for split, source in sources.items():

        def progress(rows, done=done):
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
