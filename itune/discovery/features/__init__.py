"""Generators of features, a file each: from rows to what some of them have and others lack.

A new one is a file with a function of :data:`~itune.discovery.features.base.Generator`'s form and a
line in :data:`GENERATORS`. What takes two features at once is in :mod:`~itune.discovery.pairs`.
"""

from collections.abc import Callable, Iterable

from itune.discovery.features import characters, columns, lengths, places, words
from itune.discovery.features.base import Generator
from itune.discovery.features.words import Words

GENERATORS: dict[str, Generator] = {
    "words": words.find,
    "places": places.find,
    "characters": characters.find,
    "lengths": lengths.find,
    "columns": columns.find,
}
"""Generators by the kind of feature that they find."""

STANDING: dict[str, Callable[[Words, str], Iterable[tuple[str, str, str]]]] = {
    "words": words.standing_words,
    "places": places.standing_at,
}
"""What stands at a slot of a row, with the words before and after, by the kind of feature."""
