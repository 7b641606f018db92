"""Tables of texts, each with a label and a confound, in train, dev and test."""

import functools
import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from itune.errors import UserError, option
from itune.groups import HIDDEN, count_groups
from itune.tables.arrow import import_pyarrow
from itune.tables.columns import number_column, read_columns
from itune.tables.config import TEXTS, TableConfig
from itune.tables.confounds import combine, parse_bins
from itune.tables.objects import find_sources
from itune.tables.partition import matched, partition
from itune.tables.rules import Rule, parse_rule
from itune.tables.splits import LEFT_OUT, SPLITS
from itune.tables.values import NumberedValues
from itune.utils.progress import OnProgress, no_progress

if TYPE_CHECKING:
    import pyarrow


class Table(NamedTuple):
    """Rows of one split; the texts stay in a file.

    Attributes:
      name: Name of the file or object that the rows come from, for messages.
      columns: One or two columns of texts, which may hold other rows too.
      rows: Places of the N rows in ``columns``, in order, an int64 array of shape ``(N,)``.
      label: Labels of the rows, an int32 array of shape ``(N,)``.
      confound: Confounds of the rows, an int32 array of shape ``(N,)``;
        :data:`~itune.groups.HIDDEN` where not annotated.
    """

    name: str
    columns: "pyarrow.Table"
    rows: np.ndarray
    label: np.ndarray
    confound: np.ndarray

    @property
    def size(self) -> int:
        """Number of rows."""
        return len(self.rows)

    @property
    def is_pair(self) -> bool:
        """Whether each row has two texts."""
        return self.columns.num_columns == 2

    def texts(self, row: int) -> tuple[str, ...]:
        """Return the text, or the two texts, of one row."""
        place = int(self.rows[row])
        return tuple(column[place].as_py() for column in self.columns.columns)

    def batches(self, size: int = 10_000) -> Iterator[tuple[list[str], ...]]:
        """Yield the texts of up to ``size`` rows at a time: one list, or two for pairs."""
        start = 0
        for batch in self.columns.to_batches(max_chunksize=size):
            first, last = np.searchsorted(self.rows, (start, start + len(batch)))
            if first < last:
                chosen = batch.take(self.rows[first:last] - start)
                yield tuple(column.to_pylist() for column in chosen.columns)
            start += len(batch)

    def hashes(self) -> np.ndarray:
        """Return a 64-bit hash of each row's text, ``(N,)``; it differs between processes."""
        parts = [hash_texts(texts) for texts in self.batches()]
        return np.concatenate(parts) if parts else np.empty(0, np.int64)

    def take(self, indices: np.ndarray) -> "Table":
        """Return the rows at ``indices``, which must be in order."""
        return Table(
            self.name, self.columns, self.rows[indices], self.label[indices], self.confound[indices]
        )

    def with_texts(self, column: int, texts: Sequence[str]) -> "Table":
        """Return the rows with other texts in one column, in memory."""
        arrow = import_pyarrow()
        columns = self.columns.take(self.rows)
        columns = columns.set_column(
            column, columns.schema.field(column), arrow.array(texts, arrow.large_string())
        )
        return self._replace(columns=columns, rows=np.arange(len(texts)))


def hash_texts(texts: tuple[list[str], ...]) -> np.ndarray:
    """Return a 64-bit hash of each text, or of each pair of texts, of a batch."""
    rows = texts[0] if len(texts) == 1 else zip(*texts, strict=True)
    return np.fromiter(map(hash, rows), np.int64, len(texts[0]))


