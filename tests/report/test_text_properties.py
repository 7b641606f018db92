"""Texts made fit to be shown: nothing lost from short ones, nothing hidden, marks where they go."""

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from itune.report.text import LIMIT, changes, pieces
from itune.utils.visible import short, visible

TEXT = st.text(st.one_of(st.sampled_from("ab \n\x1b\u202e\u200d"), st.characters()), max_size=30)
SPANS = st.lists(st.tuples(st.integers(-3, 33), st.integers(-3, 33)), max_size=4)


@given(TEXT, SPANS)
def test_pieces_of_a_short_text_are_the_text_with_its_spans_marked(text, spans):
    shown = pieces(text, spans)
    assert "".join(piece.text for piece in shown) == text
    marks = [piece.is_marked for piece in shown for _ in piece.text]
    is_inside = [any(a <= place < b for a, b in spans) for place in range(len(text))]
    assert marks == is_inside


@given(st.text("ab \n", min_size=1), st.integers(2, 9), SPANS)
def test_pieces_of_a_long_text_are_limited(text, times, spans):
    shown = pieces(text * times * LIMIT, spans)
    assert sum(len(piece.text) for piece in shown) < 2 * LIMIT
    assert shown[-1].text.endswith("…")


@given(TEXT)
def test_nothing_invisible_stays(text):
    shown = visible(text)
    assert visible(shown) == shown
    kinds = {unicodedata.category(letter) for letter in shown if letter not in "\t\n"}
    assert not kinds & {"Cc", "Cs"} and not set(shown) & set("\u202a\u202b\u202c\u202d\u202e")
    assert len(shown) >= len(text)


@given(TEXT, st.integers(2, 10))
def test_short_names_are_one_line_of_their_width(text, width):
    name = short(text, width)
    assert len(name) <= width and len(name.splitlines()) <= 1
    line = " ".join(visible(text).split())
    assert name == line or line.startswith(name.removesuffix("…"))


@given(TEXT, TEXT)
def test_two_versions_are_equal_but_for_their_changes(before, after):
    removed, added = changes(before, after)

    def rest(text, spans):  # what is outside all spans
        return "".join(
            letter
            for place, letter in enumerate(text)
            if not any(first <= place < last for first, last in spans)
        )

    assert rest(before, removed) == rest(after, added)
