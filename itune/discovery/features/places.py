"""The first and the last word of a text."""

from collections.abc import Iterator

import numpy as np

from itune.discovery.features.base import Found, Rows, is_common, of_rule, whole
from itune.discovery.features.words import Words, standing_words, words_of

_PLACES = {
    "first": (0, r"\A[\W_]*{}"),
    "last": (-1, r"{}[\W_]*\Z"),
}
_WORD = " word"


def find(rows: Rows, minimum: int) -> Iterator[Found]:
    """Yield the first words, and the last words, that enough rows have."""
    for column, texts in rows.texts.items():
        words = [words_of(text) for text in texts]
        for name, (place, pattern) in _PLACES.items():
            having: dict[str, list[int]] = {}
            for number, row in enumerate(words):
                if row:
                    having.setdefault(row[place][0], []).append(number)
            for word in sorted(having):
                if is_common(len(having[word]), rows.size, minimum):
                    expression = f"(?i:{pattern.format(whole(word))})"
                    rule, called = f"regex:{expression}", f'{name} word "{word}"'
                    feature = of_rule("places", called, rule, column, word, expression)
                    yield feature._replace(slot=f"{name}{_WORD}"), np.array(having[word])


def standing_at(row: Words, slot: str) -> list[tuple[str, str, str]]:
    """Return the first or the last word of a row, if there is one, as words' function does."""
    place = _PLACES[slot.removesuffix(_WORD)][0]
    return [*standing_words(row, "1")][place:][:1]
