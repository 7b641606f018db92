"""Texts with another confound, and nothing else changed."""

import numpy as np
import pytest

from itune.tables.rules import parse_rule
from itune.tables.swaps import make_swaps

RNG = np.random.default_rng(0)


def swapped(rule, text, target, texts=()):
    return make_swaps(parse_rule(rule), [text, *texts]).swapped(text, target, RNG)


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
        ("regex:[0-9]+", "No. 12 is out", 0, "No. is out"),
        ("words:שלום || words:مرحبا", "א שלום 🎉", 2, "א مرحبا 🎉"),
        ("length:>=9 || words:nice", "A nice day", 0, "A day"),
    ],
)
def test_what_is_put_in(rule, text, target, after):
    others = ["Umbrella", "acme", "she", "her", "he", "مرحبا"]
    assert swapped(rule, text, target, others) == after


def test_drawn_from_what_was_found():
    """Lists of other lengths, and regular expressions, get what the other pattern matched."""
    found = {swapped("words:acme || words:bolt,nut,cog", "Acme", 2, ["bolt", "a nut"])}
    assert found <= {"Bolt", "Nut"}
    assert swapped("regex:Acme|Bolt || regex:Cog.", "It is Acme", 2, ["Cog!"]) == "It is Cog!"


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
        swaps = make_swaps(parse_rule(rule), texts)
        return [swaps.targets(value) for value in range(len(swaps.rule.names))]

    assert of("prefix:a") == [[1], [0]] and of("words:a", "a") == [[], [0]]
    assert of("words:a || regex:b || words:c", "a", "c") == [[], [3], [], [1]]
    assert of("words:a || length:>2", "a") == [[], [0], []]
    assert make_swaps(parse_rule("length:>2"), ["a"]) is None
    assert make_swaps(parse_rule("regex:a"), ["b"]) is None
    assert make_swaps(parse_rule("words:a,b"), ["c"]).found == {1: ["a", "b"]}