@dataclass(frozen=True, eq=False)
class Tables:
    """A table in its three splits.

    Attributes:
      train: Rows to train on.
      dev: Rows to select a model by; may be empty.
      test: Rows to judge a model by; may be empty.
      label_names: Names of the labels, by number.
      confound_names: Names of the confounds, by number.
      rule: The rule that made the confounds; None if they were read.
      rule_on: Which text the rule looked at: 0, or 1 for the second of a pair.
      name: Name of the whole, as results show it: the last part of the path of the training rows,
        or the name of a task.
      recipe_digest: SHA-256 of the examples that a task's recipe made, in hexadecimal, by which
        runs on that task are told apart; None where rows were read.
      counterpart: Function that returns a text with another confound and nothing else changed, or
        None where it knows of none; None if there is no function but what the rule tells.
      notes: What a reader of results should know about how the rows were read, one sentence each.
    """

    train: Table
    dev: Table
    test: Table
    label_names: tuple[str, ...]
    confound_names: tuple[str, ...]
    rule: Rule | None
    rule_on: int = 0
    name: str = ""
    recipe_digest: str | None = None
    notes: tuple[str, ...] = ()
    counterpart: Callable[[str], str | None] | None = None

    def splits(self) -> dict[str, Table]:
        """Return train, dev and test by name."""
        return {name: getattr(self, name) for name in SPLITS}

    def rows_of(self) -> dict[str, str]:
        """Return the name of what the ``rows`` of each split index: the split, or its table."""

        def counted_in(split: str, table: Table) -> str:
            if table.size == table.columns.num_rows:
                return split
            path = Path(table.name)
            return path.name if path.is_absolute() else table.name

        return {split: counted_in(split, table) for split, table in self.splits().items()}

    def digest(self) -> str:
        """Return the SHA-256 of all rows in order and of all names, in hexadecimal.

        For a table of a task's recipe it is ``recipe_digest``.
        """
        return self._digest

    @functools.cached_property
    def _digest(self) -> str:
        if self.recipe_digest is not None:
            return self.recipe_digest
        names = json.dumps([self.label_names, self.confound_names])
        digest = hashlib.sha256(names.encode())
        for table in self.splits().values():
            digest.update(b"%d" % table.size + table.label.tobytes() + table.confound.tobytes())
            for texts in table.batches():
                digest.update("".join(map(json.dumps, zip(*texts, strict=True))).encode())
        return digest.hexdigest()


def read_tables(config: TableConfig, on_progress: OnProgress = no_progress) -> Tables:
    """Read a table from the files, folders or data sets that a configuration names.

    Args:
      config: Where the rows come from, what the columns are called, and how the rows are split.
      on_progress: Called with the number of rows read so far.

    Raises:
      UserError: No training rows are named, or something is missing or malformed; see
        :func:`make_tables`.
    """
    if not config.train:
        raise UserError("TABLE is not set; name a file, a folder or a data set")
    return make_tables(
        config.train, config, dev=config.dev, test=config.test, on_progress=on_progress
    )


