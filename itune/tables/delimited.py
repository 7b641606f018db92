"""Read files whose fields are parted by commas, semicolons or tabs: CSV and TSV."""

import csv
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from itune.errors import UserError
from itune.tables.arrow import from_rows
from itune.tables.selection import Selection, require_columns
from itune.utils.text_files import read_lines

if TYPE_CHECKING:
    import pyarrow

LONGEST_FIELD = 10_000_000
"""Largest number of characters of a CSV field; a longer one lacks its closing quote."""


def read_delimited(path: Path, selection: Selection) -> Iterator["pyarrow.RecordBatch"]:
    """Yield batches of the selected columns of a file with a header and one row a line."""
    names = selection.names
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
