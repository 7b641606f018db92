r"""Confounds made by a rule: whether a text matches a pattern, or which of several.

=========================  =====================================================================
pattern                    matches
=========================  =====================================================================
``regex:\d+ (stars|★)``    what the regular expression finds, anywhere in the text
``words:nice,great``       any of the words or phrases, whole, in capitals or not
``words:@FILE``            the same, of a file with one a line
``prefix:Positive .``      a text that begins so
``length:>=20``            a text of so many words, split at white space; or ``>``, ``<=``, ``<``,
                           ``=``
``a || b``                 either; the number of the first that matches counts
``NAME=a``                 as a, under that name
=========================  =====================================================================
"""

import operator
import os
import re
import warnings
from collections.abc import Callable, Collection, Iterable
from typing import NamedTuple

import numpy as np

from itune.errors import UserError
from itune.utils.formats import first_line
from itune.utils.text_files import read_text

COMPARISONS = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
    "=": operator.eq,
}


class Expression(NamedTuple):
    """A pattern that matches a place in the text.

    Attributes:
      name: what it is called.
      compiled: finds the places.
      words: the words that it looks for, or the one prefix; empty for regular expressions.
      is_prefix: whether it looks at the beginning alone.
    """

    name: str
    compiled: re.Pattern[str]
    words: tuple[str, ...] = ()
    is_prefix: bool = False

    def matches(self, text: str) -> bool:
        """Whether the text has such a place."""
        return self.compiled.search(text) is not None

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Where each begins and ends, in characters."""
        return [found.span() for found in self.compiled.finditer(text) if found.group()]


class Length(NamedTuple):
    """A pattern that matches a number of words.

    Attributes:
      name: what it is called.
      compare: of the number of words with ``bound``.
      bound: a number of words.
    """

    name: str
    compare: Callable[[int, int], bool]
    bound: int

    def matches(self, text: str) -> bool:
        """Whether the text has so many words."""
        return self.compare(len(text.split()), self.bound)

    def spans(self, text: str) -> list[tuple[int, int]]:
        """None: a length is in no one place."""
        return []


class Rule(NamedTuple):
    """Makes a confound: the number of the first pattern that matches, from 1; 0 if none does.

    >>> rule = Rule((words(["nice", "great"]), length(">=", 4)))
    >>> rule.values(["A great day", "Bad", "It was not good"]).tolist()
    [1, 0, 2]
    >>> rule.spans("Great, very nice!")
    [(0, 5), (12, 16)]
    """

    patterns: tuple[Expression | Length, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """What the values are called: no and yes, or none and the patterns' names."""
        if len(self.patterns) == 1:
            return ("no", "yes")
        return ("none", *(pattern.name for pattern in self.patterns))

    def value(self, text: str) -> int:
        """The confound of one text."""
        numbered = enumerate(self.patterns, start=1)
        return next((number for number, pattern in numbered if pattern.matches(text)), 0)

    def values(self, texts: Collection[str]) -> np.ndarray:
        """The confounds of texts, int32."""
        return np.fromiter(map(self.value, texts), np.int32, len(texts))

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Where the pattern that counts matches, in characters; empty if none, or for lengths."""
        number = self.value(text)
        return self.patterns[number - 1].spans(text) if number else []


def regex(expression: str, name: str = "") -> Expression:
    """A pattern of a regular expression in Python's syntax.

    Raises:
      UserError: it is none.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what may mean something else in a later Python
            compiled = re.compile(expression)
    except (re.error, RecursionError, OverflowError) as error:
        raise UserError(
            rf"rule 'regex:{expression}' is no regular expression ({first_line(error)}); write a "
            r"backslash before any of .*+?()[]{}|^$ that is meant as it stands"
        ) from None
    return Expression(name or f"regex:{expression}", compiled)


def words(of: Iterable[str], name: str = "") -> Expression:
    """A pattern of whole words or phrases, in capitals or not.

    Raises:
      UserError: there is none.
    """
    listed = list(dict.fromkeys(filter(None, (" ".join(word.split()) for word in of))))
    if not listed:
        raise UserError("a rule of words has no word; write words:nice,great or words:@FILE")
    whole = re.compile(rf"(?<!\w){_any_of([*map(_lower, listed)])}(?!\w)", re.IGNORECASE)
    return Expression(name or f"words:{','.join(listed)}", whole, tuple(listed))


def _lower(word: str) -> str:
    """In small letters, unless that is another number of letters."""
    lower = word.lower()
    return lower if len(lower) == len(word) else word


def _any_of(listed: list[str]) -> str:
    """An expression of any of some words, the longest first.

    It is a tree that tries no beginning twice: thousands of words take little longer than a few.
    """
    start = os.path.commonprefix(listed)
    tails: dict[str, list[str]] = {}
    for word in listed:
        tails.setdefault(word[len(start) :][:1], []).append(word[len(start) :])
    may_end = tails.pop("", None) is not None
    branches = "|".join(map(_any_of, tails.values()))
    rest = f"(?:{branches}){'?' * may_end}" if branches else ""
    return re.escape(start).replace(r"\ ", r"\s+") + rest


def prefix(start: str, name: str = "") -> Expression:
    """A pattern of the beginning of a text.

    Raises:
      UserError: it is empty.
    """
    if not start:
        raise UserError("a rule of a prefix has none; write prefix:Positive .")
    compiled = re.compile(rf"\A{re.escape(start)}")
    return Expression(name or f"prefix:{start}", compiled, (start,), is_prefix=True)


def length(comparison: str, bound: int, name: str = "") -> Length:
    """A pattern of the number of words, split at white space."""
    return Length(name or f"length:{comparison}{bound}", COMPARISONS[comparison], bound)


def parse_rule(text: str) -> Rule:
    """Reads a rule as the command line gives it.

    Raises:
      UserError: a pattern is of no known kind, or malformed; or two have one name.

    >>> parse_rule("praise=words:nice,great || length:>=20").names
    ('none', 'praise', 'length:>=20')
    """
    rule = Rule(tuple(_parse_pattern(part) for part in re.split(r"(?:^|\s+)\|\|(?=\s|$)", text)))
    if len(set(rule.names)) < len(rule.names):
        raise UserError(f"rule {text!r} has two patterns of one name; write NAME= before one")
    return rule


def _parse_pattern(text: str) -> Expression | Length:
    if not text.strip():
        raise UserError("a part of the rule is empty; leave out the || beside it")
    parsed = re.fullmatch(r"\s*(?:([^=:]+)=)?(regex|words|prefix|length):(.*)", text, re.DOTALL)
    if not parsed:
        known = "regex:…, words:…, prefix:…, length:…"
        raise UserError(f"rule {text!r} is of no known kind; write one of {known}")
    name, kind, rest = parsed.groups()
    return _PARSERS[kind](rest, (name or "").strip())


def _parse_words(text: str, name: str) -> Expression:
    if not text.startswith("@"):
        return words(text.split(","), name)
    return words(read_text(text[1:]).splitlines(), name or f"words:{text}")


def _parse_length(text: str, name: str) -> Length:
    parsed = re.fullmatch(r"\s*(>=|<=|>|<|=)\s*([0-9]{1,9})\s*", text)
    if not parsed:
        raise UserError(f"rule 'length:{text}' compares with no number; write length:>=20")
    return length(parsed[1], int(parsed[2]), name)


_PARSERS = {"regex": regex, "words": _parse_words, "prefix": prefix, "length": _parse_length}
