"""Text of unknown origin, as reports show it."""

import time

import pytest

from itune.report.text import LIMIT, changes, pieces
from itune.utils.visible import isolated, short, visible


def whole(found):
    return "".join(piece.text for piece in found)


def marked(found):
    return [piece.text for piece in found if piece.is_marked]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\0\x07\x1b[31m", "‹U+0000›‹U+0007›‹U+001B›[31m"),
        ("tab\tline\nreturn\r", "tab\tline\nreturn\r"),
        ("\x7f\x85\x9f", "‹U+007F›‹U+0085›‹U+009F›"),
        ("user\u202egnp.exe", "user‹U+202E›gnp.exe"),
        ("\ud83d\udc69 \ud800", "‹U+D83D›‹U+DC69› ‹U+D800›"),
        ("\ufdd0\ufffe", "‹U+FDD0›‹U+FFFE›"),
        ("שלום \u200f\u2067é😀\u2069", "שלום \u200f\u2067é😀\u2069"),
    ],
)
def test_visible(text, shown):
    assert visible(text) == shown
    visible(text).encode()  # is UTF-8


def test_short_texts_stay_whole():
    text = "My Acme, your Acme."
    found = pieces(text, [(14, 18), (3, 7)])
    assert whole(found) == text and marked(found) == ["Acme", "Acme"]
    assert whole(pieces("a" * LIMIT)) == "a" * LIMIT
    assert pieces("") == ()


@pytest.mark.parametrize("spans", [[(-5, 3), (17, 99)], [(0, 2), (1, 3), (17, 19)], [(2, 2)]])
def test_odd_spans(spans):
    text = "abc Acme and Acme z"
    found = pieces(text, spans)
    assert whole(found) == text
    assert marked(found) == (["abc", " z"] if len(spans) > 1 else [])


def test_long_text_is_shown_around_the_confound():
    text = "Opening words. " + "filler " * 20_000 + "before Acme after " + "filler " * 20_000
    place = text.index("Acme")
    found = pieces(text, [(place, place + 4)])
    assert marked(found) == ["Acme"]
    assert whole(found).startswith("Opening words. ") and whole(found).endswith(" …")
    assert "… filler" in whole(found) and "before Acme after filler" in whole(found)
    assert len(whole(found)) < LIMIT
    assert set(whole(found).split()) == {
        *["Opening", "words.", "filler", "before", "Acme", "after", "…"]
    }


def test_long_text_without_a_confound():
    found = pieces("word " * 30_000)
    assert whole(found).endswith("word …") and LIMIT <= len(whole(found)) < LIMIT + 40


def test_many_and_endless_confounds():
    text = "x " * 1000 + "A" * 50_000 + " y" * 1000 + "B" * 10 + " z" * 20_000
    first = (2000, 52_000)
    found = pieces(text, [first, *((54_001 + n, 54_002 + n) for n in range(0, 20_000, 40))])
    assert len(whole(found)) < 3 * LIMIT
    assert marked(found)[0][:100] == "A" * 100


@pytest.mark.parametrize("unit", ["👩\u200d👩\u200d👧", "e\u0301", "👍🏽"])
@pytest.mark.parametrize("before", ["", "-", "--", "---"])
def test_characters_stay_whole(unit, before):
    text = before + unit * LIMIT
    shown = whole(pieces(text)).removesuffix(" …").removeprefix(before)
    assert shown == unit * (len(shown) // len(unit))
    place = len(before) + LIMIT // 2 * len(unit)
    shown = whole(pieces(text, [(place, place + len(unit))]))
    parts = [part.strip() for part in shown.removeprefix(before).split("…")]
    assert all(part == unit * (len(part) // len(unit)) for part in parts) and len(parts) == 3


def test_names():
    assert isolated("Acme") == "Acme"
    assert isolated("אקמה") == "\u2068אקמה\u2069"
    assert short("a\nb\0 c" + "x" * 50, 14) == "a b‹U+0000› c…"


def test_changes():
    before, after = changes("The Acme is no Acme.", "The Super Borealis is no Borealis.")
    assert ["The Acme is no Acme."[a:b] for a, b in before] == ["Acme", "Acme."]
    spans = ["The Super Borealis is no Borealis."[a:b] for a, b in after]
    assert spans == ["Super Borealis", "Borealis."]


def test_changes_of_a_long_text_take_no_time():
    words = [f"w{n % 977}" for n in range(20_000)]
    started = time.perf_counter()
    before, after = changes(" ".join(words), " ".join([*words[:9_000], "new", *words[9_000:]]))
    assert before != after and time.perf_counter() - started < 5
