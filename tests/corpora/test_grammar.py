"""Grammars: what is drawn from them, and that they stay as they are."""

import hashlib
import random

import pytest

from itune.corpora import MsgsConfig
from itune.corpora.grammar import alternatives, expand, read_grammar, with_articles
from itune.corpora.msgs import generate_msgs
from itune.corpora.newswire import newswire_sentences
from itune.corpora.reviews import ReviewsConfig, generate_reviews
from tests.helpers.grammar_cases import require_sound, unused_rules


def newswire_text(seed):
    return "\n".join(" ".join(sentence) for sentence in newswire_sentences(1000, seed))


def reviews_text(seed):
    splits = generate_reviews(ReviewsConfig(seed=seed))
    return "\n".join("\t".join(review) for reviews in splits.values() for review in reviews)


def msgs_text(seed):
    splits = generate_msgs(MsgsConfig(train_size=1000, dev_size=100, test_size=100), seed)
    examples = [example for split in splits for example in split]
    return "\n".join(f"{e.label}\t{e.confound}\t{' '.join(e.tokens)}" for e in examples)


@pytest.mark.parametrize(
    ("text", "seed", "digest"),
    [
        (newswire_text, 0, "4c399af8670026d2880a50ac2de0fbbe317eb43387a580cf71fe9b0a41f056f4"),
        (newswire_text, 7, "3cb1b73a880c887c7f991999d5082006a9b71f156b41d17c6e5f0a1351c62ee8"),
        (reviews_text, 0, "03abe63389bec2a192d44b99c874821956f5680b1e3bb4464d10dac62caba7b0"),
        (reviews_text, 7, "c5b5101445ebb34b74369b861d4e35e64d8d05c31cbea17a1fe86f789cd93ae0"),
        (msgs_text, 0, "f1b79b748f70cf0cc5d21a8657e7cafeb92de6027b1dc6881e31913de887e002"),
        (msgs_text, 7, "7a681ad05d67e698872b29b1c42ba67c1d44d8bdc17a46c38975a3fcdc003895"),
    ],
)
def test_generated_corpora_are_pinned(text, seed, digest):
    """Results that were measured on them would not be comparable otherwise."""
    assert hashlib.sha256(text(seed).encode()).hexdigest() == digest


@pytest.mark.parametrize("name", ["newswire", "reviews", "msgs"])
def test_no_alternative_of_a_grammar_is_empty(name):
    for section, rules in read_grammar(name).items():
        assert rules, section
        for rule, options in rules.items():
            assert options and all(options), (section, rule)


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ({"start": ["<missing>"]}, "does not exist"),
        ({"start": ()}, "no alternative"),
        ({"start": alternatives("a||b")}, "empty alternative"),
        ({"start": ["<two words>"]}, "two words"),
        ({"start": ["#9-2 days"]}, "#9-2"),
        ({"start": ["# 5 days"]}, "# 5"),
    ],
)
def test_mistakes_in_a_grammar_are_found(rules, message):
    with pytest.raises(AssertionError, match=message):
        require_sound(rules)
    assert unused_rules({"start": ["<a>"], "a": ["b"], "c": ["<a>"]}, {"start"}) == {"c"}


def test_no_alternative_comes_twice_before_all_have_come():
    rules = {"start": ["<way> <way> <way>"], "way": ["bus", "train", "tram"]}
    drawn = expand("start", rules, random.Random(0), set()).split()
    assert sorted(drawn) == ["bus", "train", "tram"]
    again = expand("way", {"way": ["bus"]}, random.Random(0), {("way", "bus")})
    assert again == "bus"


def test_ranges_include_both_ends():
    rng = random.Random(0)
    drawn = {expand("n", {"n": ["#2-4 %"]}, rng, set()) for _ in range(100)}
    assert drawn == {"2 %", "3 %", "4 %"}


@pytest.mark.parametrize(
    ("after", "article"),
    [("hour", "an"), ("heir", "an"), ("house", "a"), ("unit", "a"), ("uncle", "an"), ("one", "a")]
    + [("8", "an"), ("18", "an"), ("180", "a"), ("Ukrainian", "a"), ("Ulster", "an")],
)
def test_articles(after, article):
    assert with_articles(["a", after]) == with_articles(["an", after]) == [article, after]
