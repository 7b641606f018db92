"""Read files whose fields are parted by commas, semicolons or tabs: CSV and TSV."""

import csv
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from itune.errors import UserError, option
from itune.tables.arrow import from_rows
from itune.tables.selection import Selection, require_columns
from itune.utils.text_files import brief, read_lines

if TYPE_CHECKING:
    import pyarrow

LONGEST_FIELD = 10_000_000
"""Largest number of characters of a quoted field; a longer one lacks its closing quote."""


class _Row(NamedTuple):
    """Fields of a row, and the lines of the file that it stands in, the first by its number."""

    fields: list[str]
    number: int
    lines: list[str]


def read_delimited(path: Path, selection: Selection) -> Iterator["pyarrow.RecordBatch"]:
    """Yield batches of the selected columns of a file with a header and one row a line.

    If nobody has said whether quotation marks enclose fields, a file that looks otherwise is
    refused when all of it is read.
    """
    header, rows, delimiter, is_quoted = _open(path, selection.quoted)
    rows = _of_width(rows, len(header), delimiter, path, is_quoted=is_quoted)
    if selection.quoted is None:
        if not is_quoted and any(map(_is_enclosed, header)):
            raise UserError(
                f"{path}: its header is in quotation marks, which are characters in .tsv; say "
                f"{_quoted(True)} if they enclose fields, or {_quoted(False)}"
            )
        values = [header.index(name) for name in selection.values if name in header]
        if is_quoted:
            rows = _require_rows(rows, values, delimiter, path)
        else:
            rows = _require_characters(rows, path)
    require_columns(selection.names, header, str(path))
    places = [header.index(name) for name in selection.names]
    fields = ([row.fields[place] for place in places] for row in rows)
    return from_rows(fields, len(places))


def delimited_columns(path: Path, quoted: bool | None) -> list[str]:
    """Return the names of the columns of a file."""
    return _open(path, quoted)[0]


def _open(path: Path, quoted: bool | None) -> tuple[list[str], Iterator[_Row], str, bool]:
    """Return the header, the other rows, the delimiter, and whether quotation marks enclose."""
    lines = read_lines(path)
    blank = 0
    while (first := next(lines, "")).isspace():
        blank += 1
    delimiter = _delimiter(first, path)
    is_quoted = (delimiter != "\t" or path.suffix.lower() != ".tsv") if quoted is None else quoted
    read = _quoted_rows if is_quoted else _bare_rows
    rows = read(chain([first], lines), delimiter, path, blank)
    header = [name.strip() for name in next(rows, _Row([], 1, [])).fields]
    if not header:
        raise UserError(f"{path}: is empty; give a file with a header and one row a line")
    return header, rows, delimiter, is_quoted


def _quoted(value: bool) -> str:
    """Return how the caller says whether quotation marks enclose fields."""
    name = option("quoted")
    return f"{name} {str(value).lower()}" if name.startswith("-") else f"{name}={value}"


def _delimiter(header: str, path: Path) -> str:
    r"""Return the one of ``,``, ``;`` and ``\t`` that the header has most of; a tab in .tsv."""
    if path.suffix.lower() == ".tsv" and "\t" in header:
        return "\t"
    return max(",;\t", key=header.count)


def _bare_rows(lines: Iterator[str], delimiter: str, path: Path, blank: int) -> Iterator[_Row]:
    """Yield the lines that are not empty, with quotation marks as characters."""
    for number, line in enumerate(lines, start=blank + 1):
        bare = line.removesuffix("\n").removesuffix("\r")
        if number == blank + 1 and "\r" in bare:
            raise _lone_return(path, number)
        if bare:
            yield _Row(bare.split(delimiter), number, [line])


