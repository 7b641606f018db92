"""Labelled sentences in three splits, the records that a task's recipe makes."""

import hashlib
import json
from typing import NamedTuple


class Example(NamedTuple):
    """One labelled sentence with a known confound.

    Attributes:
      tokens: Words of the sentence, in order.
      label: Class to predict, counted from 0.
      confound: Value of the feature that a model should not lean on, counted from 0.
      length: Length that was drawn for the sentence, in words and without any prefix; larger than
        ``len(tokens)`` where the source sentence had no more words.
    """

    tokens: tuple[str, ...]
    label: int
    confound: int
    length: int

    @property
    def text(self) -> str:
        """The words joined by blanks."""
        return " ".join(self.tokens)


class Splits(NamedTuple):
    """The examples of a task.

    Attributes:
      train: Examples to train on.
      dev: Examples to select a model by.
      test: Examples to judge a model by.
    """

    train: list[Example]
    dev: list[Example]
    test: list[Example]

    def digest(self) -> str:
        """Return the SHA-256 of all examples in order, in hexadecimal."""
        return hashlib.sha256(json.dumps(self).encode()).hexdigest()
