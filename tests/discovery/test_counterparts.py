"""What a feature is deleted to, and what it is swapped for."""

import numpy as np
import pytest

from itune.discovery import counterparts
from itune.discovery.association import associate
from itune.discovery.candidates import find_candidates
from itune.discovery.counterparts import with_counterparts
from itune.discovery.features.base import Rows
from itune.discovery.pairs import find_pairs

TEXTS = [
    "A Red car is here, good",
    "a red car was there; bad",
    "a blue car is here, bad",
    "a BLUE car was there; bad",
    "a green car is here; good",
    "a green car was there, good",
    "old news of a green car, good",
    "old news of a red car, good",
    "new tales of a blue car; bad",
    "blue is not a car; bad",
]
LABEL = np.array([text.endswith("good") for text in TEXTS]).astype(int)


def swapping(texts=TEXTS, label=LABEL, minimum=2, names=(), rows=None, screened=None):
    """Return features by name, with their counterparts."""
    rows = rows or Rows({"text": texts}, {})
    candidates = find_candidates(rows, minimum)
    usual = associate(candidates.rows, label).usual
    features = [*candidates.features, *(pair.feature for pair in find_pairs(candidates, 1))]
    screened = np.arange(len(label)) if screened is None else screened
    found = with_counterparts(
        [one for one in features if one.name in names], candidates, usual, rows, screened
    )
    return {one.name: one for one in found}


def feature(pattern_of, texts):
    found = find_candidates(Rows({"text": [*texts, "", ""]}, {}), 1).features
    return next(one for one in found if one.name == pattern_of)


def test_deleting_a_word():
    acme = feature('word "acme"', ["An Acme toy, by ACME."])
    assert acme.deleted("An Acme toy, by ACME.") == "An toy, by ."
    assert acme.deleted("Acme") is None and acme.deleted("A toy") is None
    length = feature("2 words or more", ["a b"])
    assert length.deleted("a b c") is None and length.swapped("a b c") is None


def test_a_word_is_swapped_for_one_of_the_same_places_and_another_label():
    """Green stands like red, too, but both speak for good; blue speaks for bad."""
    found = swapping(names=['word "green"', 'word "blue"', 'words "a green"'])
    green, blue, phrase = found['word "green"'], found['word "blue"'], found['words "a green"']
    assert (green.counterpart, blue.counterpart) == ('"blue"', '"green"')
    assert green.swapped("Green or GREEN, not greens") == "Blue or BLUE, not greens"
    assert green.swapped("a red car") is None
    assert phrase.counterpart == '"a blue"' and phrase.swapped("It is A Green car") == (
        "It is A Blue car"
    )


def test_what_stands_elsewhere_is_no_counterpart():
    texts = ["z up x", "z up x", "y down w", "y down w"]
    (up,) = swapping(texts, np.array([0, 0, 1, 1]), names=['word "up"']).values()
    assert up.counterpart == "" and up.swap is None and up.swapped("z up x") is None


def test_only_rows_that_screen_are_looked_at():
    cars = ["a red car", "a red car", "a blue car", "a blue car"]
    texts = [*cars, "x red y", "x gray y", "x gray y"]
    label = np.array([0, 0, 1, 1, 0, 1, 1])
    for screened, counterpart in ((range(4), '"blue"'), (range(2, 7), '"gray"')):
        some = np.array([*screened])
        found = swapping(texts, label, names=['word "red"'], screened=some)
        assert found['word "red"'].counterpart == counterpart


def test_rows_that_have_it_are_looked_at_even_if_late(monkeypatch):
    monkeypatch.setattr(counterparts, "TEXTS", 4)
    texts = ["a blue car", "a blue car", "no", "yes", "a red car", "a red car", "a blue van"]
    found = swapping(texts, np.array([1, 1, 0, 1, 0, 0, 1]), names=['word "red"'])
    assert found['word "red"'].counterpart == '"blue"'


def test_first_words_are_swapped_in_their_place_alone():
    texts = ['"Good. It is', "Good. He was", "Bad. It is", "bad. He was", "Then good", "Then bad"]
    found = swapping(texts, np.array([0, 0, 1, 1, 0, 1]), names=['first word "good"'])
    (good,) = found.values()
    assert good.counterpart == '"bad"'
    assert good.swapped('"Good. It is good') == '"Bad. It is good'


def test_so_are_last_words():
    texts = ["not so good!", "he was good", "not so bad", "he was bad", "good then", "bad now"]
    (good,) = swapping(texts, np.array([0, 0, 1, 1, 1, 0]), names=['last word "good"']).values()
    assert good.counterpart == '"bad"' and good.swapped("Good is good!") == "Good is bad!"


def test_a_pair_is_swapped_where_both_its_parts_are():
    texts = ["on green hills", "by green seas", "on blue hills", "by blue seas", "off", "up"] * 2
    rows = Rows({"text": texts}, {})
    candidates = find_candidates(rows, 2)
    names = [one.name for one in candidates.features]
    usual = np.isin(names, ['word "blue"', 'word "by"']).astype(int)

    def pair(*words):
        places = np.array([names.index(f'word "{word}"') for word in words])
        (found,) = find_pairs(candidates.take(places), 2)
        (swapped,) = with_counterparts([found.feature], candidates, usual, rows, np.arange(12))
        return swapped

    both, one = pair("green", "on"), pair("green", "hills")
    assert both.counterpart == '"blue" and "by"'
    assert both.swapped("on Green hills") == "by Blue hills"
    assert (one.counterpart, one.swap) == ("", None)


@pytest.mark.parametrize(
    ("name", "text", "swapped"),
    [
        ("exclamation mark", "So good! Yes!", "So good. Yes."),
        ("question mark", "So?", "So."),
        ("repeated ! or ?", "So?!! Yes!", "So? Yes!"),
        ("ellipsis", "So... well…", "So. well."),
        ("semicolon", "a; b", "a, b"),
        ("word in capitals", "It IS Good, I say", "It is Good, I say"),
        ("no capital letter", "... so it is", "... So it is"),
        ("small letter at the beginning", "so It is", "So It is"),
        ("letter three times in a row", "sooooo goood", "so god"),
        ("accent or other letter beyond A to Z", "Naïve café", "Naive cafe"),
        ("accent or other letter beyond A to Z", "Smørbrød für", None),
        ("digit", "7 of 9", None),
    ],
)
def test_characters(name, text, swapped):
    assert feature(name, [text]).swapped(text) == swapped
