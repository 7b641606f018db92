"""What commands print: tables, and texts of other people on one line of a terminal."""

from collections.abc import Iterable, Sequence

from itune.utils.table_files import Cell, Row, align, cell_text

WIDTH = 40
"""Characters of a name that are shown."""

ISOLATES = "\u2066\u2067\u2068\u2069"
"""Marks around names on pages, which a terminal does without."""

JOINERS = "\u200c\u200d"
"""Zero-width characters that Persian, Indic scripts and emoji are written with."""

EXCERPT = 100
"""Characters of a text that are shown."""


def table(header: Sequence[str], rows: Iterable[Row]) -> str:
    """Return a table as text in columns, with numbers to three digits and long names shortened."""
    return align([list(map(_in_cell, row)) for row in (header, *rows)])


def _in_cell(value: Cell) -> str:
    text = str(value) if isinstance(value, int) else printable(cell_text(value))
    return text if len(text) <= WIDTH else text[: WIDTH - 1] + "…"


def printable(text: str) -> str:
    r"""Return a text on one line, without control characters; joiners of letters stay.

    >>> printable("a\n\x1b[1mb")
    'a �[1mb'
    """
    return "".join(map(_shown, text))


def _shown(character: str) -> str:
    if character.isprintable() or character in JOINERS:
        return character
    return " " if character.isspace() else "" if character in ISOLATES else "\ufffd"


def excerpt(text: str, spans: Iterable[tuple[int, int]] = (), width: int = EXCERPT) -> str:
    """Return the part of a text around the first of some spans, on one line, spans in brackets.

    >>> excerpt("It is a very nice day", [(13, 17)], width=13)
    '…very [nice] day'
    """
    spans = list(spans)
    start = max(spans[0][0] - width // 2 + 1, 0) if spans else 0
    start = max(min(start, len(text) - width), 0)
    stop = min(start + width, len(text))
    pieces, end = [], start
    for first, last in spans:
        if last <= stop:
            pieces += [text[end:first], "[", text[first:last], "]"]
            end = last
    pieces.append(text[end:stop])
    shown = "".join(pieces).strip()
    return printable("…" * (start > 0) + shown + "…" * (stop < len(text)))
