"""A table of one's own: texts with a label and a confound, in train, dev and test."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from itune.data.arrow import is_blank, spool
from itune.data.cells import HIDDEN
from itune.data.partition import partition
from itune.data.rules import Rule, parse_rule
from itune.data.sources import Source, open_splits, split_called
from itune.data.splits import SPLITS
from itune.data.values import number_values
from itune.errors import UserError, require

if TYPE_CHECKING:
    import pyarrow

TEXTS = ("text", "text_pair")


@dataclass(frozen=True)
class TableConfig:
    """Where a table's rows come from, and what its columns are called.

    Attributes:
      train: a file (.csv, .tsv, .jsonl, .parquet), a folder of such files called train, dev and
        test, a folder that ``datasets`` has saved, or a name on the Hugging Face hub.
      dev: as train, or the name of a split of train's data set. Where it is none: the data set's
        own, else a part of train.
      test: likewise.
      text: the column of texts.
      text_pair: the column of second texts, if inputs are pairs.
      label: the column of labels, strings or numbers.
      confound: the column of confounds, strings or numbers; empty where not annotated. Ignored
        where a rule is set.
      rule: makes the confound of the text: ``regex:EXPRESSION``, ``words:nice,great``,
        ``words:@FILE``, ``prefix:Positive .``, ``length:>=20``; several are joined by `` || ``,
        and the first that matches counts. ``NAME=`` before one names it.
      rule_on: ``text`` or ``text_pair``, what the rule looks at.
      dev_fraction: of train's rows, where dev is taken from it.
      test_fraction: likewise for test.
      split_seed: draws these parts.
      subset: which of several data sets under one name on the hub.
      revision: of a data set on the hub; the newest where none.
    """

    train: str = ""
    dev: str | None = None
    test: str | None = None
    text: str = "text"
    text_pair: str | None = None
    label: str = "label"
    confound: str | None = "confound"
    rule: str | None = None
    rule_on: str = "text"
    dev_fraction: float = 0.1
    test_fraction: float = 0.1
    split_seed: int = 0
    subset: str | None = None
    revision: str | None = None

    def __post_init__(self):
        require(self, f"one of {', '.join(TEXTS)}", TEXTS.__contains__, "rule_on")
        require(
            self, "a number from 0, below 1", lambda v: 0 <= v < 1, "dev_fraction", "test_fraction"
        )
        require(self, "an integer, 0 or more", lambda v: v >= 0, "split_seed")
        if self.dev_fraction + self.test_fraction >= 1:
            raise UserError(
                f"dev_fraction is {self.dev_fraction:g} and test_fraction {self.test_fraction:g}, "
                "which leaves nothing to train; make their sum less than 1"
            )
        if self.rule_on == "text_pair" and self.text_pair is None:
            raise UserError("rule_on is text_pair, but there is none; set text_pair to a column")

    @property
    def texts(self) -> tuple[str, ...]:
        """The columns of texts: one or two."""
        return tuple(filter(None, (self.text, self.text_pair)))

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns that are read, the texts first."""
        confound = None if self.rule else self.confound
        return (*self.texts, self.label, *filter(None, [confound]))


class Table(NamedTuple):
    """Rows of one split; the texts stay in a file.

    Attributes:
      name: where they come from, as messages show it.
      columns: one or two columns of texts, of these rows and perhaps of others.
      rows: which of them, int64, in order.
      label: of these rows, int32.
      confound: of these rows, int32; :data:`~itune.data.cells.HIDDEN` where not annotated.
    """

    name: str
    columns: "pyarrow.Table"
    rows: np.ndarray
    label: np.ndarray
    confound: np.ndarray

    @property
    def size(self) -> int:
        """The number of rows."""
        return len(self.rows)

    @property
    def is_pair(self) -> bool:
        """Whether there are two texts in a row."""
        return self.columns.num_columns == 2

    def texts(self, row: int) -> tuple[str, ...]:
        """The text, or the two texts, of one row."""
        place = int(self.rows[row])
        return tuple(column[place].as_py() for column in self.columns.columns)

    def batches(self, size: int = 10_000) -> Iterator[tuple[list[str], ...]]:
        """Yields the texts of up to ``size`` rows at a time: one list, or two of a pair."""
        start = 0
        for batch in self.columns.to_batches(max_chunksize=size):
            first, last = np.searchsorted(self.rows, (start, start + len(batch)))
            if first < last:
                chosen = batch.take(self.rows[first:last] - start)
                yield tuple(column.to_pylist() for column in chosen.columns)
            start += len(batch)

    def take(self, indices: np.ndarray) -> "Table":
        """The rows at ``indices``, which are in order."""
        return Table(
            self.name, self.columns, self.rows[indices], self.label[indices], self.confound[indices]
        )


class Tables(NamedTuple):
    """A table in its three splits.

    Attributes:
      train: rows to train on.
      dev: rows to choose by; may be empty.
      test: rows to judge by; may be empty.
      label_names: what the labels are called, by number.
      confound_names: what the confounds are called, by number.
      rule: what made the confounds, if a rule did.
      rule_on: the place of the text that the rule looked at: 0, or 1 for the second of a pair.
    """

    train: Table
    dev: Table
    test: Table
    label_names: tuple[str, ...]
    confound_names: tuple[str, ...]
    rule: Rule | None
    rule_on: int = 0

    def splits(self) -> dict[str, Table]:
        """Train, dev and test by name."""
        return {name: getattr(self, name) for name in SPLITS}

    def digest(self) -> str:
        """SHA-256 of all rows in order and of all names, in hexadecimal."""
        found = hashlib.sha256(json.dumps([self.label_names, self.confound_names]).encode())
        for table in self.splits().values():
            found.update(b"%d" % table.size + table.label.tobytes() + table.confound.tobytes())
            for texts in table.batches():
                found.update("".join(map(json.dumps, zip(*texts, strict=True))).encode())
        return found.hexdigest()


