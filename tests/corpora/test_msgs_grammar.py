"""Drafts: what each of their versions has, and that nothing else tells them apart."""

import random
import re
from collections import Counter

import pytest

from itune.corpora.grammar import read_grammar
from itune.corpora.msgs_grammar import draw
from tests.helpers.grammar_cases import require_sound, unused_rules

GRAMMAR = read_grammar("msgs")
ADJECTIVES = {word for words in GRAMMAR["adjectives"].values() for word in words}
VERSIONS = [(y, c) for y in (0, 1) for c in (0, 1)]


@pytest.fixture(scope="module")
def drafts():
    rng = random.Random(0)
    return [draw(rng) for _ in range(4000)]


def lower(words):
    return [word.lower() for word in words]


@pytest.mark.parametrize(("label", "confound"), VERSIONS)
def test_label_and_confound(drafts, label, confound):
    for draft in drafts:
        words = lower(draft.sentence(label, confound))
        assert sum(word in ADJECTIVES for word in words) == label
        articles = [word for word in words if word in {"a", "the"}]
        assert articles == (["the", "a"] if confound else ["a", "the"])


def test_versions_are_of_one_length(drafts):
    for draft in drafts:
        assert len({len(draft.sentence(*version)) for version in VERSIONS}) == 1
    lengths = Counter(len(draft.sentence(0, 0)) for draft in drafts)
    assert len(lengths) >= 9 and max(lengths) <= 22


def test_versions_differ_in_the_slot_and_the_articles(drafts):
    for draft in drafts:
        a, b = (lower(draft.sentence(y, 0)) for y in (0, 1))
        assert 1 <= sum(x != y for x, y in zip(a, b, strict=True)) <= 2
        a, b = (lower(draft.sentence(1, c)) for c in (0, 1))
        assert {frozenset(pair) for pair in zip(a, b, strict=True) if len(set(pair)) == 2} == {
            frozenset(("a", "the"))
        }


def test_the_slot_moves(drafts):
    """From the second word to the last, before nouns of all kinds and behind "is"."""
    after, places = Counter(), set()
    for draft in drafts:
        words = lower(draft.sentence(1, 0))
        place = next(i for i, word in enumerate(words) if word in ADJECTIVES)
        places.add(place)
        for kind, nouns in GRAMMAR["nouns"].items():
            after[kind] += words[place + 1] in nouns
    assert places >= set(range(1, 18))
    assert min(after[kind] for kind in GRAMMAR["nouns"]) > 100
    assert 1000 < 4000 - sum(after.values()) < 2000  # complements


def test_more_than_enough_of_them(drafts):
    """With 100,000 to draw from, 4,000 would have some 80 twice."""
    assert len({draft.sentence(0, 0) for draft in drafts}) >= 3996


def test_written_as_a_reader_expects(drafts):
    for draft in drafts:
        for version in VERSIONS:
            text = " ".join(draft.sentence(*version))
            assert re.fullmatch(r"[A-Z]\S*( \S+)+ \.", text), text
            assert not re.search(r"\b[aA] [aeiou]", text), text
            assert not re.search(r"\b(\S+) \1 ", text), text
            assert not re.search(r"[<>|]|PERSON|THING|PLACE|COMPLEMENT", text), text


def test_no_other_word_is_an_adjective():
    others = [GRAMMAR[section] for section in ("rules", "nouns", "words")]
    options = [option for lists in others for words in lists.values() for option in words]
    words = {word for option in options for word in re.findall(r"[a-z]+", option.lower())}
    assert len(words) > 500 and not words & (ADJECTIVES | {"a", "an", "the"})


def test_the_rules_are_sound_and_used():
    require_sound(GRAMMAR["rules"])
    assert not unused_rules(GRAMMAR["rules"], {"sentence"})
    for section in ("nouns", "adjectives"):
        assert all(len(set(words)) == len(words) for words in GRAMMAR[section].values())


def test_phrases_are_of_two_words_and_the_other_lists_of_one():
    for name, options in GRAMMAR["words"].items():
        assert {len(option.split()) for option in options} == {2 if name == "phrases" else 1}
