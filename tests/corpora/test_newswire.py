"""Newswire sentences: distinct, varied, tokenised, a function of count and seed alone."""

import random
import re
from collections import Counter

import pytest

from itune.corpora import newswire
from itune.corpora.newswire import newswire_sentences
from tests.helpers.grammar_cases import require_sound, unused_rules


@pytest.fixture(scope="module")
def sentences():
    return newswire_sentences(5000, seed=0)


def test_distinct_long_and_varied(sentences):
    assert len({tuple(sentence) for sentence in sentences}) == 5000
    assert min(map(len, sentences)) >= 30
    assert len({tuple(sentence[:5]) for sentence in sentences}) > 3000
    assert len({token for sentence in sentences for token in sentence}) > 3000
    assert Counter(sentence[0] for sentence in sentences).most_common(1)[0][1] < 5000 / 5


def test_tokens_are_words_or_marks(sentences):
    word = re.compile(r"[A-Za-z0-9]+([-.,][A-Za-z0-9]+)*|a\.m\.|'s|[.,:$()'\"]")
    odd = {token for sentence in sentences for token in sentence if not word.fullmatch(token)}
    assert not odd
    assert not {"positive", "negative"} & {t.lower() for sentence in sentences for t in sentence}


def test_written_as_a_reader_expects(sentences):
    for sentence in sentences:
        opening = sentence[1] if sentence[0] == '"' else sentence[0]
        assert opening[0].isupper() or opening[0].isdigit()
        assert sentence[-1] in {".", "a.m."} and sentence.count('"') % 2 == 0
        text = " ".join(sentence)
        assert not re.search(r", [,.]| \. |a\.m\. \.| [aA]n? (an?|the) ", text), text
        assert not re.search(r"\b[aA] ([aeio]|un[a-hj-z]|8|11|18)", text), text
        assert not re.search(r"\b[aA]n ([bcdfgj-np-tv-z]|Euro|Ukr|[12345679]0?[ -])", text), text


def test_order_means_nothing(sentences):
    """Neither the length nor the opening word is told by the place."""
    first, second = sentences[:2500], sentences[2500:]
    mean = [sum(map(len, half)) / 2500 for half in (first, second)]
    assert abs(mean[0] - mean[1]) < 0.6
    quoted = [sum(sentence[0] == '"' for sentence in half) for half in (first, second)]
    assert abs(quoted[0] - quoted[1]) < 100


def test_a_function_of_count_and_seed_alone():
    state = random.getstate()
    few = newswire_sentences(50, seed=3)
    assert random.getstate() == state
    assert newswire_sentences(80, seed=3)[:50] == few
    assert newswire_sentences(50, seed=4) != few
    assert newswire_sentences(0, seed=3) == []


def test_min_tokens():
    short = newswire_sentences(200, seed=0, min_tokens=1)
    assert min(map(len, short)) < 30
    assert min(map(len, newswire_sentences(20, seed=0, min_tokens=120))) >= 120


@pytest.mark.parametrize("subject", newswire._rules_by_subject())
def test_the_rules_of_a_subject_are_sound(subject):
    rules = newswire._rules_by_subject()[subject]
    require_sound(rules)
    own = {name: options for name, options in rules.items() if name.startswith("@")}
    assert all(len(set(options)) == len(options) > 1 for options in own.values())
    assert not set(own) & unused_rules(rules, {"frame", "coda"})


def test_every_shared_rule_is_used_by_a_subject():
    subjects = newswire._rules_by_subject().values()
    assert not set.intersection(*(unused_rules(rules, {"frame", "coda"}) for rules in subjects))
