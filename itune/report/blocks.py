"""What a page is made of. Blocks hold plain text; escaping it is the work of the rendering."""

from typing import NamedTuple

from itune.plots import Plot
from itune.report.text import Piece
from itune.utils.table_files import Cell

MOST = 40
"""Rows that a long table shows."""

ALARM, CALM, OPEN, PLAIN = "alarm", "calm", "open", "plain"


class Answer(NamedTuple):
    """What the page comes to, in words.

    Attributes:
      tone: ``alarm``, ``calm``, ``open`` (nothing can be said) or ``plain`` (no more than it says);
        each has a sign of its own.
      headline: one sentence.
      reasons: a sentence each.
    """

    tone: str
    headline: str
    reasons: tuple[str, ...] = ()


class Tile(NamedTuple):
    """A number that is read at a glance.

    Attributes:
      value: as it is shown.
      name: what it is.
      note: how sure it is, or what to compare it with.
    """

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
    """A cell of a table that shows a share as a bar, with its number.

    Attributes:
      share: from 0 to 1; None where it is unknown.
      text: the number as it is shown.
      low: lower end of its interval, if there is one.
      high: upper end.
      mark: a word that sets this bar apart from others, such as ``worst``.
    """

    share: float | None
    text: str
    low: float | None = None
    high: float | None = None
    mark: str = ""


class Table(NamedTuple):
    """A table; the first cell of each row is its head.

    Attributes:
      caption: what it shows.
      header: heads of the columns.
      rows: cells: text, numbers, None, bars.
      note: below the table.
    """

    caption: str
    header: tuple[str, ...]
    rows: tuple[tuple[Cell | Bar, ...], ...]
    note: str = ""

    def first(self, size: int) -> "Table":
        """The same with so many rows at most; the note tells how many are left out."""
        rest = len(self.rows) - size
        if rest <= 0:
            return self
        note = f"{self.note} {rest:,} more rows are in report.json.".lstrip()
        return self._replace(rows=self.rows[:size], note=note)


class Figure(NamedTuple):
    """A drawing.

    Attributes:
      svg: Drawing as :meth:`itune.plots.Plot.to_svg` makes it.
      alt: What it shows, in words and numbers.
      caption: How to read it.
    """

    svg: str
    alt: str
    caption: str

    @classmethod
    def of(cls, plot: Plot) -> "Figure":
        """Return the figure of a plot."""
        return cls(plot.to_svg(), plot.alt, plot.caption)


class Sentence(NamedTuple):
    """The text of an example, or its two texts.

    Attributes:
      texts: pieces of each text.
      facts: what is known about it: label, confound, prediction.
      influence: on the example whose prediction is explained, from -1 to 1; None for that itself.
    """

    texts: tuple[tuple[Piece, ...], ...]
    facts: tuple[str, ...] = ()
    influence: float | None = None


class SentenceList(NamedTuple):
    """Sentences under a heading."""

    heading: str
    sentences: tuple[Sentence, ...]


class Sentences(NamedTuple):
    """A sentence, and lists of others that belong to it.

    Attributes:
      heading: what this is.
      sentence: the one that it is about, if there is one.
      lists: side by side where there is room.
    """

    heading: str
    sentence: Sentence | None
    lists: tuple[SentenceList, ...]


class Code(NamedTuple):
    """What is typed into a terminal, or a program."""

    text: str


class Facts(NamedTuple):
    """Terms, and what is to be said of each."""

    rows: tuple[tuple[str, str], ...]


Block = Answer | Tiles | Paragraph | Table | Figure | Sentences | Code | Facts


class Section(NamedTuple):
    """Blocks under a heading."""

    title: str
    blocks: tuple[Block, ...]


class Page(NamedTuple):
    """A page.

    Attributes:
      title: of the page.
      subtitle: what was looked at, in a line.
      lead: what is read first.
      sections: the rest.
      footer: the last line.
    """

    title: str
    subtitle: str
    lead: tuple[Block, ...]
    sections: tuple[Section, ...]
    footer: str
