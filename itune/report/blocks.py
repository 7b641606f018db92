"""What a page is made of: blocks of plain text, which rendering makes visible and escapes."""

from typing import NamedTuple

from itune.plots import Plot
from itune.report.text import Piece
from itune.utils.table_files import Cell

MOST = 40
"""The most rows of a table that are shown."""

ALARM, CALM, OPEN, PLAIN = "alarm", "calm", "open", "plain"


class Answer(NamedTuple):
    """The conclusion of a page: a sentence, and further ones; each tone has a sign of its own."""

    tone: str
    headline: str
    reasons: tuple[str, ...] = ()


class Tile(NamedTuple):
    """A number that is read at a glance; its note says how sure that is."""

    value: str
    name: str
    note: str = ""


class Tiles(NamedTuple):
    """The few numbers that matter most, side by side."""

    tiles: tuple[Tile, ...]


class Paragraph(NamedTuple):
    """A paragraph."""

    text: str


class Bar(NamedTuple):
    """A cell of a table that shows a share, from 0 to 1, as a bar with its number and interval.

    The mark is a word that sets it apart from others, such as ``worst``.
    """

    share: float | None
    text: str
    low: float | None = None
    high: float | None = None
    mark: str = ""


class Table(NamedTuple):
    """A table; the first cell of each row is its head, and the note stands below.

    A sortable one can be ordered by any of its columns where it is read.
    """

    caption: str
    header: tuple[str, ...]
    rows: tuple[tuple[Cell | Bar, ...], ...]
    note: str = ""
    is_sortable: bool = False

    def first(self, size: int) -> "Table":
        """Return the table with its first ``size`` rows; its note says how many are left out."""
        rest = len(self.rows) - size
        if rest <= 0:
            return self
        note = f"{self.note} {rest:,} more rows are in report.json.".lstrip()
        return self._replace(rows=self.rows[:size], note=note)


class Figure(NamedTuple):
    """A drawing, its description in words and numbers, and how to read it."""

    svg: str
    alt: str
    caption: str

    @classmethod
    def of(cls, plot: Plot) -> "Figure":
        """Return the figure of a plot."""
        return cls(plot.to_svg(), plot.alt, plot.caption)


class Sentence(NamedTuple):
    """The text of an example, or its two texts, and facts such as its label.

    The influence, from -1 to 1, is on the example that is explained; None for that one itself.
    """

    texts: tuple[tuple[Piece, ...], ...]
    facts: tuple[str, ...] = ()
    influence: float | None = None


class SentenceList(NamedTuple):
    """Sentences under a heading."""

    heading: str
    sentences: tuple[Sentence, ...]


class Sentences(NamedTuple):
    """A sentence, and lists of others that belong to it, side by side where there is room."""

    heading: str
    sentence: Sentence | None
    lists: tuple[SentenceList, ...]


class Code(NamedTuple):
    """Text that is typed into a terminal, or a program."""

    text: str


class Facts(NamedTuple):
    """Terms, and a text on each."""

    rows: tuple[tuple[str, str], ...]


Block = Answer | Tiles | Paragraph | Table | Figure | Sentences | Code | Facts


class Section(NamedTuple):
    """Blocks under a heading."""

    title: str
    blocks: tuple[Block, ...]


class Page(NamedTuple):
    """A page; its lead is read first."""

    title: str
    subtitle: str
    lead: tuple[Block, ...]
    sections: tuple[Section, ...]
    footer: str
