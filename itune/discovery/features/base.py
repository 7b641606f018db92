"""What a generator of features looks at, and what it finds."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple, TypeAlias

import numpy as np
import regex as unicode_re

from itune.tables.confounds import confound_columns
from itune.tables.rules import SPACELESS, normal, parse_rule


class Rows(NamedTuple):
    """Some rows of a table.

    Attributes:
      texts: The text of each row, by the name of the column as settings call it: ``text``, and
        ``text_pair`` of pairs.
      columns: Numbers of the values of further columns, ``(N,)``, -1 where missing, and the names
        of the numbers, by the name of the column.
    """

    texts: Mapping[str, list[str]]
    columns: Mapping[str, tuple[np.ndarray, tuple[str, ...]]]

    @property
    def size(self) -> int:
        """Number of rows."""
        return len(self.texts["text"])


class Feature(NamedTuple):
    """Something that a row has or lacks.

    Attributes:
      kind: Name of the generator, such as ``words``.
      name: What it is called, such as ``word "acme"``.
      settings: Settings of a table that make it a confound, such as ``{"rule": "words:acme"}``.
      surface: Words that it stands for, which ``exclude`` and ``core`` look at; its name if none.
      pattern: Regular expression in Python's syntax of what is deleted from a text to take the
        feature away; None if it cannot be.
      values: Values of a column that have it; none for features of texts.
      slot: Name of the place in a text that it takes; words of one slot can stand for one another.
        Empty where there is none.
      counterpart: Name of what ``swap`` puts in; empty without one.
      swap: Function of a text that puts a counterpart in the place of the feature; None if it has
        none.
      parts: The two features of a pair; none for others.
    """

    kind: str
    name: str
    settings: Mapping[str, str]
    surface: str = ""
    pattern: str | None = None
    values: tuple[str, ...] = ()
    slot: str = ""
    counterpart: str = ""
    swap: Callable[[str], str] | None = None
    parts: "tuple[Feature, ...]" = ()

    @property
    def text(self) -> str:
        """Column of the texts that have it, as settings call it."""
        return self.settings.get("rule_on", "text")

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Return the places in a text that it stands for, as begins and ends; none for columns."""
        if self.pattern is not None:
            return [found.span() for found in re.finditer(self.pattern, text) if found.group()]
        return parse_rule(self.settings["rule"]).spans(text) if "rule" in self.settings else []

    def deleted(self, text: str) -> str | None:
        """Return a text without it, or None if nothing changes or nearly nothing is left."""
        if self.pattern is None:
            return None
        left = re.sub(r"[ \t]{2,}", " ", re.sub(self.pattern, " ", normal(text))).strip()
        return left if len(left) >= len(text) / 4 and left != text.strip() else None

    def swapped(self, text: str) -> str | None:
        """Return a text with the counterpart in its place, or None if it has none or stays."""
        if self.swap is None:
            return None
        before, rule = normal(text), parse_rule(self.settings["rule"])
        after = self.swap(before)
        return None if after == before or rule.value(after) else after

    def holds(self, rows: Rows) -> np.ndarray:
        """Return which rows have the feature, ``(N,)`` bools, as the settings tell it."""
        if "rule" in self.settings:
            return parse_rule(self.settings["rule"]).values(rows.texts[self.text]) > 0
        (column,) = confound_columns(self.settings["confound"])
        codes, names = rows.columns[column]
        return np.array([*(name in self.values for name in names), False])[codes]


Found: TypeAlias = tuple[Feature, np.ndarray]
"""A feature and the ascending indices of the rows that have it."""

Generator: TypeAlias = Callable[[Rows, int], Iterator[Found]]
"""A function of rows and of the least number of them that must have a feature, and lack it."""


def whole(phrase: str) -> str:
    """Return a regular expression in Python's syntax of a phrase that is no part of a word."""
    pattern = re.escape(phrase).replace(r"\ ", r"\s+")
    return pattern if unicode_re.search(SPACELESS, phrase) else rf"(?<!\w){pattern}(?!\w)"


def of_rule(
    kind: str, name: str, rule: str, column: str, surface: str = "", pattern: str | None = None
) -> Feature:
    """Return the feature that a rule on a column of texts makes."""
    if column == "text":
        return Feature(kind, name, {"rule": rule}, surface, pattern)
    name = f"{name} in {column}"
    return Feature(kind, name, {"rule": rule, "rule_on": column}, surface, pattern)


def is_common(count: int, size: int, minimum: int) -> bool:
    """Return whether enough rows have a feature, and enough lack it."""
    return minimum <= count <= size - minimum
