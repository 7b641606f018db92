"""Sentences that read like a news agency's, for a machine without a corpus."""

import random
import re

from itune.data.newswire_grammar import PUBLIC_AFFAIRS
from itune.data.newswire_grammar_events import EVENTS
from itune.data.newswire_lexicon import CODAS, FRAMES, LEXICON
from itune.errors import UserError

_RANGE = re.compile(r"#(\d+)-(\d+)")
_SILENT_H = re.compile(r"(hour|heir|honest|honour)", re.IGNORECASE)
_LIKE_YOU = re.compile(r"(uni(t|v|on|que|form)|use|euro|one|ukrain|urugu|ugand)", re.IGNORECASE)
_SPOKEN_VOWEL = re.compile(r"[aeiou]|8|1[18](?!\d)", re.IGNORECASE)


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


def _alternatives(rule: str) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(option.split()) for option in re.split(r"[|\n]", rule) if option.strip())


_SHARED = {name: _alternatives(rule) for name, rule in LEXICON.items()}
_SHARED |= {"frame": _alternatives(FRAMES), "coda": _alternatives(CODAS)}
_BY_SUBJECT = {
    subject: {f"@{name}": _alternatives(rule) for name, rule in rules.items()} | _SHARED
    for subject, rules in (PUBLIC_AFFAIRS | EVENTS).items()
}
_SUBJECTS = tuple(_BY_SUBJECT)


def _sentence(rng: random.Random, min_tokens: int) -> list[str]:
    rules = _BY_SUBJECT[rng.choice(_SUBJECTS)]
    used: set[tuple[str, ...]] = set()
    tokens = _expand("frame", rules, rng, used)
    while len(sentence := _polish([*tokens, "."])) < min_tokens:
        tokens += _expand("coda", rules, rng, used)
    return sentence


def _expand(name: str, rules, rng: random.Random, used: set) -> list[str]:
    """Expand one rule; `used` holds the alternatives the sentence has had already."""
    options = [option for option in rules[name] if (name, option) not in used] or rules[name]
    option = rng.choice(options)
    used.add((name, option))
    tokens: list[str] = []
    for symbol in option:
        if symbol.startswith("<"):
            tokens += _expand(symbol[1:-1], rules, rng, used)
        else:
            tokens.append(_RANGE.sub(lambda match: _draw(match, rng), symbol))
    return tokens


def _draw(match: re.Match, rng: random.Random) -> str:
    return str(rng.randint(int(match[1]), int(match[2])))


def _polish(tokens: list[str]) -> list[str]:
    """Capitalise the first word, choose between "a" and "an", drop doubled marks."""
    tokens = [
        token
        for token, after in zip(tokens, [*tokens[1:], ""], strict=True)
        if not (token == "," and after in {",", "."})
    ]
    if tokens[-2].endswith("."):  # "a.m." is stop enough
        tokens.pop()
    for i, after in enumerate(tokens[1:]):
        if tokens[i] in {"a", "an"}:
            tokens[i] = "an" if _starts_with_vowel(after) else "a"
    first = next(i for i, token in enumerate(tokens) if token[0].isalnum())
    tokens[first] = tokens[first][0].upper() + tokens[first][1:]
    return tokens


def _starts_with_vowel(word: str) -> bool:
    if _SILENT_H.match(word):
        return True
    return bool(_SPOKEN_VOWEL.match(word)) and not _LIKE_YOU.match(word)
