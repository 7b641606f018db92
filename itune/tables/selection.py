"""Which columns of a table are read, and how."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from itune.errors import UserError
from itune.utils.suggestions import nearest


class Selection(NamedTuple):
    """Columns to read.

    Attributes:
      texts: Names of the columns of texts, in which lists of words are joined by blanks.
      values: Names of the columns of labels and confounds, in which a list is refused.
      quoted: Whether quotation marks enclose fields of .csv and .tsv files. None if nobody has
        said; then they do in .csv, and are characters in .tsv, unless the file looks otherwise.
    """

    texts: tuple[str, ...]
    values: tuple[str, ...] = ()
    quoted: bool | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all columns, the texts first."""
        return (*self.texts, *self.values)


def require_columns(names: Sequence[str], known: Iterable[str], source: str) -> None:
    """Check that each of the wanted columns is among the ``known`` ones of a source once."""
    known = list(known)
    for name in names:
        if not known:
            raise UserError(f"{source}: has no column {name!r}, nor any other; give it some")
        if known.count(name) > 1:
            raise UserError(f"{source}: has two columns {name!r}; rename one of them")
        if name not in known:
            near = nearest(name, known)
            listed = ", ".join(map(repr, known))
            choose = f"set text, label and confound (or none, or a rule) to some of {listed}"
            remedy = f"did you mean {near!r}?" if near else choose
            raise UserError(f"{source}: has no column {name!r}; {remedy}")
