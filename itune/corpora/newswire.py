"""Sentences that read like a news agency's, for a machine without a corpus."""

import random

from itune.corpora.grammar import alternatives, expand, with_articles
from itune.corpora.newswire_grammar import PUBLIC_AFFAIRS
from itune.corpora.newswire_grammar_events import EVENTS
from itune.corpora.newswire_lexicon import CODAS, FRAMES, LEXICON
from itune.errors import UserError


def newswire_sentences(count: int, seed: int, min_tokens: int = 30) -> list[list[str]]:
    """Return distinct English sentences, tokenised as CoNLL-2003 is.

    Each is drawn on its own from a grammar of politics, courts, markets, sport, weather and more,
    so the order means nothing. With one seed, a smaller count gives the beginning of a larger one.

    Args:
      count: how many.
      seed: of the generator; equal arguments give equal sentences on every machine.
      min_tokens: the fewest tokens a sentence has; it is told on until it has them.

    Raises:
      UserError: an argument is out of range.

    >>> " ".join(newswire_sentences(1, seed=0)[0][:15])
    'According to a report in a scientific journal , Argentine biologist Louise Walsh counted only'
    """
    limits = (("count", count, 0), ("seed", seed, 0), ("min_tokens", min_tokens, 1))
    for name, value, least in limits:
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise UserError(f"{name} is {value!r}; make it an integer, {least} or more")
    rng = random.Random(seed)
    sentences: dict[tuple[str, ...], None] = {}
    while len(sentences) < count:
        sentences.setdefault(tuple(_sentence(rng, min_tokens)))
    return [list(sentence) for sentence in sentences]


_SHARED = {name: alternatives(rule) for name, rule in LEXICON.items()}
_SHARED |= {"frame": alternatives(FRAMES), "coda": alternatives(CODAS)}
_BY_SUBJECT = {
    subject: {f"@{name}": alternatives(rule) for name, rule in rules.items()} | _SHARED
    for subject, rules in (PUBLIC_AFFAIRS | EVENTS).items()
}
_SUBJECTS = tuple(_BY_SUBJECT)


def _sentence(rng: random.Random, min_tokens: int) -> list[str]:
    rules = _BY_SUBJECT[rng.choice(_SUBJECTS)]
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
    if tokens[-2].endswith("."):  # "a.m." is stop enough
        tokens.pop()
    tokens = with_articles(tokens)
    first = next(i for i, token in enumerate(tokens) if token[0].isalnum())
    tokens[first] = tokens[first][0].upper() + tokens[first][1:]
    return tokens
