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

Patterns and texts are compared in Unicode's normal form NFC: an accent may be a part of its letter
in the one and a character of its own in the other.

A word is whole if no letter, mark, digit or underscore stands beside it, by Unicode's properties
(UTS #18): a vowel sign belongs to its word, an apostrophe or a hyphen ends it. In scripts that are
written without blanks (Han, Hiragana, Katakana, Thai, Lao, Khmer, Myanmar and the others of the
line breaking class SA) it is found anywhere, though never without a mark on its last letter.
"""

import operator
import os
import re
import unicodedata
import warnings
from collections.abc import Callable, Collection, Iterable
from typing import NamedTuple

import numpy as np
import regex as unicode_re

from itune.errors import UserError, as_path
from itune.utils.formats import first_line
from itune.utils.text_files import read_text

_SELECTORS = r"\uFE00-\uFE0F"  # marks that choose how an emoji is drawn, and belong to no word
SPACELESS = r"[\p{scx=Han}\p{scx=Hiragana}\p{scx=Katakana}\p{lb=SA}]"
IN_WORDS = rf"[[\w\p{{N}}]--[{SPACELESS}{_SELECTORS}]]"
MARK = rf"[\p{{M}}--[{_SELECTORS}]]"
_BEGIN = rf"(?!{MARK})(?:(?<!{IN_WORDS})|(?={SPACELESS}))"
_END = rf"[{_SELECTORS}]?(?!{MARK})(?:(?!{IN_WORDS})|(?<={SPACELESS}))"

RARE = 0.01
"""Share of the rows below which a pattern matches next to none."""

LONGEST = 60
"""Characters of a pattern's name that a note shows."""

FOLDED = unicode_re.IGNORECASE | unicode_re.VERSION1
"""Flags by which words are compared: in capitals or not, where a letter may be folded to two."""

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
      compiled: Regular expression that finds the places in a text in NFC.
      anywhere: Regular expression that finds the words or the prefix anywhere, within words too;
        None for regular expressions.
      words: Words or phrases that it looks for, in order and with repeats, or the one prefix; empty
        for regular expressions.
      is_prefix: Whether it looks only at the beginning of the text.
    """

    name: str
    compiled: "re.Pattern[str] | unicode_re.Pattern[str]"
    anywhere: "re.Pattern[str] | unicode_re.Pattern[str] | None" = None
    words: tuple[str, ...] = ()
    is_prefix: bool = False

    def matches(self, text: str) -> bool:
        """Return whether the text has such a place."""
        text, place = normal(text), 0
        if self.anywhere is None:
            return self.compiled.search(text) is not None
        while found := self.anywhere.search(text, place):
            if self.compiled.match(text, found.start()):
                return True
            place = found.start() + 1
        return False

    def is_in(self, text: str) -> bool:
        """Return whether the text has one of the words or the prefix anywhere; quick to tell."""
        return (self.anywhere or self.compiled).search(normal(text)) is not None

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Return where each such place begins and ends, in characters of the text as it is."""
        found = self.compiled.finditer(normal(text))
        spans = [match.span() for match in found if match.group()]
        return spans if normal(text) == text else _in_original(text, spans)


class Length(NamedTuple):
    """A pattern that matches a number of words, which is compared with a bound."""

    name: str
    compare: Callable[[int, int], bool]
    bound: int

    def matches(self, text: str) -> bool:
        """Return whether the text has such a number of words."""
        return self.compare(len(text.split()), self.bound)

    is_in = matches

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Return no places: a length is in no one place."""
        return []


class Rule(NamedTuple):
    """A rule that makes confounds: the number of the first pattern that matches, or 0 if none does.

    Patterns are numbered from 1.

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

    def notes(self, texts: Iterable[str], values: Iterable[int]) -> list[str]:
        """Return a sentence on each pattern that matches few of some texts with these confounds.

        Few are less than :data:`RARE` of all, and less than half of those that have its words or
        its prefix anywhere, within other words too; a sentence gives both counts.
        """
        counts = np.zeros((len(self.patterns), 3), int)
        for text, value in zip(texts, values, strict=True):
            counts += [
                (1, n == value or (0 < value < n and pattern.matches(text)), pattern.is_in(text))
                for n, pattern in enumerate(self.patterns, start=1)
            ]
        return [
            _note(pattern, matched, within, total)
            for pattern, (total, matched, within) in zip(
                self.patterns, counts.tolist(), strict=True
            )
            if matched < max(RARE * total, within / 2)
        ]


def _note(pattern: Expression | Length, matched: int, within: int, total: int) -> str:
    name = pattern.name if len(pattern.name) <= LONGEST else f"{pattern.name[: LONGEST - 1]}…"
    if not within:
        return f"{name!r} matches none of {total} training rows"
    note = f"{name!r} matches {matched} of {total} training rows"
    if within == matched:
        return f"{note}, which is next to none"
    if isinstance(pattern, Expression) and pattern.is_prefix:
        return f"{note}; {within} have it, at the beginning or elsewhere: regex: finds it anywhere"
    return f"{note} as a whole word; {within} have it as a part of words too, which regex: finds"


def normal(text: str) -> str:
    """Return a text in Unicode's normal form NFC, in which texts that print alike are equal."""
    return unicodedata.normalize("NFC", text)


def _in_original(text: str, spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Spans of a text from those of its normal form; what is composed there is taken whole."""
    starts: list[int] = []
    ends: list[int] = []
    place = 0
    for cluster in unicode_re.findall(r"\X", text):
        stop, composed = place + len(cluster), normal(cluster)
        places = range(place, stop)
        starts += places if composed == cluster else [place] * len(composed)
        ends += (i + 1 for i in places) if composed == cluster else [stop] * len(composed)
        place = stop
    result: list[tuple[int, int]] = []
    for first, last in spans:
        span = starts[first], ends[last - 1]
        if result and span[0] < result[-1][1]:
            span = result.pop()[0], span[1]
        result.append(span)
    return result


def regex(expression: str, name: str = "") -> Expression:
    """Return a pattern of a regular expression in Python's syntax.

    Raises:
      UserError: The regular expression is malformed.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what may mean something else in a later Python
            compiled = re.compile(normal(expression))
    except (re.error, RecursionError, OverflowError) as error:
        raise UserError(
            rf"rule 'regex:{expression}' is no regular expression ({first_line(error)}); write a "
            r"backslash before any of .*+?()[]{}|^$ that is meant as it stands"
        ) from None
    return Expression(name or f"regex:{expression}", compiled)


def words(of: Iterable[str], name: str = "") -> Expression:
    """Return a pattern of whole words or phrases, in capitals or not; empty ones are left out.

    Raises:
      UserError: There is no word.
    """
    listed = tuple(filter(None, (" ".join(normal(word).split()) for word in of)))
    if not listed:
        raise UserError("a rule of words has no word; write words:nice,great or words:@FILE")
    tree = _any_of([*dict.fromkeys(map(_lower, listed))])
    whole = unicode_re.compile(f"{_BEGIN}(?:{tree}){_END}", FOLDED)
    return Expression(
        name or f"words:{','.join(listed)}", whole, unicode_re.compile(tree, FOLDED), listed
    )


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

    Raises:
      UserError: The beginning is empty.
    """
    if not start:
        raise UserError("a rule of a prefix has none; write prefix:Positive .")
    start = normal(start)
    compiled, anywhere = (re.compile(before + re.escape(start)) for before in (r"\A", ""))
    return Expression(name or f"prefix:{start}", compiled, anywhere, (start,), is_prefix=True)


def length(comparison: str, bound: int, name: str = "") -> Length:
    """Return a pattern of the number of words, split at white space.

    ``comparison`` is one of the keys of :data:`COMPARISONS`, such as ``>=``.
    """
    return Length(name or f"length:{comparison}{bound}", COMPARISONS[comparison], bound)


def parse_rule(text: str) -> Rule:
    """Parse a rule as the command line gives it.

    Raises:
      UserError: A pattern is of no known kind or malformed, or two patterns have one name.

    >>> parse_rule("praise=words:nice,great || length:>=20").names
    ('none', 'praise', 'length:>=20')
    """
    rule = Rule(tuple(map(_parse_pattern, re.split(_OR, text))))
    if len(set(rule.names)) < len(rule.names):
        raise UserError(f"rule {text!r} has two patterns of one name; write NAME= before one")
    return rule


_OR = r"(?:^|\s+)\|\|(?=\s|$)"
_PATTERN = re.compile(r"\s*(?:([^=:]+)=)?(regex|words|prefix|length):(.*)", re.DOTALL)


def located_rule(text: str) -> str:
    """Return a rule with absolute paths of its files of words, to be read elsewhere."""
    return "".join(map(_located, re.split(f"({_OR})", text)))


def _located(text: str) -> str:
    parsed = _PATTERN.fullmatch(text)
    if not parsed or parsed[2] != "words" or not parsed[3].startswith("@"):
        return text
    return text[: parsed.start(3) + 1] + str(as_path(parsed[3][1:]).resolve())


def _parse_pattern(text: str) -> Expression | Length:
    if not text.strip():
        raise UserError("a part of the rule is empty; leave out the || beside it")
    if not (parsed := _PATTERN.fullmatch(text)):
        known = "regex:…, words:…, prefix:…, length:…"
        raise UserError(f"rule {text!r} is of no known kind; write one of {known}")
    name, kind, rest = parsed.groups()
    return _PARSERS[kind](rest, normal(name or "").strip())


def _parse_words(text: str, name: str) -> Expression:
    if not text.startswith("@"):
        return words(text.split(","), name)
    path = as_path(text[1:])  # of which the folder is no part of the name, wherever the run is read
    return words(read_text(path).splitlines(), name or f"words:@{path.name}")


def _parse_length(text: str, name: str) -> Length:
    parsed = re.fullmatch(r"\s*(>=|<=|>|<|=)\s*([0-9]{1,9})\s*", text)
    if not parsed:
        raise UserError(f"rule 'length:{text}' compares with no number; write length:>=20")
    return length(parsed[1], int(parsed[2]), name)


_PARSERS = {"regex": regex, "words": _parse_words, "prefix": prefix, "length": _parse_length}
