"""What a run is trained and tested on, wherever it comes from: a task's splits, or a table."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from itune.data.dataset import Dataset, tokenize, tokenize_table
from itune.data.splits import SPLITS, Splits
from itune.data.table import Tables, require_trainable


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
    return {
        name: tokenize_table(table, tokenizer, **limits) for name, table in tables.splits().items()
    }
