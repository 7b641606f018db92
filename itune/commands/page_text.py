"""A page as text for a terminal."""

import textwrap
from collections.abc import Iterator, Sequence
from itertools import accumulate

from itune.commands.text import excerpt, printable, table
from itune.report.accuracies import INTERVALS
from itune.report.blocks import (
    Answer,
    Bar,
    Block,
    Code,
    Page,
    Paragraph,
    Sentence,
    Sentences,
    Table,
)
from itune.report.text import Piece
from itune.utils.formats import percent, signed
from itune.utils.table_files import Cell

LINE = 100
"""Characters of a line of prose."""

BRACKETS = "In brackets: 95 % intervals (Wilson)."
"""What stands in a terminal for the note on the lines across bars."""


def page_text(page: Page, *titles: str, with_intervals: bool = False) -> str:
    """Return the title, answer and paragraphs of a page, and the sections of some titles, as text.

    Figures are left out; bars are numbers, with or without their intervals.
    """
    sections = [section for section in page.sections if section.title in titles]
    blocks = [*page.lead, *(block for section in sections for block in section.blocks)]
    head = "\n".join(map(wrapped, (page.title, page.subtitle)))
    texts = (_block_text(block, with_intervals) for block in blocks)
    return "\n\n".join([head, *filter(None, texts)])


def wrapped(text: str, first: str = "", rest: str = "") -> str:
    """Return a text in lines of :data:`LINE` characters, which begin with ``first`` or ``rest``."""
    return textwrap.fill(printable(text), LINE, initial_indent=first, subsequent_indent=rest)


def _block_text(block: Block, with_intervals: bool) -> str:
    if isinstance(block, Answer):
        reasons = (wrapped(reason, "- ", "  ") for reason in block.reasons)
        return "\n".join([wrapped(block.headline), *reasons])
    if isinstance(block, Paragraph):
        return wrapped(block.text)
    if isinstance(block, Table):
        body = ([_cell(cell, with_intervals) for cell in row] for row in block.rows)
        intervals = BRACKETS if with_intervals else ""
        note = block.note.replace(INTERVALS, intervals).lstrip()
        rows = table(block.header, body)
        return "\n".join(filter(None, [wrapped(block.caption), rows, wrapped(note)]))
    if isinstance(block, Sentences):
        return "\n".join(_sentences(block))
    if isinstance(block, Code):
        return "\n".join(map(printable, block.text.splitlines()))
    return ""


def _cell(cell: Cell | Bar, with_interval: bool) -> Cell:
    if not isinstance(cell, Bar):
        return cell
    interval = ""
    if with_interval and cell.low is not None and cell.high is not None:
        number = percent if cell.text.endswith("%") else "{:.3f}".format
        interval = f"({number(cell.low)} to {number(cell.high)})"
    return " ".join(filter(None, [cell.text, interval, cell.mark]))


def _sentences(block: Sentences) -> Iterator[str]:
    """Yield a sentence and its lists, a line each; what is marked stands in brackets."""
    if block.sentence is None:
        yield printable(block.heading)
    else:
        yield printable(f"{block.heading}: {_excerpts(block.sentence)}")
        yield printable(f"  {', '.join(block.sentence.facts)}")
    for part in block.lists:
        yield printable(f"  {part.heading}")
        for sentence in part.sentences:
            influence = "" if sentence.influence is None else f"{signed(sentence.influence)}  "
            facts = f"  ({', '.join(sentence.facts)})" if sentence.facts else ""
            yield printable(f"    {influence}{_excerpts(sentence)}{facts}")


def _excerpts(sentence: Sentence) -> str:
    return " | ".join(map(_excerpt, sentence.texts))


def _excerpt(pieces: Sequence[Piece]) -> str:
    ends = [*accumulate(len(piece.text) for piece in pieces)]
    spans = [
        (end - len(piece.text), end)
        for piece, end in zip(pieces, ends, strict=True)
        if piece.is_marked
    ]
    return excerpt("".join(piece.text for piece in pieces), spans)
