"""What a run is trained and tested on, wherever it comes from: a task's splits, or a table."""

import contextlib
import functools
import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from itune.corpora.splits import Splits
from itune.data.dataset import Dataset, tokenize, tokenize_table
from itune.errors import UserError
from itune.tables.splits import SPLITS
from itune.tables.table import Tables, require_trainable
from itune.utils.progress import Progress

MANY = 50_000
"""Rows that take long enough to tokenise to show progress."""


class Corpus(NamedTuple):
    """Examples in train, dev and test.

    Attributes:
      name: of the task, or of the table.
      label_count: classes.
      digest: SHA-256 of all examples and names, in hexadecimal.
      tokenize: ``(tokenizer, **limits) -> {split: Dataset}``, with the limits of
        :func:`~itune.data.dataset.tokenize`.
      label_names: of the classes, in order; None where they have numbers only.
      confound_names: of the confounds, likewise.
    """

    name: str
    label_count: int
    digest: str
    tokenize: Callable[..., dict[str, Dataset]]
    label_names: tuple[str, ...] | None = None
    confound_names: tuple[str, ...] | None = None


def corpus_of_splits(splits: Splits, name: str) -> Corpus:
    """The examples of a task."""

    def tokenized(tokenizer, **limits):
        return {part: tokenize(getattr(splits, part), tokenizer, **limits) for part in SPLITS}

    return Corpus(name, splits.label_count, splits.digest(), tokenized)


def corpus_of_tables(tables: Tables) -> Corpus:
    """The rows of a table.

    Raises:
      UserError: no classifier can be trained on them, or their confound not be studied.
    """
    require_trainable(tables)
    return Corpus(
        name=Path(tables.train.name).name,
        label_count=len(tables.label_names),
        digest=tables.digest(),
        tokenize=functools.partial(_tokenized, tables),
        label_names=tables.label_names,
        confound_names=tables.confound_names,
    )


def _tokenized(tables: Tables, tokenizer, **limits) -> dict[str, Dataset]:
    splits = tables.splits()
    total = sum(table.size for table in splits.values())
    bar = Progress("tokens", total) if total > MANY else None
    found = {}
    with contextlib.closing(bar) if bar else contextlib.nullcontext():
        for name, table in splits.items():
            progress = _counter(bar) if bar else lambda done: None
            found[name] = tokenize_table(table, tokenizer, progress=progress, **limits)
    return found


def _counter(bar: Progress) -> Callable[[int], None]:
    """Takes how much of one split is done."""
    before = 0

    def progress(done):
        nonlocal before
        bar.advance(done - before)
        before = done

    return progress


@contextlib.contextmanager
def groups_by_name(corpus: Corpus):
    """Errors raised within it call a group ``good/Acme``, not ``y=1 c=0``, if it has a name."""

    def named(group):
        label, confound = map(int, group.groups())
        return f"{corpus.label_names[label]}/{corpus.confound_names[confound]}"

    try:
        yield
    except UserError as error:
        if corpus.label_names is None:
            raise
        raise UserError(re.sub(r"\by=(\d+) c=(\d+)\b", named, str(error))) from error.__cause__
