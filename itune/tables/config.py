"""Where a table's rows come from, and what its columns are called."""

import dataclasses
from dataclasses import dataclass
from itertools import combinations

from itune.errors import UserError, as_path, require
from itune.tables.confounds import confound_columns, parse_bins
from itune.tables.rules import located_rule
from itune.tables.selection import Selection
from itune.tables.splits import AUTO, SPLITS
from itune.utils.suggestions import require_one_of

TEXTS = ("text", "text_pair")
_NAMES = ("dev", "test", *TEXTS, "label", "confound", "subset", "revision")


@dataclass(frozen=True)
class TableConfig:
    """Where a table's rows come from, and what its columns are called.

    Attributes:
      train: Training rows: a file (.csv, .tsv, .jsonl, .parquet), a folder of such files called
        train, dev and test, a folder that ``datasets`` has saved, or a name on the Hugging Face
        hub.
      dev: Development rows: a file, a folder, a name on the hub, or the name of a split of train's
        data set. ``auto`` is the data set's own dev split, else a part of train; ``none`` is a part
        of train whatever it has.
      test: Test rows: a file, a folder, a name on the hub, or the name of a split of train's data
        set. ``auto`` is the data set's own test split, else a part of train; ``none`` is a part of
        train whatever it has.
      text: Column of the texts.
      text_pair: Column of the second texts, if inputs are pairs.
      label: Column of the labels, strings or numbers.
      confound: Column of the confounds, strings or numbers; empty where not annotated. Several
        columns, ``gender,race``, are crossed: each combination is a confound. Ignored if a rule is
        set.
      bins: Edges at which a confound of numbers is cut: ``65`` makes ``<65`` and ``>=65``,
        ``18,35,65`` makes four bins. Dates are cut at dates, such as ``2024-01-01``, or by
        ``month`` or ``weekday``. Of columns that are crossed, ``age=18,35 || income=1000``.
      rule: Rule that makes the confound from the text: ``regex:EXPRESSION``, ``words:nice,great``,
        ``words:@FILE``, ``prefix:Positive .``, ``length:>=20``; several are joined by `` || ``,
        and the first that matches counts. ``NAME=`` before one names it.
      rule_on: Column that the rule looks at: ``text`` or ``text_pair``.
      dev_fraction: Fraction of train's rows that become dev, if dev is taken from train.
      test_fraction: Fraction of train's rows that become test, if test is taken from train.
      split_seed: Seed of drawing dev and test from train, a non-negative integer.
      matched: Splits, out of dev and test, that are cut down to matched rows: of each confound as
        many of every label, so that the confound tells nothing of the label there.
      subset: Name of one of several configurations of a data set on the hub.
      revision: Commit, tag or branch of a data set on the hub; the newest if none.
      quoted: Whether quotation marks enclose fields of .csv and .tsv files, and are doubled inside;
        false if they are characters like others. If none, they enclose fields in .csv and are
        characters in .tsv, and a file that looks otherwise is refused.
    """

    train: str = ""
    dev: str = AUTO
    test: str = AUTO
    text: str = "text"
    text_pair: str | None = None
    label: str = "label"
    confound: str | None = "confound"
    bins: str | None = None
    rule: str | None = None
    rule_on: str = "text"
    dev_fraction: float = 0.1
    test_fraction: float = 0.1
    split_seed: int = 0
    matched: tuple[str, ...] = ()
    subset: str | None = None
    revision: str | None = None
    quoted: bool | None = None

    def __post_init__(self) -> None:
        require_one_of(self, rule_on=TEXTS)
        require(
            self,
            "a number from 0 to below 1",
            lambda v: 0 <= v < 1,
            "dev_fraction",
            "test_fraction",
        )
        require(self, "a non-negative integer", lambda v: v >= 0, "split_seed")
        require(self, "a name", lambda v: v is None or v.strip(), *_NAMES)
        if self.dev_fraction + self.test_fraction >= 1:
            raise UserError(
                f"dev_fraction is {self.dev_fraction:g} and test_fraction {self.test_fraction:g}, "
                "which leaves nothing to train; make their sum less than 1"
            )
        names = {"text": self.text, "text_pair": self.text_pair, "label": self.label}
        columns = [*names.items(), *(("confound", column) for column in self.confounds)]
        for (first, column), (second, other) in combinations(columns, 2):
            if column == other is not None:
                raise UserError(
                    f"{first} and {second} are both column {column!r}; name another for one"
                )
        if self.rule and self.bins:
            raise UserError("bins and rule are both set, but bins are of a column; leave one out")
        parse_bins(self.bins, self.confounds)  # refuses what cannot be
        others = [split for split in self.matched if split not in SPLITS[1:]]
        if others:
            raise UserError(f"matched must be dev, test or both, got {others[0]!r}")
        if self.rule_on == "text_pair" and self.text_pair is None:
            raise UserError("rule_on is text_pair, but there is none; set text_pair to a column")

    @property
    def located(self) -> "TableConfig":
        """This configuration with absolute paths of files and folders, to be read elsewhere.

        A ``dev`` or ``test`` without a folder and an ending may be the name of a split and stays as
        it is.
        """
        given = {name: getattr(self, name) or "" for name in SPLITS}
        paths = {name: as_path(value) for name, value in given.items()}
        found = {
            name: str(path.resolve())
            for name, path in paths.items()
            if path.name and path.exists()
            if path.suffix or path.name != given[name] or name == "train"
        }
        rule = self.rule and located_rule(self.rule)
        return dataclasses.replace(self, **found, rule=rule)

    @property
    def texts(self) -> tuple[str, ...]:
        """Names of the columns of texts: one or two."""
        return tuple(filter(None, (self.text, self.text_pair)))

    @property
    def confounds(self) -> tuple[str, ...]:
        """Names of the columns that make the confound; none if a rule does."""
        return () if self.rule else confound_columns(self.confound)

    @property
    def selection(self) -> Selection:
        """Columns that are read, and how."""
        return Selection(self.texts, (self.label, *self.confounds), self.quoted)
