"""Give texts another confound and change nothing else, where a rule over words made it."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from itune.tables.rules import Expression, Rule

CLOSING = tuple(",.;:!?)")
"""Characters before which no blank is left where a word is taken out."""


class Swaps(NamedTuple):
    """Replacements for what the patterns of a rule match.

    Attributes:
      rule: Rule that makes the confound, with at least one pattern of words.
      found: For the number of each such pattern, the strings that it matched in some texts, each as
        often as it was matched; the pattern's own words if it matched in none.
    """

    rule: Rule
    found: dict[int, list[str]]

    def targets(self, value: int) -> list[int]:
        """Return the confounds that a text with confound ``value`` can be given.

        If the rule has several patterns of words, these are the confounds of the other patterns. If
        it has one, a text that matches can be given confound 0; a text that does not match can be
        given the pattern's confound only if the pattern is a prefix.
        """
        if len(self.found) > 1:
            return [number for number in self.found if number != value and value in self.found]
        (only,) = self.found
        if value == only:
            return [0]
        return [only] if value == 0 and self._expression(only).is_prefix else []

    def _expression(self, value: int) -> Expression:
        """Return the pattern that makes a confound; swaps are made of expressions only."""
        pattern = self.rule.patterns[value - 1]
        assert isinstance(pattern, Expression)
        return pattern

    def swapped(self, text: str, target: int, rng: np.random.Generator) -> str | None:
        """Return the text with another confound.

        If the two patterns list equally many words, a word is replaced by the one at its place in
        the other list; else by one that the other pattern matched. The new word gets the capitals
        of the old one, but a prefix keeps its own. To give confound 0, words are taken out together
        with their blank.

        Args:
          text: The text, of any confound.
          target: The new confound, one of :meth:`targets` of the text's confound.
          rng: Random generator that draws the replacement.

        Returns:
          The new text; None if it is empty, or if the rule gives it another confound than
          ``target``.
        """
        value = self.rule.value(text)
        if value == 0:
            after = f"{self._expression(target).words[0]} {text.lstrip()}"
        elif target == 0:
            after = _without(text, self.rule.spans(text))
        else:
            after = self._replaced(text, value, target, rng)
        return after if after.strip() and self.rule.value(after) == target else None

    def _replaced(self, text: str, value: int, target: int, rng: np.random.Generator) -> str:
        old, new = self._expression(value), self._expression(target)
        pairs = {}
        if len(old.words) == len(new.words):
            pairs = dict(zip(map(_plain, old.words), new.words, strict=True))
        drawn = self.found[target][rng.integers(len(self.found[target]))]
        pieces, end = [], 0
        for start, stop in self.rule.spans(text):
            word = text[start:stop]
            put = pairs.get(_plain(word), drawn)
            pieces += [text[end:start], put if old.is_prefix else _like(word, put)]
            end = stop
        return "".join([*pieces, text[end:]])


def make_swaps(rule: Rule, texts: Iterable[str]) -> Swaps | None:
    """Collect from texts what the patterns of a rule match.

    Args:
      rule: Rule that makes the confound.
      texts: Texts to look in, such as those of the training data.

    Returns:
      The swaps; None if there is neither a pattern of words nor a regular expression that matches.
    """
    patterns = {n: p for n, p in enumerate(rule.patterns, 1) if isinstance(p, Expression)}
    found: dict[int, list[str]] = {number: [] for number in patterns}
    for text in texts:
        if (number := rule.value(text)) in found:
            found[number] += [text[start:stop] for start, stop in rule.spans(text)]
    known = {number: matched or [*patterns[number].words] for number, matched in found.items()}
    known = {number: words for number, words in known.items() if words}
    return Swaps(rule, known) if known else None


def _plain(word: str) -> str:
    return " ".join(word.split()).lower()


def _like(old: str, new: str) -> str:
    """Return the new word with the capitals of the old one.

    >>> [_like(old, "umbrella") for old in ("ACME", "Acme", "acme")]
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
    return kept
