"""Sentences drawn from rules whose alternatives name other rules."""

import random
import re
from collections.abc import Mapping, Sequence

_SLOT = re.compile(r"<(@?\w+)>|#(\d+)-(\d+)")
_SILENT_H = re.compile(r"(hour|heir|honest|honour)", re.IGNORECASE)
_LIKE_YOU = re.compile(r"(uni(t|v|on|que|form)|use|euro|one|ukrain|urugu|ugand)", re.IGNORECASE)
_SPOKEN_VOWEL = re.compile(r"[aeiou]|8|1[18](?!\d)", re.IGNORECASE)

Rules = Mapping[str, Sequence[str]]
"""Alternatives by the name of their rule."""


def alternatives(rule: str) -> tuple[str, ...]:
    r"""Those of a rule as it is written, on lines of their own or between bars.

    >>> alternatives("by train|by bus\non  foot")
    ('by train', 'by bus', 'on foot')
    """
    return tuple(" ".join(option.split()) for option in re.split(r"[|\n]", rule) if option.strip())


def expand(name: str, rules: Rules, rng: random.Random, used: set[tuple[str, str]]) -> str:
    """Draws an alternative of a rule, and whatever it names in ``<...>``.

    ``#2-9`` becomes a whole number of that range. No alternative comes twice unless all of its
    rule's have come.

    Args:
      name: of the rule.
      rules: all of them.
      rng: draws.
      used: rules and alternatives that have come; added to.

    >>> expand("trip", {"trip": ["#2-2 hours by <way>"], "way": ["bus"]}, random.Random(0), set())
    '2 hours by bus'
    """
    options = [option for option in rules[name] if (name, option) not in used] or rules[name]
    option = rng.choice(options)
    used.add((name, option))

    def fill(slot: re.Match) -> str:
        if slot[1]:
            return expand(slot[1], rules, rng, used)
        return str(rng.randint(int(slot[2]), int(slot[3])))

    return _SLOT.sub(fill, option)


def with_articles(tokens: Sequence[str]) -> list[str]:
    """The tokens with "a" and "an" as the next one asks for.

    >>> with_articles("an unit in a hour or a evening".split())
    ['a', 'unit', 'in', 'an', 'hour', 'or', 'an', 'evening']
    """
    following = [*tokens[1:], ""]
    return [
        ("an" if _starts_with_vowel(after) else "a") if token in {"a", "an"} else token
        for token, after in zip(tokens, following, strict=True)
    ]


def _starts_with_vowel(word: str) -> bool:
    if _SILENT_H.match(word):
        return True
    return bool(_SPOKEN_VOWEL.match(word)) and not _LIKE_YOU.match(word)