def make_tables(
    train: Any,
    config: TableConfig | None = None,
    *,
    dev: Any = None,
    test: Any = None,
    like: Tables | None = None,
    on_progress: OnProgress = no_progress,
) -> Tables:
    """Read a table, number its labels and confounds, and split it if it is not split yet.

    Labels and confounds are numbered by :func:`~itune.tables.values.number_values` over all splits.
    Rows with equal texts are never parted: all go to train, to dev or to test.

    Args:
      train: Training rows: a file, a folder, a name on the hub, or an object that
        :func:`~itune.tables.objects.open_data` takes.
      config: What the columns are called, and how the rows are split; its ``train``, ``dev`` and
        ``test`` are not used.
      dev: Development rows: a file, a folder, a name on the hub, an object, or the name of a split
        of train's data set. None takes the data set's own dev split, else a part of train; the
        string ``none`` takes a part of train whatever the data set has.
      test: Test rows: a file, a folder, a name on the hub, an object, or the name of a split of
        train's data set. None takes the data set's own test split, else a part of train; the string
        ``none`` takes a part of train whatever the data set has.
      like: The same rows with another confound. What it has taken from train is taken once more,
        where the confound would draw other rows. None draws them.
      on_progress: Called with the number of rows read so far.

    Returns:
      The table in its three splits; dev and test may be empty.

    Raises:
      UserError: A file, folder, data set or column is missing, or something in it is malformed: a
        row without text or label, one row only, a broken line.

    >>> rows = {"text": ["nice", "bad", "so nice"], "label": [1, 0, 1], "confound": ["a", "b", "b"]}
    >>> tables = make_tables(rows, TableConfig(dev_fraction=0, test_fraction=0))
    >>> tables.label_names, tables.train.confound.tolist()
    (('0', '1'), [0, 1, 1])
    """
    config = TableConfig() if config is None else config
    rule = None if config.rule is None else parse_rule(config.rule)
    sources = find_sources(train, dev, test, config.subset, config.revision)
    read = read_columns(sources, config.selection, on_progress)

    def numbered(name: str) -> NumberedValues:
        place = config.selection.names.index(name)
        columns = {split: columns.column(place) for split, columns in read.items()}
        return number_column(columns, sources, name)

    labels = numbered(config.label)
    on = TEXTS.index(config.rule_on)
    notes = {config.label: labels.notes}
    if rule:
        confounds, confound_names = [_apply(rule, c.column(on)) for c in read.values()], rule.names
    elif config.confounds:
        columns = {name: numbered(name) for name in config.confounds}
        bins = parse_bins(config.bins, config.confounds)
        confounds, confound_names = combine({n: of[:2] for n, of in columns.items()}, bins)
        notes |= {name: of.notes for name, of in columns.items() if name not in bins}
    else:
        confounds, confound_names = [np.full_like(label, HIDDEN) for label in labels.codes], ()
    tables = {}
    for split, label, confound in zip(read, labels.codes, confounds, strict=True):
        texts = read[split].select(range(len(config.texts)))
        rows = np.arange(len(label))
        tables[split] = Table(sources[split].name, texts, rows, label, confound)
        unlabelled = labels.names.index("-1") if "-1" in labels.names else HIDDEN
        if split != "train" and unlabelled not in tables["train"].label:
            _require_any_label(tables[split], split, unlabelled)
        _require_labels(tables[split], config.label)
    name = Path(sources["train"].name).name
    complete = dict(zip(SPLITS, _complete(tables, config, like), strict=True))
    sentences = [note for source in sources.values() for note in source.notes]
    sentences += [f"column {name!r} {note}" for name, of in notes.items() for note in of]
    if rule:
        chunks = read["train"].column(on).chunks
        texts = (text for chunk in chunks for text in chunk.to_pylist())
        sentences += rule.notes(texts, confounds[0].tolist())
    for split in (split for split in config.matched if complete[split].size):
        complete[split], note = _matched(complete[split], split, config.split_seed)
        sentences.append(note)
    return Tables(
        train=complete["train"],
        dev=complete["dev"],
        test=complete["test"],
        label_names=labels.names,
        confound_names=tuple(confound_names),
        rule=rule,
        rule_on=on,
        name=name,
        notes=tuple(dict.fromkeys(sentences)),
    )


def _apply(rule: Rule, column: "pyarrow.ChunkedArray") -> np.ndarray:
    return np.concatenate([rule.values(chunk.to_pylist()) for chunk in column.chunks])


def _require_any_label(table: Table, split: str, unlabelled: int) -> None:
    """Refuse rows that are all without label, as the tests of some benchmarks are published."""
    if np.isin(table.label, (HIDDEN, unlabelled)).all():
        raise UserError(
            f"{table.name}: no row has a label; leave it out with {option(split, LEFT_OUT)}, "
            f"which takes a part of train for {split}, or give {option(split)} other rows"
        )


def _require_labels(table: Table, name: str) -> None:
    missing = np.flatnonzero(table.label == HIDDEN)
    if len(missing):
        raise UserError(
            f"{table.name}, row {missing[0] + 1}: {name!r} is missing (of {len(missing)} of "
            f"{table.size} rows); remove those rows or label them"
        )


