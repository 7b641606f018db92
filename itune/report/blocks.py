"""What a page is made of: blocks of plain text, which rendering makes visible and escapes."""

from typing import NamedTuple

from itune.plots import Plot
from itune.report.text import Piece
from itune.utils.table_files import Cell

MOST = 40
"""The most rows of a table that are shown."""

ALARM, CALM, OPEN, PLAIN = "alarm", "calm", "open", "plain"


class Answer(NamedTuple):
    """The conclusion of a page in words.

    Attributes:
      tone: ``alarm``, ``calm``, ``open`` (inconclusive) or ``plain`` (neither good nor bad), each
        with a sign of its own.
      headline: One sentence.
      reasons: Further sentences.
    """

    tone: str
    headline: str
    reasons: tuple[str, ...] = ()


class Tile(NamedTuple):
    """A number that is read at a glance.

    Attributes:
      value: The number as it is shown.
      name: What the number is.
      note: How sure the number is, or what to compare it with.
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
      share: Length of the bar, from 0 to 1; None where it is unknown.
      text: The number as it is shown.
      low: Lower end of its interval, if there is one.
      high: Upper end of its interval, if there is one.
      mark: Word that sets this bar apart from others, such as ``worst``.
    """

    share: float | None
    text: str
    low: float | None = None
    high: float | None = None
    mark: str = ""


class Table(NamedTuple):
    """A table; the first cell of each row is its head.

    Attributes:
      caption: What the table shows.
      header: Heads of the columns.
      rows: Cells of each row: text, numbers, None, bars.
      note: What stands below the table.
    """

    caption: str
    header: tuple[str, ...]
    rows: tuple[tuple[Cell | Bar, ...], ...]
    note: str = ""

    def first(self, size: int) -> "Table":
        """Return the table with its first ``size`` rows; its note says how many are left out."""
        rest = len(self.rows) - size
        if rest <= 0:
            return self
        note = f"{self.note} {rest:,} more rows are in report.json.".lstrip()
        return self._replace(rows=self.rows[:size], note=note)


class Figure(NamedTuple):
    """A drawing.

    Attributes:
      svg: Drawing as :meth:`itune.plots.Plot.to_svg` makes it.
      alt: Description of the drawing in words and numbers.
      caption: Caption, which says how to read the drawing.
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
      texts: Pieces of each text.
      facts: What is known about the example: label, confound, prediction.
      influence: Influence on the example whose prediction is explained, from -1 to 1; None for that
        example itself.
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
      heading: Heading of the block.
      sentence: The sentence that the lists are about, if there is one.
      lists: Lists of sentences, side by side where there is room.
    """

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
    """A page.

    Attributes:
      title: Title of the page.
      subtitle: What was looked at, in one line.
      lead: Blocks that are read first.
      sections: Sections below the lead.
      footer: Last line of the page.
    """

    title: str
    subtitle: str
    lead: tuple[Block, ...]
    sections: tuple[Section, ...]
    footer: str