def read_tables(config: TableConfig) -> Tables:
    """Reads a table, numbers its labels and confounds, and splits it where it is not split yet.

    Labels and confounds are numbered by :func:`~itune.data.values.number_values` over all splits.

    Raises:
      UserError: a file, folder, data set or column is missing, or something in it is malformed: a
        row without text or label, one row only, a broken line.
    """
    if not config.train:
        raise UserError("train is not set; name a file, a folder or a data set")
    rule = None if config.rule is None else parse_rule(config.rule)
    sources = _find_sources(config)
    read = {split: _read(source, config) for split, source in sources.items()}

    def numbered(name):
        columns = [columns.column(config.columns.index(name)) for columns in read.values()]
        return number_values(columns, sources["train"].classes.get(name, ()))

    labels, label_names = numbered(config.label)
    on = TEXTS.index(config.rule_on)
    if rule:
        confounds, confound_names = [_apply(rule, c.column(on)) for c in read.values()], rule.names
    elif config.confound is not None:
        confounds, confound_names = numbered(config.confound)
    else:
        confounds, confound_names = [np.full_like(label, HIDDEN) for label in labels], ()
    tables = {}
    for split, label, confound in zip(read, labels, confounds, strict=True):
        texts = read[split].select(range(len(config.texts)))
        rows = np.arange(len(label))
        tables[split] = Table(sources[split].name, texts, rows, label, confound)
        _require_labels(tables[split], config.label)
    return Tables(*_complete(tables, config), label_names, confound_names, rule, on)


def _find_sources(config: TableConfig) -> dict[str, Source]:
    """The source of train, and those of dev and test that there are."""

    def opened(name):
        return open_splits(name, config.subset, config.revision)

    own = opened(config.train)
    found = {"train": _pick(own, "train", config.train)}
    for split in ("dev", "test"):
        name = getattr(config, split)
        if name is not None:
            found[split] = own[name] if name in own else _pick(opened(name), split, name)
        elif named := next((key for key in own if split_called(key) == split), None):
            found[split] = own[named]
    return found


def _pick(splits: dict[str, Source], split: str, name: str) -> Source:
    """The split of that name, or the only one."""
    found = [source for key, source in splits.items() if split_called(key) == split]
    if not found and len(splits) > 1:
        raise UserError(
            f"{name}: has no split {split!r}, but {', '.join(splits)}; give --{split} another"
        )
    return (found or list(splits.values()))[0]


def _read(source: Source, config: TableConfig) -> "pyarrow.Table":
    """Columns on disk; those of texts are checked on the way."""

    def checked():
        start = 0
        for batch in source.read(config.columns):
            for name, column in zip(config.texts, batch.columns, strict=False):
                blank = is_blank(column)
                if blank.true_count:
                    row = start + blank.index(True).as_py() + 1
                    raise UserError(
                        f"{source.name}, row {row}: {name!r} is empty; remove the row or fill it"
                    )
            start += len(batch)
            yield batch

    columns = spool(checked(), [f"{place} {name}" for place, name in enumerate(config.columns)])
    if not columns.num_rows:
        raise UserError(f"{source.name}: has no row; give it some")
    return columns


def _apply(rule: Rule, column: "pyarrow.ChunkedArray") -> np.ndarray:
    return np.concatenate([rule.values(chunk.to_pylist()) for chunk in column.chunks])


def _require_labels(table: Table, name: str) -> None:
    missing = np.flatnonzero(table.label == HIDDEN)
    if len(missing):
        raise UserError(
            f"{table.name}, row {missing[0] + 1}: {name!r} is missing (of {len(missing)} of "
            f"{table.size} rows); remove those rows or label them"
        )


def _complete(tables: dict[str, Table], config: TableConfig) -> tuple[Table, Table, Table]:
    """Takes from train what there is no split of."""
    train = tables["train"]
    if train.size < 2:
        raise UserError(f"{train.name}: has 1 row; give it 2 or more")
    dev, test = (
        0.0 if split in tables else getattr(config, f"{split}_fraction")
        for split in ("dev", "test")
    )
    parts = partition(train.label, train.confound, dev, test, config.split_seed)
    taken = dict(zip(SPLITS, map(train.take, parts), strict=True))
    return tuple((taken | tables | {"train": taken["train"]})[split] for split in SPLITS)


def problems(tables: Tables) -> list[str]:
    """What keeps a table from being trained on: what is wrong, and what to do; empty if nothing."""
    train = tables.train
    found = []
    if len(present := np.unique(train.label)) < 2:
        name = tables.label_names[present[0]]
        found.append(f"every training row has label {name!r}; a classifier needs two classes")
    for split in ("dev", "test"):
        table = tables.splits()[split]
        if not table.size:
            found.append(f"{split} has no row; give a file of it, or a larger fraction")
        for new in np.setdiff1d(table.label, present):
            found.append(
                f"label {tables.label_names[new]!r} occurs in {split} but never in train; remove "
                "those rows or add some to train"
            )
    confounds = np.setdiff1d(train.confound, [HIDDEN])
    if not len(confounds):
        found.append("no training row has a confound; give --confound COLUMN or --rule RULE")
    elif len(confounds) == 1:
        name = tables.confound_names[confounds[0]]
        found.append(f"every training row has confound {name!r}; nothing can be told apart by it")
    return found


def require_trainable(tables: Tables) -> None:
    """Checks that a classifier can be trained on a table, and its confound be studied.

    Raises:
      UserError: the first of its :func:`problems`.
    """
    for problem in problems(tables):
        raise UserError(f"{tables.train.name}: {problem}")