def _complete(
    tables: dict[str, Table], config: TableConfig, like: Tables | None
) -> tuple[Table, Table, Table]:
    """Return train, dev and test; a missing dev or test is taken from train."""
    train = tables["train"]
    if train.size < 2:
        raise UserError(f"{train.name}: has 1 row; give it 2 or more")
    dev, test = (
        0.0 if split in tables else getattr(config, f"{split}_fraction")
        for split in ("dev", "test")
    )
    if like is not None:
        parts = [np.arange(0) if split in tables else like.splits()[split].rows for split in SPLITS]
        parts[0] = like.train.rows
    elif dev or test:
        by_text = train.hashes()
        parts = partition(train.label, train.confound, dev, test, config.split_seed, by_text)
    else:
        parts = (np.arange(train.size), *2 * [np.arange(0)])
    taken = dict(zip(SPLITS, map(train.take, parts), strict=True))
    split_tables = taken | tables | {"train": taken["train"]}
    return split_tables["train"], split_tables["dev"], split_tables["test"]


def _matched(table: Table, split: str, seed: int) -> tuple[Table, str]:
    rows = matched(table.label, table.confound, seed)
    if len(np.unique(table.confound[rows])) < 2:
        raise UserError(
            f"{table.name}: fewer than two confounds of {split} occur with each of its labels, so "
            f"there are no rows to match; leave {split} out of matched, or give it more rows"
        )
    return table.take(rows), f"{split} is matched: {len(rows)} of {table.size} rows are used"


def problems(tables: Tables) -> list[str]:
    """Return what keeps a table from being trained on, with remedies; empty if nothing does."""
    train = tables.train
    found = []
    if len(present := np.unique(train.label)) < 2:
        name = tables.label_names[present[0]]
        found.append(
            f"every training row has label {name!r}; a classifier needs two classes, so give "
            "another column of labels or more rows"
        )
    for split in ("dev", "test"):
        table = tables.splits()[split]
        if not table.size:
            found.append(
                f"{split} has no row; give rows of it, or a larger {split}_fraction (rows of one "
                "text are not parted)"
            )
        for new in np.setdiff1d(table.label, present):
            found.append(
                f"label {tables.label_names[new]!r} occurs in {split} but never in train; remove "
                "those rows or add some to train"
            )
    return [*found, *filter(None, [confound_problem(tables)])]


def confound_problem(tables: Tables) -> str | None:
    """Return what keeps the confound in train from being studied, with its remedy, or None."""
    train = tables.train
    labels, confounds, _ = count_groups(train.label, train.confound)
    labels, confounds = labels[confounds != HIDDEN], confounds[confounds != HIDDEN]
    if not len(confounds):
        return "no training row has a confound; give a column that has them, or a rule to make them"
    if len(np.unique(confounds)) == 1:
        name = tables.confound_names[confounds[0]]
        why = _why_none(tables, tables.rule) if tables.rule and confounds[0] == 0 else ""
        return (
            f"every training row has confound {name!r}{why}, so there is nothing to compare; give "
            "another column of confounds, or another rule"
        )
    if len(np.unique(labels)) == len(labels):
        return (
            "no label occurs with two confounds in training, so there is nothing to compare; add "
            "such rows, or give another column of confounds or rule"
        )
    return None


def _why_none(tables: Tables, rule: Rule) -> str:
    texts = (text for batch in tables.train.batches() for text in batch[tables.rule_on])
    within = sum(any(pattern.is_in(text) for pattern in rule.patterns) for text in texts)
    if not within:
        return " (the rule matches none)"
    where = "within words or further on, where regex: finds it"
    return f" (the rule matches none; {within} have it {where})"


def require_trainable(tables: Tables) -> None:
    """Check that a classifier can be trained on a table, and its confound be studied.

    Raises:
      UserError: The table has :func:`problems`; the first of them is the message.
    """
    for problem in problems(tables):
        raise UserError(f"{tables.train.name}: {problem}")
