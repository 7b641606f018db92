r"""Rules that make confounds: whether a text matches a pattern, or which of several.

=========================  =====================================================================
pattern                    matches
=========================  =====================================================================
``regex:\d+ (stars|★)``    what the regular expression finds, anywhere in the text
``words:nice,great``       any of the words or phrases, whole, in capitals or not
``words:@FILE``            any of the words or phrases of a file with one on each line
``prefix:Positive .``      a text that begins with ``Positive .``
``length:>=20``            a text of 20 words or more, split at white space; also ``>``, ``<=``,
                           ``<``, ``=``
``a || b``                 either; the number of the first that matches counts
``NAME=a``                 what ``a`` matches; the pattern is called NAME
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
      name: Name of the pattern.
      compiled: Regular expression that finds the places.
      words: Words or phrases that it looks for, or the one prefix; empty for regular expressions.
      is_prefix: Whether it looks only at the beginning of the text.
    """

    name: str
    compiled: re.Pattern[str]
    words: tuple[str, ...] = ()
    is_prefix: bool = False

    def matches(self, text: str) -> bool:
        """Return whether the text has such a place."""
        return self.compiled.search(text) is not None

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Return where each such place begins and ends, in characters."""
        return [found.span() for found in self.compiled.finditer(text) if found.group()]


class Length(NamedTuple):
    """A pattern that matches a number of words.

    Attributes:
      name: Name of the pattern.
      compare: Comparison of a text's number of words with ``bound``.
      bound: Number of words that texts are compared with.
    """

    name: str
    compare: Callable[[int, int], bool]
    bound: int

    def matches(self, text: str) -> bool:
        """Return whether the text has such a number of words."""
        return self.compare(len(text.split()), self.bound)

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Return no places: a length is in no one place."""
        return []


class Rule(NamedTuple):
    """A rule that makes confounds: the number of the first pattern that matches, or 0 if none does.

    Attributes:
      patterns: The patterns, numbered from 1.

    >>> rule = Rule((words(["nice", "great"]), length(">=", 4)))
    >>> rule.values(["A great day", "Bad", "It was not good"]).tolist()
    [1, 0, 2]
    >>> rule.spans("Great, very nice!")
    [(0, 5), (12, 16)]
    """

    patterns: tuple[Expression | Length, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the confounds: no and yes, or none and the patterns' names."""
        if len(self.patterns) == 1:
            return ("no", "yes")
        return ("none", *(pattern.name for pattern in self.patterns))

    def value(self, text: str) -> int:
        """Return the confound of one text."""
        numbered = enumerate(self.patterns, start=1)
        return next((number for number, pattern in numbered if pattern.matches(text)), 0)

    def values(self, texts: Collection[str]) -> np.ndarray:
        """Return the confounds of texts, an int32 array."""
        return np.fromiter(map(self.value, texts), np.int32, len(texts))

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Return where the first pattern that matches does so, in characters; none for lengths."""
        number = self.value(text)
        return self.patterns[number - 1].spans(text) if number else []


def regex(expression: str, name: str = "") -> Expression:
    """Return a pattern of a regular expression in Python's syntax.

    Args:
      expression: The regular expression.
      name: Name of the pattern; ``regex:`` and the expression if empty.

    Raises:
      UserError: The regular expression is malformed.
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
    """Return a pattern of whole words or phrases, in capitals or not.

    Args:
      of: The words and phrases; empty ones are left out.
      name: Name of the pattern; ``words:`` and the words if empty.

    Raises:
      UserError: There is no word.
    """
    listed = list(dict.fromkeys(filter(None, (" ".join(word.split()) for word in of))))
    if not listed:
        raise UserError("a rule of words has no word; write words:nice,great or words:@FILE")
    whole = re.compile(rf"(?<!\w){_any_of([*map(_lower, listed)])}(?!\w)", re.IGNORECASE)
    return Expression(name or f"words:{','.join(listed)}", whole, tuple(listed))


def _lower(word: str) -> str:
    """Return a word in small letters, unless that changes the number of letters."""
    lower = word.lower()
    return lower if len(lower) == len(word) else word


def _any_of(listed: list[str]) -> str:
    """Return a regular expression that matches any of some words, the longest first.

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
    """Return a pattern of the beginning of a text.

    Args:
      start: The beginning to look for.
      name: Name of the pattern; ``prefix:`` and the beginning if empty.

    Raises:
      UserError: The beginning is empty.
    """
    if not start:
        raise UserError("a rule of a prefix has none; write prefix:Positive .")
    compiled = re.compile(rf"\A{re.escape(start)}")
    return Expression(name or f"prefix:{start}", compiled, (start,), is_prefix=True)


def length(comparison: str, bound: int, name: str = "") -> Length:
    """Return a pattern of the number of words, split at white space.

    Args:
      comparison: One of the keys of :data:`COMPARISONS`, such as ``>=``.
      bound: Number of words that texts are compared with.
      name: Name of the pattern; ``length:``, the comparison and the bound if empty.
    """
    return Length(name or f"length:{comparison}{bound}", COMPARISONS[comparison], bound)


def parse_rule(text: str) -> Rule:
    """Parse a rule as the command line gives it.

    Raises:
      UserError: A pattern is of no known kind or malformed, or two patterns have one name.

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
