"""Texts of any length made fit to be shown, with parts of them marked."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher
from itertools import accumulate
from typing import NamedTuple

from itune.utils.visible import ELLIPSIS

LIMIT = 600
"""Characters of a text that is shown whole."""

OPENING, AROUND, LONGEST, SPANS = 120, 90, 120, 3
"""Characters from the beginning, on each side of a span, and of a span; how many spans."""

_SLACK = 24
_JOINERS = "\N{ZERO WIDTH JOINER}\N{ZERO WIDTH NON-JOINER}"


class Piece(NamedTuple):
    """A part of a text.

    Attributes:
      text: Characters of the part.
      is_marked: Whether the part is the confound.
    """

    text: str
    is_marked: bool = False


def pieces(text: str, spans: Iterable[tuple[int, int]] = ()) -> tuple[Piece, ...]:
    """Return a text in pieces with its spans marked; a long text only around the spans.

    >>> pieces("Positive . It rained.", [(0, 10)])
    (Piece(text='Positive .', is_marked=True), Piece(text=' It rained.', is_marked=False))
    """
    spans = _merged(sorted((max(a, 0), min(b, len(text))) for a, b in spans if a < b), 0)
    windows = [(0, len(text))] if len(text) <= LIMIT else _windows(text, spans)
    found: list[Piece] = []
    for start, end in windows:
        if start:
            found.append(Piece(f" {ELLIPSIS} "))
        found += _marked(text, start, end, spans)
    if windows and windows[-1][1] < len(text):
        found.append(Piece(f" {ELLIPSIS}"))
    return tuple(piece for piece in found if piece.text)


def changes(before: str, after: str) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Return the spans of two versions of a text in which their words differ.

    >>> changes("Acme is fine", "Zenith is fine")
    ([(0, 4)], [(0, 6)])
    """
    words, new_words = (re.findall(r"\s+|\S+", text) for text in (before, after))
    at, new_at = ([0, *accumulate(map(len, of_text))] for of_text in (words, new_words))
    edits = [
        edit for edit in SequenceMatcher(None, words, new_words).get_opcodes() if edit[0] != "equal"
    ]
    return (
        [(at[start], at[end]) for _, start, end, _, _ in edits],
        [(new_at[start], new_at[end]) for _, _, _, start, end in edits],
    )


def _windows(text: str, spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The parts of a long text that are shown: in order, apart from one another."""
    if not spans:
        return [(0, _end(text, LIMIT))]
    around = [
        (_start(text, a - AROUND), _end(text, min(b, a + LONGEST) + AROUND))
        for a, b in spans[:SPANS]
    ]
    return _merged([(0, _end(text, OPENING)), *around], _SLACK)


def _merged(ranges: Iterable[tuple[int, int]], apart: int) -> list[tuple[int, int]]:
    """Ranges in order, those that are at most so far apart made one."""
    found: list[tuple[int, int]] = []
    for start, end in ranges:
        if found and start <= found[-1][1] + apart:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        elif start < end:
            found.append((start, end))
    return found


def _marked(text: str, start: int, end: int, spans: Sequence[tuple[int, int]]) -> Iterable[Piece]:
    place = start
    for first, last in spans:
        first, last = max(first, start), min(last, end)
        if first < last:
            yield Piece(text[place:first])
            yield Piece(text[first:last], is_marked=True)
            place = last
    yield Piece(text[place:end])


def _start(text: str, place: int) -> int:
    """A place to begin at: ``place``, or a little before it, not within a word or a character."""
    if place <= 0:
        return 0
    places = range(place, max(place - _SLACK, 0), -1)
    return next((p for p in places if text[p - 1].isspace()), _whole(text, places))


def _end(text: str, place: int) -> int:
    """A place to end before: ``place``, or a little after it."""
    if place >= len(text):
        return len(text)
    places = range(place, min(place + _SLACK, len(text)))
    return next((p for p in places if text[p].isspace()), _whole(text, places))


def _whole(text: str, places: range) -> int:
    """The first place that is not within what is seen as one character."""
    return next((p for p in places if not _is_within(text, p)), places[0])


def _is_within(text: str, place: int) -> bool:
    before, after = text[place - 1], text[place]
    return (
        unicodedata.category(after).startswith("M")
        or after in _JOINERS
        or before in _JOINERS
        or "\N{EMOJI MODIFIER FITZPATRICK TYPE-1-2}"
        <= after
        <= "\N{EMOJI MODIFIER FITZPATRICK TYPE-6}"
    )
