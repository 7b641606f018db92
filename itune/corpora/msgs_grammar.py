"""Sentences of two clauses, each in four versions: with an adjective or not, "the" first or "a".

Nothing outside one slot tells the label, and nothing but the order of two articles the confound.
"""

import random
from functools import cache
from typing import NamedTuple

from itune.corpora.grammar import Rules, read_grammar

_ARTICLE, _SLOT, _COMPLEMENT, _NO_WORD = "<article>", "<slot>", "COMPLEMENT", "-"

_Words = tuple[str, ...]


class Draft(NamedTuple):
    """A sentence without its adjective and without the order of its articles.

    ``fillers`` are as many words for the slot for label 0 as for label 1.
    """

    words: tuple[str, ...]
    fillers: tuple[tuple[str, ...], tuple[str, ...]]

    def sentence(self, label: int, confound: int) -> tuple[str, ...]:
        """Return the words, with an adjective if ``label``, "the" before "a" if ``confound``."""
        articles = iter(("the", "a") if confound else ("a", "the"))
        words: list[str] = []
        for word in self.words:
            if word == _SLOT:
                words += self.fillers[label]
            else:
                words.append(next(articles) if word == _ARTICLE else word)
        return (words[0][0].upper() + words[0][1:], *words[1:])


def draw(rng: random.Random) -> Draft:
    """Draw a sentence.

    Two of its noun phrases, at random, get an article. The slot is the complement of "is" or "was",
    or stands before the noun of any phrase that has one.

    >>> draft = draw(random.Random(3))
    >>> print(*draft.sentence(label=0, confound=0))
    Ingrid has sometimes swept a library and the ferryman has slept in no college forge .
    >>> print(*draft.sentence(label=1, confound=1))
    Ingrid has sometimes swept the library and a ferryman has slept in no strange forge .
    """
    nouns, lists = _grammar()["nouns"], _grammar()["words"]
    symbols = _expand("sentence", rng)
    phrases = [i for i, symbol in enumerate(symbols) if symbol in nouns]
    articles = rng.sample(phrases, 2)
    others = [i for i in phrases if symbols[i] == "PERSON" and i not in articles]
    named = {i for i in others if rng.random() < 0.5}
    complements = [i for i, symbol in enumerate(symbols) if symbol == _COMPLEMENT]
    in_complement = complements and rng.random() < 0.5
    slot = rng.choice(complements if in_complement else [i for i in phrases if i not in named])
    words: list[str] = []
    fillers: tuple[_Words, _Words] = ((), ())
    for i, symbol in enumerate(symbols):
        if symbol == _COMPLEMENT:
            versions = _complement(rng)
            if i == slot:
                fillers = versions
            words += [_SLOT] if i == slot else versions[0]
        elif i in named:
            words.append(rng.choice(lists["names"]))
        elif symbol in nouns:
            noun = rng.choice(nouns[symbol])
            words.append(_ARTICLE if i in articles else rng.choice(lists["determiners"]))
            words += [_SLOT, noun] if i == slot else [noun]
            if i == slot:
                fillers = _attribute(symbol, noun, rng)
        else:
            words.append(symbol)
    return Draft((*words, "."), fillers)


def _complement(rng: random.Random) -> tuple[_Words, _Words]:
    """Return what a person is, in one word or two: without an adjective, and with one."""
    adjectives, lists = _grammar()["adjectives"], _grammar()["words"]
    other = (rng.choice([*lists["roles"], *lists["whereabouts"]]),)
    adjective = (rng.choice(adjectives["PERSON"]),)
    kind = rng.randrange(4)
    if kind < 2:
        return other, adjective
    often = _expand("often", rng)
    phrase = tuple(rng.choice(lists["phrases"]).split()) if kind == 2 else (*often, *other)
    return phrase, (*often, *adjective)


def _attribute(kind: str, noun: str, rng: random.Random) -> tuple[_Words, _Words]:
    """Return what stands before a noun: another noun, and an adjective."""
    modifier = rng.choice([word for word in _grammar()["words"]["modifiers"] if word != noun])
    return (modifier,), (rng.choice(_grammar()["adjectives"][kind]),)


def _expand(name: str, rng: random.Random) -> _Words:
    words: list[str] = []
    for symbol in rng.choice(_grammar()["rules"][name]).split():
        if symbol.startswith("<"):
            words += _expand(symbol[1:-1], rng)
        elif symbol != _NO_WORD:
            words.append(symbol)
    return tuple(words)


@cache
def _grammar() -> dict[str, Rules]:
    return read_grammar("msgs")
