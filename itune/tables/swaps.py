"""Give texts another confound and change nothing else, where a rule over words or a task has it."""

from collections.abc import Callable, Iterable
from typing import NamedTuple, TypeAlias

import numpy as np

from itune.tables.rules import Expression, Rule, normal
from itune.tables.table import Tables

CLOSING = tuple(",.;:!?)")
"""Characters before which no blank is left where a word is taken out."""


class RuleSwaps(NamedTuple):
    """Replacements for what the patterns of a rule match.

    A word is replaced by its partner: the word at its place in the other pattern's list, if the two
    are of one length, or the only word of that list. A word that stands at several places has a
    partner if the words at these places are one. Where it has none, texts with it are left alone,
    unless ``is_drawn``.

    Attributes:
      rule: Rule that makes the confound, with at least one pattern of words.
      matched: For the number of each pattern that is no length, the strings that it matched in some
        texts, each as often as it was matched; the pattern's own words if it matched in none.
      is_drawn: Whether a word without partner is replaced by one drawn from those that stand at its
        places, or else from ``matched``.
    """

    rule: Rule
    matched: dict[int, list[str]]
    is_drawn: bool = False

    def targets(self, value: int) -> list[int]:
        """Return the confounds that texts with confound ``value`` can be given, partners granted.

        If the rule has several patterns of words, these are the confounds of the other patterns. If
        it has one, a text that matches can be given confound 0; a text that does not match can be
        given the pattern's confound only if the pattern is a prefix.
        """
        if len(self.matched) > 1:
            return [number for number in self.matched if number != value and value in self.matched]
        (only,) = self.matched
        if value == only:
            return [0]
        return [only] if value == 0 and self._expression(only).is_prefix else []

    def without_partner(self, text: str, target: int) -> list[str]:
        """Return the words of the text's confound for which there is no replacement."""
        value = self.rule.value(text)
        if self.is_drawn or not value or not target:
            return []
        words = [text[start:stop] for start, stop in self.rule.spans(text)]
        return [word for word in words if len(self._partners(word, value, target)) != 1]

    def swapped(self, text: str, target: int, rng: np.random.Generator) -> str | None:
        """Return the text with another confound, one of :meth:`targets`.

        A word gets the capitals of the one that it replaces, but a prefix keeps its own. To give
        confound 0, words are taken out together with their blank. None is returned for a text with
        a word :meth:`without_partner`, or where the new text is empty or the rule gives it another
        confound than ``target``.
        """
        value = self.rule.value(text)
        if self.without_partner(text, target):
            return None
        if value == 0:
            after = f"{self._expression(target).words[0]} {text.lstrip()}"
        elif target == 0:
            after = _without(text, self.rule.spans(text))
        else:
            after = self._replaced(text, value, target, rng)
        return after if after.strip() and self.rule.value(after) == target else None

    def _expression(self, value: int) -> Expression:
        """The pattern that makes a confound; swaps are made of expressions only."""
        pattern = self.rule.patterns[value - 1]
        assert isinstance(pattern, Expression)
        return pattern

    def _partners(self, word: str, value: int, target: int) -> list[str]:
        """The different words that may stand in place of a word."""
        old, new = self._expression(value).words, self._expression(target).words
        if len(new) > 1 and len(old) == len(new):
            new = [b for a, b in zip(old, new, strict=True) if _folded(a) == _folded(word)]
        elif len(new) > 1:
            return []
        return [*dict.fromkeys(new)]

    def _replaced(self, text: str, value: int, target: int, rng: np.random.Generator) -> str:
        keeps_capitals = not self._expression(value).is_prefix
        matched = self.matched[target]
        drawn = matched[rng.integers(len(matched))] if self.is_drawn else ""
        pieces, end = [], 0
        for start, stop in self.rule.spans(text):
            word = text[start:stop]
            partners = self._partners(word, value, target) or [drawn]
            put = partners[rng.integers(len(partners)) if len(partners) > 1 else 0]
            pieces += [text[end:start], with_capitals_of(word, put) if keeps_capitals else put]
            end = stop
        return "".join([*pieces, text[end:]])


class TaskSwaps(NamedTuple):
    """Replacements by a function that gives a text the other of two confounds.

    Attributes:
      counterpart: The function; it returns None for a text that it cannot give the other confound.
    """

    counterpart: Callable[[str], str | None]

    def targets(self, value: int) -> list[int]:
        """Return the other of the two confounds; none of what is neither."""
        return [1 - value] if value in (0, 1) else []

    def without_partner(self, text: str, target: int) -> list[str]:
        """Return the words for which there is no replacement: none."""
        return []

    def swapped(self, text: str, target: int, rng: np.random.Generator) -> str | None:
        """Return the text with its other confound, which is ``target``; None if it has none."""
        return self.counterpart(text)


Swaps: TypeAlias = RuleSwaps | TaskSwaps
"""What gives texts another confound: their task, or the rule that made the confounds."""


def make_swaps(tables: Tables, texts: Iterable[str], *, is_drawn: bool = False) -> Swaps | None:
    """Return what gives texts of a table another confound; None if neither task nor rule does.

    A rule does with a pattern of words, or a regular expression that matches one of some texts,
    such as those of train, from which what patterns match is collected.
    """
    if tables.counterpart is not None:
        return TaskSwaps(tables.counterpart)
    return None if tables.rule is None else rule_swaps(tables.rule, texts, is_drawn=is_drawn)


def rule_swaps(rule: Rule, texts: Iterable[str], *, is_drawn: bool = False) -> RuleSwaps | None:
    """Collect from texts, such as those of train, what the patterns of a rule match.

    Returns None if there is neither a pattern of words nor a regular expression that matches.
    """
    patterns = {n: p for n, p in enumerate(rule.patterns, 1) if isinstance(p, Expression)}
    matched: dict[int, list[str]] = {number: [] for number in patterns}
    for text in texts:
        if (number := rule.value(text)) in matched:
            matched[number] += [text[start:stop] for start, stop in rule.spans(text)]
    known = {number: words or [*patterns[number].words] for number, words in matched.items()}
    known = {number: words for number, words in known.items() if words}
    return RuleSwaps(rule, known, is_drawn) if known else None


def _folded(word: str) -> str:
    return " ".join(normal(word).split()).lower()


def with_capitals_of(old: str, new: str) -> str:
    """Return the new word with the capitals of the old one.

    >>> [with_capitals_of(old, "umbrella") for old in ("ACME", "Acme", "acme")]
    ['UMBRELLA', 'Umbrella', 'umbrella']
    """
    if old.isupper() and len(old) > 1:
        return new.upper()
    if old[:1].isupper():
        return new[:1].upper() + new[1:]
    return new.lower() if old.islower() else new


def _without(text: str, spans: Iterable[tuple[int, int]]) -> str:
    """Return the text without some places, and without the blanks that would be left over.

    >>> _without("The nice, nice day is nice.", [(4, 8), (10, 14), (22, 26)])
    'The, day is.'
    >>> _without("The day was nice", [(12, 16)])
    'The day was'
    """
    pieces, end = [], 0
    for start, stop in spans:
        pieces.append(text[end:start])
        end = stop
    kept, *rest = [*pieces, text[end:]]
    for piece in rest:
        if kept[-1:].isspace() or not kept:
            if piece.startswith(CLOSING):
                kept = kept.rstrip()
            piece = piece.lstrip()
        kept += piece
    return kept if text[-1:].isspace() else kept.rstrip()
