"""Words, and phrases of words in a row, in capitals or not, in any script."""

import re
from collections.abc import Iterator

import numpy as np
import regex as unicode_re

from itune.discovery.features.base import Feature, Found, Rows, is_common, of_rule
from itune.tables.rules import IN_WORDS, MARK, SPACELESS, normal

LONGEST = 3
"""Words of the longest phrase."""

_WORD = unicode_re.compile(
    rf"(?P<sign>{SPACELESS}(?:(?!{MARK})|{MARK}+(?!{IN_WORDS})))"
    rf"|(?<!{IN_WORDS})(?!{MARK}){IN_WORDS}+",
    unicode_re.VERSION1,
)


def words_of(text: str) -> list[tuple[str, str | None]]:
    """Return the words of a text in small letters, each with what joins it to the one before.

    That is a blank, nothing in scripts that are written without blanks, where each letter counts as
    a word, or None where something else stands between.

    >>> words_of("Not bad, I say")
    [('not', None), ('bad', ' '), ('i', None), ('say', ' ')]
    """
    found: list[tuple[str, str | None]] = []
    text, end, was_sign = normal(text), -1, False
    for match in _WORD.finditer(text):
        is_sign = match["sign"] is not None
        if end == match.start() and is_sign and was_sign:
            joint = ""
        else:
            joint = " " if end >= 0 and text[end : match.start()].isspace() else None
        found.append((_small(match.group()), joint))
        end, was_sign = match.end(), is_sign
    return found


def _small(word: str) -> str:
    """Return a word in small letters, but for those that have none of one letter, such as İ."""
    lower = word.lower()
    if len(lower) == len(word):
        return lower
    return "".join(letter.lower() if len(letter.lower()) == 1 else letter for letter in word)


def find(rows: Rows, minimum: int) -> Iterator[Found]:
    """Yield the words, and phrases of up to :data:`LONGEST`, that enough rows have."""
    for column, texts in rows.texts.items():
        words = [words_of(text) for text in texts]
        common: set[str] | None = None
        for length in range(1, LONGEST + 1):
            of_phrase: dict[str, list[int]] = {}
            for number, row in enumerate(words):
                for phrase in _phrases(row, length, common):
                    of_phrase.setdefault(phrase, []).append(number)
            common = {phrase for phrase, having in of_phrase.items() if len(having) >= minimum}
            for phrase in sorted(common):
                if is_common(len(of_phrase[phrase]), rows.size, minimum):
                    yield _feature(phrase, length, column), np.array(of_phrase[phrase])


def _phrases(words: list[tuple[str, str | None]], length: int, common: set[str] | None) -> set[str]:
    """Return the different phrases of a row whose beginnings are common."""
    found = set()
    for start in range(len(words) - length + 1):
        phrase, *others = words[start : start + length]
        text = phrase[0]
        for number, (word, joint) in enumerate(others, start=2):
            if joint is None or (number == length and common is not None and text not in common):
                break
            text += joint + word
        else:
            found.add(text)
    return found


def _feature(phrase: str, length: int, column: str) -> Feature:
    name = f'{"word" if length == 1 else "words"} "{phrase}"'
    return of_rule("words", name, f"words:{phrase}", column, phrase, f"(?i:{whole(phrase)})")


def whole(phrase: str) -> str:
    """Return a regular expression in Python's syntax of a phrase that is no part of a word."""
    pattern = re.escape(phrase).replace(r"\ ", r"\s+")
    return pattern if unicode_re.search(SPACELESS, phrase) else rf"(?<!\w){pattern}(?!\w)"
