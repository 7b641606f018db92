"""Every feature is had by the rows that its own settings make a confound of."""

import numpy as np
import pyarrow
import pytest
from hypothesis import given
from hypothesis import strategies as st

from itune.discovery.candidates import by_rule, find_candidates
from itune.discovery.features import GENERATORS
from itune.discovery.features.base import Rows
from itune.discovery.features.columns import unfit
from itune.discovery.features.words import words_of
from itune.tables.config import TableConfig
from itune.tables.further import names_rows
from itune.tables.table import make_tables

TEXTS = [
    "Acme is GOOD, really good!",
    "acme was good 2 times",
    "Don't ask: see https://acme.example <b>now</b>",
    "Straße und Ärger, naïve café",
    "这个产品很好 很好",
    "这个产品不好",
    "Хорошо, очень хорошо...",
    "कि हिन्दी में",
    "no idea   why",
    "good movie\ngood day :)",
    "",
]


def found(texts, minimum=1, columns=None, kinds=GENERATORS, **more):
    rows = Rows({"text": list(texts), **more}, columns or {})
    for kind in kinds:
        for feature, having in GENERATORS[kind](rows, minimum):
            assert feature.kind == kind
            yield feature, having, rows


def names(texts, kind, minimum=1):
    return {
        feature.name: having.tolist() for feature, having, _ in found(texts, minimum, None, [kind])
    }


def test_features_are_what_their_rules_find():
    every = list(found(TEXTS))
    assert {feature.kind for feature, _, _ in every} == set(GENERATORS) - {"columns"}
    for feature, having, rows in every:
        np.testing.assert_array_equal(np.flatnonzero(feature.holds(rows)), having, feature.name)
        assert all(feature.spans(rows.texts["text"][row]) for row in having) or not feature.pattern


@given(st.lists(st.text("ab é字é\u0301_-,. \n1A", max_size=12), min_size=2, max_size=6))
def test_any_text(texts):
    for feature, having, rows in found(texts, kinds=["words", "characters", "lengths"]):
        np.testing.assert_array_equal(np.flatnonzero(feature.holds(rows)), having, feature.name)


def test_words_and_phrases():
    words = names(TEXTS, "words")
    assert words['word "good"'] == [0, 1, 9] and words['word "acme"'] == [0, 1, 2]
    assert words['words "good movie"'] == [9] and 'words "good really"' not in words
    assert words['words "movie good"'] == [9] and words['words "很好"'] == [4]
    assert list(names(TEXTS, "words", 3)) == ['word "acme"', 'word "good"']
    assert words_of("e\u0301a") == [("éa", None)]


def test_rows_are_those_of_the_rule_where_letters_fold():
    texts = ["İş Straße", "iş strasse", "no", "İŞ STRASSE", "none"]
    rows = Rows({"text": texts}, {})
    singles = find_candidates(rows, 1)
    found = {feature.name for feature in singles.features}
    assert {'word "İş"', 'word "iş"', 'word "straße"', 'word "strasse"'} <= found
    again = by_rule(singles, rows)
    assert again.features == singles.features
    for place, feature in enumerate(again.features):
        np.testing.assert_array_equal(again.having(place), np.flatnonzero(feature.holds(rows)))
        assert {*singles.having(place)} <= {*again.having(place)}, feature.name
    named = [feature.name for feature in again.features]
    assert again.having(named.index('word "strasse"')).tolist() == [0, 1, 3]


def test_places_lengths_and_characters():
    places = names(TEXTS, "places")
    assert places['first word "acme"'] == [0, 1] and places['last word "good"'] == [0]
    assert names(["a", "a b", "a b c", "a b c d"], "lengths")["3 words or more"] == [2, 3]
    marks = names(TEXTS, "characters")
    assert marks["exclamation mark"] == [0] and marks["HTML"] == marks["link"] == [2]
    assert marks["word in capitals"] == [0] and marks["Cyrillic"] == [6]


def test_columns_are_categories_and_numbers():
    columns = {
        "brand": (np.array([0, 1, 0, -1]), ("acme", "other")),
        "age, now": (np.array([0, 1, 2, 2]), ("7", "30", "65.5")),
    }
    every = {f.name: (f, having) for f, having, _ in found("abcd", 1, columns, ["columns"])}
    rows = Rows({"text": list("abcd")}, columns)
    for feature, having in every.values():
        np.testing.assert_array_equal(np.flatnonzero(feature.holds(rows)), having)
    assert every["brand acme"][1].tolist() == [0, 2]
    feature, having = every["age, now 65.5 or more"]
    assert having.tolist() == [2, 3]
    assert feature.settings == {"confound": '"age, now"', "bins": "65.5"}
    table = [
        {"text": text, "label": text > "b", "age, now": age}
        for text, age in zip("abcd", (7, 30, 65.5, 65.5), strict=True)
    ]
    config = TableConfig(dev_fraction=0, test_fraction=0, **feature.settings)
    assert make_tables(table, config).train.confound.tolist() == [0, 0, 1, 1]


