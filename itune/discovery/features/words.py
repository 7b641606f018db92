"""Words, and phrases of words in a row, in capitals or not, in any script."""

from collections.abc import Iterator
from typing import TypeAlias

import numpy as np
import regex as unicode_re

from itune.discovery.features.base import Feature, Found, Rows, is_common, of_rule, whole
from itune.tables.rules import IN_WORDS, MARK, SPACELESS, normal

LONGEST = 3
"""Words of the longest phrase."""

_WORD = unicode_re.compile(
    rf"(?P<sign>{SPACELESS}(?:(?!{MARK})|{MARK}+(?!{IN_WORDS})))"
    rf"|(?<!{IN_WORDS})(?!{MARK}){IN_WORDS}+",
    unicode_re.VERSION1,
)


Words: TypeAlias = list[tuple[str, str | None]]
"""Words of a text in small letters, each with what joins it to the one before; None where that is
neither a blank nor nothing."""


def words_of(text: str) -> Words:
    """Return the words of a text in small letters, each with what joins it to the one before.

    That is a blank, nothing in scripts that are written without blanks, where each letter counts as
    a word, or None where something else stands between.

    >>> words_of("Not bad, I say")
    [('not', None), ('bad', ' '), ('i', None), ('say', ' ')]
    """
    found: Words = []
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
                for phrase in {phrase for _, phrase in _phrases_at(row, length, common)}:
                    of_phrase.setdefault(phrase, []).append(number)
            common = {phrase for phrase, having in of_phrase.items() if len(having) >= minimum}
            for phrase in sorted(common):
                if is_common(len(of_phrase[phrase]), rows.size, minimum):
                    yield _feature(phrase, length, column), np.array(of_phrase[phrase])


def _phrases_at(
    row: Words, length: int, common: set[str] | None = None
) -> Iterator[tuple[int, str]]:
    """Yield places and phrases of a row, those whose beginnings are common unless that is None."""
    for start in range(len(row) - length + 1):
        phrase, *others = row[start : start + length]
        text = phrase[0]
        for number, (word, joint) in enumerate(others, start=2):
            if joint is None or (number == length and common is not None and text not in common):
                break
            text += joint + word
        else:
            yield start, text


def _feature(phrase: str, length: int, column: str) -> Feature:
    name = f'{"word" if length == 1 else "words"} "{phrase}"'
    feature = of_rule("words", name, f"words:{phrase}", column, phrase, f"(?i:{whole(phrase)})")
    return feature._replace(slot=str(length))


def standing_words(row: Words, slot: str) -> Iterator[tuple[str, str, str]]:
    """Yield the phrases of a row of as many words as the slot says, and the words before and after.

    The latter are empty at the ends of the row, and where something else than a blank is between.

    >>> [*standing_words(words_of("Not bad, I say"), "1")]
    [('not', '', 'bad'), ('bad', 'not', ''), ('i', '', 'say'), ('say', 'i', '')]
    """
    length = int(slot)
    for start, phrase in _phrases_at(row, length):
        end = start + length
        before = row[start - 1][0] if start and row[start][1] is not None else ""
        after = row[end][0] if end < len(row) and row[end][1] is not None else ""
        yield phrase, before, after
