"""Sentences drawn from rules whose alternatives name other rules."""

import random
import re
from collections.abc import Mapping, Sequence
from configparser import ConfigParser
from importlib import resources

_SLOT = re.compile(r"<(@?\w+)>|#(\d+)-(\d+)")
_SILENT_H = re.compile(r"(hour|heir|honest|honour)", re.IGNORECASE)
_LIKE_YOU = re.compile(r"(uni(t|v|on|que|form)|use|euro|one|ukrain|urugu|ugand)", re.IGNORECASE)
_SPOKEN_VOWEL = re.compile(r"[aeiou]|8|1[18](?!\d)", re.IGNORECASE)

Rules = Mapping[str, Sequence[str]]
"""The alternatives of each rule, by the rule's name."""


def read_grammar(name: str) -> dict[str, Rules]:
    """Return the rules of a grammar that comes with the package, section by section.

    The head of each file, an INI file of sections, rules and alternatives, tells what they mean.

    >>> read_grammar("msgs")["rules"]["be"]
    ('is', 'was')
    """
    text = (resources.files("itune.corpora") / "data" / f"{name}.ini").read_text("utf-8")
    parser = ConfigParser(
        delimiters="=", comment_prefixes=";", interpolation=None, empty_lines_in_values=False
    )
    parser.optionxform = lambda optionstr: optionstr  # names of rules keep their case
    parser.read_string(text, source=f"{name}.ini")
    return {
        section: {rule: alternatives(value) for rule, value in parser[section].items()}
        for section in parser.sections()
    }


def alternatives(rule: str) -> tuple[str, ...]:
    r"""Return the alternatives of a rule, which stand on lines of their own or between bars.

    >>> alternatives("by train|by bus\non  foot")
    ('by train', 'by bus', 'on foot')
    """
    return tuple(" ".join(option.split()) for option in re.split(r"[|\n]", rule.strip()))


def expand(name: str, rules: Rules, rng: random.Random, used: set[tuple[str, str]]) -> str:
    """Draw an alternative of a rule, and of each rule that it names in ``<...>``.

    ``#2-9`` becomes a whole number from that range, ends included. No alternative is drawn twice
    unless all alternatives of its rule have been ``used``, to which what is drawn is added.

    >>> expand("trip", {"trip": ["#2-2 hours by <way>"], "way": ["bus"]}, random.Random(0), set())
    '2 hours by bus'
    """
    options = [option for option in rules[name] if (name, option) not in used] or rules[name]
    option = rng.choice(options)
    used.add((name, option))

    def fill(slot: re.Match[str]) -> str:
        if slot[1]:
            return expand(slot[1], rules, rng, used)
        return str(rng.randint(int(slot[2]), int(slot[3])))

    return _SLOT.sub(fill, option)


def with_articles(tokens: Sequence[str]) -> list[str]:
    """Return the tokens with each "a" and "an" as the token behind it requires.

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
