"""Generated sentences that read like a news agency's, for use without a corpus."""

import random
from functools import cache

from itune.corpora.grammar import Rules, expand, read_grammar, with_articles


def newswire_sentences(count: int, seed: int, min_tokens: int = 30) -> list[list[str]]:
    """Return distinct English sentences, tokenised as CoNLL-2003 is, each of at least some tokens.

    Each is drawn independently from a grammar of politics, courts, markets, sport, weather and
    more. With one seed, a smaller count gives the beginning of a larger one; equal arguments give
    equal sentences on every machine.

    >>> " ".join(newswire_sentences(1, seed=0)[0][:15])
    'According to a report in a scientific journal , Argentine biologist Louise Walsh counted only'
    """
    rng = random.Random(seed)
    sentences: dict[tuple[str, ...], None] = {}
    while len(sentences) < count:
        sentences.setdefault(tuple(_sentence(rng, min_tokens)))
    return [list(sentence) for sentence in sentences]


@cache
def _rules_by_subject() -> dict[str, Rules]:
    """Return the rules of each subject, whose own are called ``@name``, with the shared ones."""
    sections = read_grammar("newswire")
    shared = sections.pop("shared")
    return {
        subject: {**{f"@{name}": options for name, options in rules.items()}, **shared}
        for subject, rules in sections.items()
    }


def _sentence(rng: random.Random, min_tokens: int) -> list[str]:
    subjects = _rules_by_subject()
    rules = subjects[rng.choice(list(subjects))]
    used: set[tuple[str, str]] = set()
    text = expand("frame", rules, rng, used)
    while len(sentence := _polish([*text.split(), "."])) < min_tokens:
        text += " " + expand("coda", rules, rng, used)
    return sentence


def _polish(tokens: list[str]) -> list[str]:
    """Capitalise the first word, choose between "a" and "an", drop doubled marks."""
    tokens = [
        token
        for token, after in zip(tokens, [*tokens[1:], ""], strict=True)
        if not (token == "," and after in {",", "."})
    ]
    if tokens[-2].endswith("."):  # "a.m." also ends the sentence
        tokens.pop()
    tokens = with_articles(tokens)
    first = next(i for i, token in enumerate(tokens) if token[0].isalnum())
    tokens[first] = tokens[first][0].upper() + tokens[first][1:]
    return tokens
