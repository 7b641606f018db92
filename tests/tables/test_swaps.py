"""Texts with another confound, and nothing else changed."""

import numpy as np
import pytest

from itune.tables.rules import parse_rule
from itune.tables.swaps import rule_swaps

RNG = np.random.default_rng(0)


def swapped(rule, text, target, texts=(), **options):
    return rule_swaps(parse_rule(rule), [text, *texts], **options).swapped(text, target, RNG)


@pytest.mark.parametrize(
    ("rule", "text", "target", "after"),
    [
        ("prefix:Pos . || prefix:Neg .", "Pos . It is.", 2, "Neg . It is."),
        ("prefix:Pos . || prefix:Neg .", "Neg . Pos . a", 1, "Pos . Pos . a"),
        ("prefix:Pos .", "Pos . It is.", 0, "It is."),
        ("prefix:Pos .", "It is.", 1, "Pos . It is."),
        ("words:Acme", "An ACME, or Acme and acme.", 0, "An, or and."),
        ("words:acme || words:umbrella", "ACME Acme acme x", 2, "UMBRELLA Umbrella umbrella x"),
        ("words:he,him || words:she,her", "He saw him", 2, "She saw her"),
        (
            "words:he,him,his || words:she,her,her",
            "He took his coat to him",
            2,
            "She took her coat to her",
        ),
        ("words:he,him,his || words:she,her,her", "She left", 1, "He left"),
        ("words:bolt,nut || words:acme", "A Bolt, a NUT", 2, "A Acme, a ACME"),  # the only one
        ("regex:No[.] [0-9]+ || words:acme", "No. 12 is out", 2, "Acme is out"),
        ("words:café || words:the", "Un CAFE\u0301 cher\u0301", 2, "Un THE cher\u0301"),
        ("words:好 || words:坏", "很好吃", 2, "很坏吃"),
        ("regex:[0-9]+", "No. 12 is out", 0, "No. is out"),
        ("words:שלום || words:مرحبا", "א שלום 🎉", 2, "א مرحبا 🎉"),
        ("length:>=9 || words:nice", "A nice day", 0, "A day"),
    ],
)
def test_what_is_put_in(rule, text, target, after):
    others = ["Umbrella", "acme", "she", "her", "he", "مرحبا"]
    assert swapped(rule, text, target, others) == after


@pytest.mark.parametrize(
    ("rule", "text", "target", "word", "drawn"),
    [
        ("words:acme || words:bolt,nut,cog", "Acme", 2, "Acme", {"Bolt", "Nut"}),
        ("words:he,him,his || words:she,her,her", "Saw her", 1, "her", {"Saw him", "Saw his"}),
        ("regex:Acme || regex:(?i)bolt|nut", "It is Acme", 2, "Acme", {"It is Bolt", "It is Nut"}),
    ],
)
def test_a_word_without_partner_is_replaced_only_if_it_may_be_drawn(
    rule, text, target, word, drawn
):
    others = ["bolt", "a nut", "he"]
    swaps = rule_swaps(parse_rule(rule), [text, *others])
    assert swaps.without_partner(text, target) == [word]
    assert swaps.swapped(text, target, RNG) is None
    assert {swapped(rule, text, target, others, is_drawn=True) for _ in range(20)} == drawn


@pytest.mark.parametrize(
    ("rule", "text", "target"),
    [
        ("words:acme", "Acme", 0),  # nothing would be left
        ("prefix:A", "AA", 0),  # still begins so
        ("words:big || words:acme", "big acme", 0),
    ],
)
def test_what_cannot_be_swapped(rule, text, target):
    assert swapped(rule, text, target) is None


def test_the_rule_has_the_last_word():
    """What is put in may be what an earlier pattern looks for."""
    assert swapped("regex:x$ || words:a || words:c", "a b", 3) == "c b"
    assert swapped("regex:^c || words:a || words:c", "a x", 3) is None


def test_targets():
    def of(rule, *texts):
        swaps = rule_swaps(parse_rule(rule), texts)
        return [swaps.targets(value) for value in range(len(swaps.rule.names))]

    assert of("prefix:a") == [[1], [0]] and of("words:a", "a") == [[], [0]]
    assert of("words:a || regex:b || words:c", "a", "c") == [[], [3], [], [1]]
    assert of("words:a || length:>2", "a") == [[], [0], []]
    assert rule_swaps(parse_rule("length:>2"), ["a"]) is None
    assert rule_swaps(parse_rule("regex:a"), ["b"]) is None
    assert rule_swaps(parse_rule("words:a,b"), ["c"]).matched == {1: ["a", "b"]}
