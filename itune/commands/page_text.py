"""A page as text for a terminal."""

import textwrap
from collections.abc import Sequence

from itune.commands.text import printable, table
from itune.report.accuracies import INTERVALS
from itune.report.blocks import Answer, Bar, Block, Page, Paragraph, Table
from itune.utils.table_files import Cell

LINE = 100
"""Characters of a line of prose."""


def page_text(page: Page, *titles: str) -> str:
    """Return the title, answer and paragraphs of a page, and the tables of sections by title."""
    sections = [section for section in page.sections if section.title in titles]
    blocks = [*page.lead, *(block for section in sections for block in section.blocks)]
    head = "\n".join(map(wrapped, (page.title, page.subtitle)))
    return "\n\n".join([head, *filter(None, map(_block_text, blocks))])


def wrapped(text: str, first: str = "", rest: str = "") -> str:
    """Return a text in lines of :data:`LINE` characters, which begin with ``first`` or ``rest``."""
    return textwrap.fill(printable(text), LINE, initial_indent=first, subsequent_indent=rest)


def _block_text(block: Block) -> str:
    if isinstance(block, Answer):
        reasons = (wrapped(reason, "- ", "  ") for reason in block.reasons)
        return "\n".join([wrapped(block.headline), *reasons])
    if isinstance(block, Paragraph):
        return wrapped(block.text)
    if isinstance(block, Table):
        rows = table(block.header, map(_cells, block.rows))
        note = block.note.replace(INTERVALS, "").lstrip()  # of bars, which have none here
        return "\n".join(filter(None, [wrapped(block.caption), rows, wrapped(note)]))
    return ""


def _cells(row: Sequence[Cell | Bar]) -> list[Cell]:
    return [f"{cell.text} {cell.mark}".strip() if isinstance(cell, Bar) else cell for cell in row]
