"""Sentences of two clauses, each in four versions: with an adjective or not, "the" first or "a".

A draft is drawn in all but two respects: one slot, which an adjective or something else as long can
fill, and the order of two articles. So nothing outside the slot tells the label, and nothing at all
but the order of the articles tells the confound.
"""

import random
import re
from typing import NamedTuple

from itune.corpora.msgs_lexicon import (
    ADJECTIVES,
    DETERMINERS,
    MODIFIERS,
    NAMES,
    NOUNS,
    PHRASES,
    ROLES,
    RULES,
    WHEREABOUTS,
)

_ARTICLE, _SLOT, _COMPLEMENT = "<article>", "<slot>", "COMPLEMENT"


class Draft(NamedTuple):
    """A sentence but for its adjective and the order of its articles.

    Attributes:
      words: with two places for articles and one slot.
      fillers: what goes into the slot for label 0 and for label 1; equally many words.
    """

    words: tuple[str, ...]
    fillers: tuple[tuple[str, ...], tuple[str, ...]]

    def sentence(self, label: int, confound: int) -> tuple[str, ...]:
        """The words with an adjective iff ``label``, and "the" before "a" iff ``confound``."""
        articles = iter(("the", "a") if confound else ("a", "the"))
        words: list[str] = []
        for word in self.words:
            if word == _SLOT:
                words += self.fillers[label]
            else:
                words.append(next(articles) if word == _ARTICLE else word)
        return (words[0][0].upper() + words[0][1:], *words[1:])


def draw(rng: random.Random) -> Draft:
    """Draws a sentence.

    Two of its noun phrases, at random, get an article. The slot is the complement of "is" or "was",
    or goes before the noun of any phrase that has one.

    >>> draft = draw(random.Random(3))
    >>> print(*draft.sentence(label=0, confound=0))
    Ingrid has sometimes swept a library and the ferryman has slept in no college forge .
    >>> print(*draft.sentence(label=1, confound=1))
    Ingrid has sometimes swept the library and a ferryman has slept in no strange forge .
    """
    symbols = _expand("sentence", rng)
    phrases = [i for i, symbol in enumerate(symbols) if symbol in _NOUNS]
    articles = rng.sample(phrases, 2)
    others = [i for i in phrases if symbols[i] == "PERSON" and i not in articles]
    named = {i for i in others if rng.random() < 0.5}
    complements = [i for i, symbol in enumerate(symbols) if symbol == _COMPLEMENT]
    in_complement = complements and rng.random() < 0.5
    slot = rng.choice(complements if in_complement else [i for i in phrases if i not in named])
    words: list[str] = []
    for i, symbol in enumerate(symbols):
        if symbol == _COMPLEMENT:
            plain, adjectival = _complement(rng)
            words += [_SLOT] if i == slot else plain
        elif i in named:
            words.append(rng.choice(_NAMES))
        elif symbol in _NOUNS:
            noun = rng.choice(_NOUNS[symbol])
            words.append(_ARTICLE if i in articles else rng.choice(_DETERMINERS))
            words += [_SLOT, noun] if i == slot else [noun]
        else:
            words.append(symbol)
        if i == slot:
            is_noun = symbol in _NOUNS
            fillers = _attribute(symbol, noun, rng) if is_noun else (plain, adjectival)
    return Draft((*words, "."), fillers)


def _complement(rng: random.Random) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What a person is, of one word or two: without an adjective, and with one."""
    plain, adjective = (rng.choice(_PLAIN),), (rng.choice(_ADJECTIVES["PERSON"]),)
    kind = rng.randrange(4)
    if kind < 2:
        return plain, adjective
    often = _expand("often", rng)
    return (rng.choice(_PHRASES) if kind == 2 else (*often, *plain)), (*often, *adjective)


def _attribute(kind: str, noun: str, rng: random.Random) -> tuple[tuple[str], tuple[str]]:
    modifier = rng.choice([word for word in _MODIFIERS if word != noun])
    return (modifier,), (rng.choice(_ADJECTIVES[kind]),)


def _expand(name: str, rng: random.Random) -> tuple[str, ...]:
    words: list[str] = []
    for symbol in rng.choice(_RULES[name]):
        words += _expand(symbol[1:-1], rng) if symbol.startswith("<") else [symbol]
    return tuple(words)


def _alternatives(rule: str) -> tuple[tuple[str, ...], ...]:
    """Those of several words; one can be empty."""
    return tuple(tuple(option.split()) for option in re.split(r"[|\n]", rule.strip("\n")))


def _words(lists: dict[str, str]) -> dict[str, tuple[str, ...]]:
    return {name: tuple(words.split()) for name, words in lists.items()}


_NOUNS, _ADJECTIVES = _words(NOUNS), _words(ADJECTIVES)
_NAMES, _MODIFIERS, _DETERMINERS = NAMES.split(), MODIFIERS.split(), DETERMINERS.split()
_PLAIN = (*ROLES.split(), *WHEREABOUTS.split())
_PHRASES = _alternatives(PHRASES)
_RULES = {name: _alternatives(rule) for name, rule in RULES.items()}