def test_columns_of_dates():
    dates = ("2023-12-31", "2024-01-01 09:30", "2024-01-02", "2024-02-05")
    columns = {"day": (np.array([0, 1, 2, 3, -1]), dates)}
    rows = Rows({"text": list("abcde")}, columns)
    every = {f.name: (f, having) for f, having, _ in found("abcde", 1, columns, ["columns"])}
    for feature, having in every.values():
        np.testing.assert_array_equal(np.flatnonzero(feature.holds(rows)), having)
    assert every["day in January"][1].tolist() == [1, 2]
    assert every["day on a Monday"][1].tolist() == [1, 3]
    assert every["day 2024-01-02 or later"][1].tolist() == [2, 3]
    assert "day 2024-02-05 or later" in every and "day 2024-01-02" not in every
    table = [
        {"text": text, "label": text > "b", "day": day}
        for text, day in zip("abcde", (*dates, None), strict=True)
    ]
    for name, confounds in {
        "day in January": ("January", "February", "December"),
        "day on a Monday": ("Monday", "Tuesday", "Sunday"),
        "day 2024-01-02 or later": ("<2024-01-02", ">=2024-01-02"),
    }.items():
        feature, having = every[name]
        config = TableConfig(dev_fraction=0, test_fraction=0, **feature.settings)
        read = make_tables(table, config)
        assert read.confound_names == confounds and read.train.confound[4] == -1
        (code,) = np.unique(read.train.confound[having])
        assert np.flatnonzero(read.train.confound == code).tolist() == having.tolist()


@pytest.mark.parametrize(
    ("values", "why"),
    [
        (["a", "b"] * 20, None),
        (["x", "y", "z", "y"] * 10, None),
        (["n", "m", "m", "n"] * 10, None),
        (["no", "yes"] * 20, "says the label"),
        (["a"] * 39 + [None], "one value"),
        ([f"u{n}" for n in range(40)], "nearly all values differ"),
        ([str(n) for n in range(38)] + [None, "7"], "nearly all values differ"),
        ([str(n / 7) for n in range(40)], None),
        ([f"2024-01-{n % 28 + 1:02} 10:{n}0" for n in range(4, 10)] * 6 + [None] * 4, None),
        ([f"so it goes on {n}" for n in range(40)], "free text"),
        ([*map(str, range(39)), "seven"], "nearly all values differ"),
        ([f"2024-01-01 {n // 60:02}:{n % 60:02}" for n in range(40)], None),
        ([*(f"2024-01-01 00:{n:02}" for n in range(39)), "later"], "nearly all values differ"),
        ([f"place {n % 120}" for n in range(240)], "more than 100 values"),
    ],
)
def test_which_columns_are_worth_a_look(values, why, monkeypatch):
    names = tuple(sorted({value for value in values if value is not None}))
    codes = np.array([-1 if value is None else names.index(value) for value in values])
    label = np.array([n % 2 for n in range(len(values))])
    if values[0] in ("a", "n"):
        label[0] = 1
    assert unfit(codes, names, label) == why
    column = pyarrow.chunked_array([pyarrow.array(values, pyarrow.large_string())])
    assert names_rows(column) is None  # too short to be in the way
    monkeypatch.setattr("itune.tables.further.LONG", 30)
    is_distinct = len(names) >= 0.95 * len(values)
    assert names_rows(column) == (why if is_distinct else None)


def test_the_second_text_of_a_pair():
    every = list(found(["x", "x y"], kinds=["words"], text_pair=["y", "z"]))
    second = [(f, having) for f, having, _ in every if f.text == "text_pair"]
    assert [f.name for f, _ in second] == ['word "y" in text_pair', 'word "z" in text_pair']
    assert second[0][0].settings == {"rule": "words:y", "rule_on": "text_pair"}


@pytest.mark.parametrize("kind", GENERATORS)
def test_what_few_rows_have_or_lack_is_no_feature(kind):
    columns = {"c": (np.array([0, 1, 1, 1]), ("a", "b"))}
    for _, having, _ in found(["q 1", "z", "z z", "z"], 2, columns, [kind]):
        assert 2 <= len(having) <= 2
