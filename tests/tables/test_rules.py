"""Confounds made by a rule: values, spans, names, and what is no rule."""

import numpy as np
import pytest

from itune import UserError
from itune.tables.rules import Rule, length, parse_rule, prefix, regex, words


@pytest.mark.parametrize(
    ("rule", "text", "spans"),
    [
        (r"regex:\d+ stars?", "5 stars, not 1 star", [(0, 7), (13, 19)]),
        ("regex:a|b", "xyz", None),
        ("regex:x*", "aaxa", [(2, 3)]),  # matches nothing, everywhere: there is nothing to show
        ("words:nice,great", "Great! NICE, but nicely", [(0, 5), (7, 11)]),
        ("words:nice", "nicely, overnice, nice_", None),
        ("words:c++, very good ", "c++ is Very\n good", [(0, 3), (7, 17)]),
        ("words:good,Good day", "good day", [(0, 8)]),  # the longer phrase
        ("words:a,Ab,abc,x,xyz", "AB xy abcd ABC x", [(0, 2), (11, 14), (15, 16)]),
        ("words:İzmir", "in İzmir", [(3, 8)]),
        ("words:שלום", "אמר שלום לך", [(4, 8)]),
        ("words:好,很好", "这部电影很好看", [(4, 6)]),  # no blanks: anywhere
        ("words:ดี", "หนังเรื่องนี้ดีมาก", [(13, 15)]),
        ("words:ネコ", "ネコとABC", [(0, 2)]),
        ("words:abc", "ネコとABCは", [(3, 6)]),
        ("words:abc", "ネコとABCDは", None),
        ("words:ก", "ก่า ก", [(4, 5)]),  # not within a letter and its marks
        ("words:क", "कि क की", [(3, 4)]),  # a vowel sign belongs to its word
        ("words:café", "Un CAFE\u0301, des cafe\u0301s", [(3, 8)]),
        ("words:cafe\u0301", "un café", [(3, 7)]),
        ("words:cafe", "un café, un cafe\u0301", None),
        ("words:é,x", "e\u0301\u0323 e\u0301 x\u0302 x", [(4, 6), (10, 11)]),
        ("words:❤", "I ❤\ufe0f it", [(2, 4)]),  # a selector of its style is no letter
        ("words:x", "x² x_ x", [(6, 7)]),
        ("words:acme", "Acme's ACME-like", [(0, 4), (7, 11)]),
        ("prefix:É.", "E\u0301. Oui", [(0, 3)]),
        ("prefix:E", "E\u0301. Oui", None),
        ("regex:é+", "cre\u0301e\u0301e", [(2, 6)]),
        ("regex:[\u0301\u0302]", "e\u0301 x\u0302\u0301", [(4, 5), (5, 6)]),
        ("prefix:Positive .", "Positive . Yes", [(0, 10)]),
        ("prefix:Positive .", "positive . Positive . ", None),
        ("prefix:(", "(a)", [(0, 1)]),
        ("length:>=2", "two words", []),
        ("length: > 2", "two words", None),
        ("length:=0", " \n", []),
        ("length:<2", "two words", None),
        ("length:<=2", "two words", []),
    ],
)
def test_one_pattern(rule, text, spans):
    parsed = parse_rule(rule)
    assert parsed.values([text]).tolist() == [spans is not None]
    assert parsed.spans(text) == (spans or [])
    assert parsed.names == ("no", "yes")


def test_the_first_that_matches_counts():
    rule = parse_rule("good=words:nice || regex:n || length:>=3")
    assert rule.names == ("none", "good", "regex:n", "length:>=3")
    assert rule.values(["nice", "fun", "a b c", "a"]).tolist() == [1, 2, 3, 0]
    assert rule.values([]).dtype == "int32"
    assert rule.spans("so nice") == [(3, 7)] and rule.spans("a b c") == []


def test_a_file_of_words(tmp_path):
    (tmp_path / "brands.txt").write_text("acme\n\n  The Umbrella \n")
    rule = parse_rule(f"words:@{tmp_path / 'brands.txt'}")
    assert rule.values(["Acme's", "the  umbrella", "umbrella"]).tolist() == [1, 1, 0]


def test_many_words_are_found_as_one_by_one():
    rng = np.random.default_rng(0)
    some = ["".join(rng.choice([*"abAB "], rng.integers(1, 6))).strip() or "b" for _ in range(300)]
    rule = Rule((words(some[:40]),))
    known = {word.lower() for word in some[:40] if " " not in word}
    for text in some:
        if " " not in text:
            assert rule.value(text) == (text.lower() in known)


def test_objects_and_substitution():
    rule = Rule((prefix("A"), words(["b"]), regex("c", "sea"), length("<", 2)))
    assert rule.names == ("none", "prefix:A", "words:b", "sea", "length:<2")
    assert rule.patterns[1].compiled.sub("x", "a B b") == "a x x"


def test_names_in_one_normal_form():
    with pytest.raises(UserError, match="two patterns of one name"):
        parse_rule("café=words:a || cafe\u0301=words:b")


@pytest.mark.parametrize(
    ("rule", "notes"),
    [
        ("words:고양이", "matches 1 of 200 training rows as a whole word; 4 have it as a part"),
        ("words:dog", "matches 1 of 200 training rows, which is next to none"),
        ("prefix:dog", "matches 0 of 200 training rows; 1 have it, at the beginning or elsewhere"),
        ("regex:dog", "matches 1 of 200 training rows, which is next to none"),
        ("length:>5", "matches none of 200 training rows"),
        ("words:cat", None),  # in 3 rows, and in 5 as a part of words
    ],
)
def test_few_matches_are_noted(rule, notes):
    cats = ["a cat", "cat", "cats and a cat", "cats", "concatenate"]
    texts = [*["고양이가 있다"] * 3, "고양이", "a dog", *cats, *["nothing"] * 190]
    found = parse_rule(rule).notes(texts, parse_rule(rule).values(texts))
    assert len(found) == (notes is not None)
    assert all(found[0].startswith(repr(rule)) and notes in found[0] for _ in found)


def test_a_note_is_on_its_own_pattern():
    """One that matches only where another came first matches all the same."""
    texts, rule = ["a b", "a"], parse_rule("words:a || b=words:xyz || words:b")
    found = rule.notes(texts, rule.values(texts))
    assert found == ["'b' matches none of 2 training rows"]


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("", "a part of the rule is empty"),
        ("words:a ||", "a part of the rule is empty; leave out the || beside it"),
        ("|| words:a", "a part of the rule is empty"),
        ("words:a || || words:b", "a part of the rule is empty"),
        ("wrods:a", "of no known kind; write one of regex:…, words:…"),
        ("regex:(a", r"'regex:\(a' is no regular expression \(missing \)"),
        ("regex:a{99999999999999}", "is no regular expression"),
        ("words: , ", "has no word"),
        ("words:@none.txt", "none.txt: no such file"),
        ("prefix:", "rule of a prefix has none"),
        ("length:20", "'length:20' compares with no number; write length:>=20"),
        ("length:>=-1", "compares with no number"),
        ("words:a || words:a", "two patterns of one name"),
        ("words:a || ", "a part of the rule is empty"),
    ],
)
def test_no_rule(rule, message):
    with pytest.raises(UserError, match=message):
        parse_rule(rule)
