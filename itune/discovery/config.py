"""How thoroughly candidates are searched for and confirmed."""

from dataclasses import dataclass

from itune.errors import require
from itune.tables.rules import parse_rule


@dataclass(frozen=True)
class DiscoverConfig:
    """How thoroughly candidates are searched for and confirmed.

    Attributes:
      rows: Training rows that are looked at, at most; more are drawn from.
      size: Numbers of the sketch of a row's gradient: 4 bytes each on disk. The standard error of a
        cosine is about ``size ** -0.5``, that of a CID falls with the number of rows, too.
      screened: Share of the rows that candidates are found by; the others confirm them.
      minimum: Rows that must have a feature, and lack it, for it to be a candidate: of those that
        candidates are found by.
      confirmed: Number of candidates, at most, that are tested on the other rows.
      sample: Rows of each test of CID by sketches: equally many of each label with and without the
        feature.
      exact: Rows, drawn as those of a test, whose exact influences tell the CID of each finding
        that is used as well, 32 at least; 0 for no such measurement. It costs about this number
        squared.
      draws: Number of permutations behind each p value.
      changed: Texts, at most, out of which a feature is deleted, to see whether predictions change.
      columns: Further columns of the table that are looked at, such as a source or a date; ``auto``
        for all but identifiers, free text and the like, ``none`` for none. A split taken from train
        has those of train.
      core: Rule, such as ``words:@FILE``, that matches words that are meant to count; they are
        shown, and never recommended to be tuned away.
      exclude: Rule, such as ``words:@FILE``, that matches words that are no candidates.
      seed: Seed of all draws; a non-negative integer.
      chunk: Number of examples computed at once.
      max_length: Tokens that an input is truncated to; none uses the limit of the model.
    """

    rows: int = 100_000
    size: int = 2048
    screened: float = 0.5
    minimum: int = 8
    confirmed: int = 20
    sample: int = 1000
    exact: int = 120
    draws: int = 2000
    changed: int = 300
    columns: tuple[str, ...] = ("auto",)
    core: str | None = None
    exclude: str | None = None
    seed: int = 0
    chunk: int = 16
    max_length: int | None = None

    def __post_init__(self):
        positive = ("size", "minimum", "confirmed", "draws", "changed", "chunk")
        require(self, "a positive integer", lambda v: v >= 1, *positive)
        require(self, "an integer of at least 32", lambda v: v >= 32, "rows", "sample")
        require(self, "0 or an integer of at least 32", lambda v: v == 0 or v >= 32, "exact")
        require(self, "a number between 0 and 1", lambda v: 0 < v < 1, "screened")
        require(self, "a non-negative integer", lambda v: v >= 0, "seed")
        is_length = "an integer of at least 3 or none"
        require(self, is_length, lambda v: v is None or v >= 3, "max_length")
        for rule in filter(None, (self.core, self.exclude)):
            parse_rule(rule)  # refuses what is no rule