def _quoted_rows(lines: Iterator[str], delimiter: str, path: Path, blank: int) -> Iterator[_Row]:
    """Yield the rows that are not empty, with quotation marks around fields."""
    taken: list[str] = []

    def noted() -> Iterator[str]:
        for line in lines:
            taken.append(line)
            yield line

    csv.field_size_limit(LONGEST_FIELD)
    reader = csv.reader(noted(), delimiter=delimiter, strict=True)
    while True:
        number = blank + reader.line_num + 1
        taken.clear()
        try:
            fields = next(reader, None)
        except csv.Error as error:
            if "new-line character" in str(error):
                raise _lone_return(path, number) from None
            raise UserError(
                f"{path}, line {number}: is no CSV ({error}); close every quote, and double those "
                f"inside quoted text, or say {_quoted(False)} if quotation marks are characters"
            ) from None
        if fields is None:
            return
        if fields:
            yield _Row(fields, number, list(taken))


def _lone_return(path: Path, number: int) -> UserError:
    return UserError(
        rf"{path}, line {number}: holds a carriage return, \r, outside of quotation marks; end "
        r"lines with \n, and quote text that holds \r or take it out"
    )


def _of_width(
    rows: Iterator[_Row], width: int, delimiter: str, path: Path, *, is_quoted: bool
) -> Iterator[_Row]:
    """Yield rows, all of which must have as many fields as the header."""
    name = {"\t": "tabs", ",": "commas", ";": "semicolons"}[delimiter]
    remedy = f"take {name} and line ends out of text, or say {_quoted(True)} if it is in quotes"
    if is_quoted:
        remedy = 'put "quotes" around text that holds the separator'
    for row in rows:
        if len(row.fields) != width:
            count = f"{len(row.fields)} field{'s' * (len(row.fields) != 1)}"
            raise UserError(
                f"{path}, line {row.number}: has {count} but the header {width}; {remedy}"
            )
        yield row


def _require_rows(
    rows: Iterator[_Row], values: Sequence[int], delimiter: str, path: Path
) -> Iterator[_Row]:
    """Yield rows; refuse a field that swallows lines that look like rows of their own.

    Such a line has as many fields as the header, and among ``values``, the places of label and
    confound, one that occurs in rows of one line. One line of a row may look so by itself.
    """
    known: set[tuple[int, str]] = set()
    suspects: list[tuple[_Row, list[set[tuple[int, str]]]]] = []
    for row in rows:
        if len(row.lines) == 1:
            known |= _values(row.fields, values)
        else:
            pieces = [line.rstrip("\r\n").split(delimiter) for line in row.lines]
            alike = [_values(piece, values) for piece in pieces if len(piece) == len(row.fields)]
            if len(alike) > 1:
                suspects.append((row, alike))
        yield row
    for row, alike in suspects:
        if sum(not known.isdisjoint(found) for found in alike) > 1:
            end = row.number + len(row.lines) - 1
            raise UserError(
                f"{path}, line {row.number}: a quotation mark opens a field that goes on to line "
                f"{end}, over what look like rows; say {_quoted(False)} if quotation marks are "
                f"characters, or {_quoted(True)} if it is one field"
            )


def _values(fields: Sequence[str], places: Sequence[int]) -> set[tuple[int, str]]:
    return {(place, text) for place in places if (text := fields[place].strip())}


def _require_characters(rows: Iterator[_Row], path: Path) -> Iterator[_Row]:
    """Yield rows; refuse a file whose quotation marks all enclose fields, and are doubled in one.

    So do the programs write that put quotation marks around fields that hold some.
    """
    enclosed: _Row | None = None
    example, is_sure = "", True
    for row in rows:
        for field in row.fields:
            if '"' in field and is_sure:
                is_sure = _is_enclosed(field)
                if is_sure and enclosed is None and (field == '""' or '""' in field[1:-1]):
                    enclosed, example = row, field
        yield row
    if enclosed is not None and is_sure:
        raise UserError(
            f"{path}, line {enclosed.number}: quotation marks seem to enclose fields, as in "
            f"{brief(example)}; say {_quoted(True)} if they do, or {_quoted(False)}"
        )


def _is_enclosed(field: str) -> bool:
    """Return whether a field is in quotation marks, with those inside it doubled."""
    inner = field[1:-1]
    return len(field) > 1 and field[0] == field[-1] == '"' and '"' not in inner.replace('""', "")
