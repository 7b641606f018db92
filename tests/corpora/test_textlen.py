"""TextLen: the published sets to the last token, and the recipe on text of our own."""

import dataclasses
import hashlib
import random
from collections import Counter

import numpy as np
import pytest

from itune.corpora import TextLenConfig, write_jsonl
from itune.corpora.conll import find_conll, read_conll
from itune.corpora.jsonl import read_jsonl
from itune.corpora.textlen import build_textlen
from itune.errors import UserError
from tests.helpers.released_data import RELEASED, needs_released

SMALL = TextLenConfig(train_size=100, dev_size=40, test_size=60)
SHA256 = {
    "train": "0a3e8a9a8dbfecba047d3b69cfa512c490a3ce2bdd3e62948d102f8a3a0786cd",
    "dev": "cde92a5a9f6be6d57732652ce107ba99597f9807986b3e02c07efd6068c16ac5",
    "test": "a4a0468127d844d8facfbf01ad5b2ccfaed314e47b87b0cf42422c5b4a8b1e94",
}


@pytest.fixture(scope="module")
def corpora():
    sentences = [[f"s{i}w{j}" for j in range(30 + i % 7)] for i in range(210)]
    return sentences[:145], sentences[145:]


@needs_released("conll2003", "textlen", "textlen_no_spur")
@pytest.mark.parametrize(("folder", "spurious"), [("textlen", True), ("textlen_no_spur", False)])
def test_the_released_sets(folder, spurious):
    corpus = {split: read_conll(path) for split, path in find_conll(RELEASED / "conll2003").items()}
    built = build_textlen(corpus["train"], corpus["valid"], TextLenConfig(spurious=spurious))
    assert {split: len(built[split]) for split in built} == {"train": 1500, "dev": 480, "test": 500}
    for split, examples in built.items():
        assert examples == read_jsonl(RELEASED / folder / f"{split}.jsonl"), split


@pytest.mark.parametrize("split", ["train", "dev", "test"])
def test_the_recipe_is_pinned(corpora, tmp_path, split):
    """Changes only with the recipe and the generators of Python and NumPy."""
    write_jsonl(build_textlen(*corpora, SMALL)[split], tmp_path / "pinned.jsonl")
    content = (tmp_path / "pinned.jsonl").read_bytes()
    assert hashlib.sha256(content).hexdigest() == SHA256[split]


@pytest.mark.parametrize(
    ("split", "agreeing", "disagreeing"), [("train", 45, 5), ("dev", 10, 10), ("test", 15, 15)]
)
def test_groups(corpora, split, agreeing, disagreeing):
    groups = Counter((e.label, e.confound) for e in build_textlen(*corpora, SMALL)[split])
    assert groups[0, 0] == groups[1, 1] == agreeing
    assert groups[0, 1] == groups[1, 0] == disagreeing


def test_prefix_and_cut(corpora):
    beginnings = {sentence[0]: tuple(sentence) for corpus in corpora for sentence in corpus}
    for examples in build_textlen(*corpora, SMALL).values():
        for example in examples:
            assert example.tokens[:2] == (("Negative", "."), ("Positive", "."))[example.confound]
            words = example.tokens[2:]
            assert words == beginnings[words[0]][: min(example.length, 30)]


def test_no_sentence_is_used_twice(corpora):
    config = dataclasses.replace(SMALL, spurious=False, length_sd=0.0, length_means=(30.0, 30.0))
    splits = build_textlen(corpora[0], corpora[1], config)
    tokens = [example.tokens for examples in splits.values() for example in examples]
    assert len(set(tokens)) == len(tokens) == 200


def test_without_the_prefix_nothing_else_changes(corpora):
    plain = build_textlen(*corpora, dataclasses.replace(SMALL, spurious=False))
    for split, examples in build_textlen(*corpora, SMALL).items():
        assert plain[split] == [e._replace(tokens=e.tokens[2:]) for e in examples]


def test_lengths_follow_the_class(corpora):
    train = build_textlen(*corpora, SMALL)["train"]
    means = [np.mean([e.length for e in train if e.label == label]) for label in (0, 1)]
    np.testing.assert_allclose(means, (14.5, 24.5), atol=1.5)  # truncation takes half a token


def test_a_length_below_one_becomes_one(corpora):
    config = dataclasses.replace(SMALL, length_means=(0.5, 0.5), spurious=False)
    train = build_textlen(*corpora, config)["train"]
    assert min(e.length for e in train) == min(len(e.tokens) for e in train) == 1


def test_prefixes_may_be_of_any_length(corpora):
    config = dataclasses.replace(SMALL, prefixes=("no", "yes indeed :"))
    for example in build_textlen(*corpora, config)["dev"]:
        prefix = (("no",), ("yes", "indeed", ":"))[example.confound]
        assert example.tokens[: len(prefix)] == prefix


def test_global_generators_and_the_input_are_left_alone(corpora):
    python, legacy, before = random.getstate(), np.random.get_state()[1].copy(), list(corpora[0])
    build_textlen(*corpora, SMALL)
    assert random.getstate() == python
    np.testing.assert_array_equal(np.random.get_state()[1], legacy)
    assert corpora[0] == before


def test_too_little_text(corpora):
    with pytest.raises(UserError, match="training corpus has 10 .* out of 11, and 140 are needed"):
        build_textlen([*corpora[0][:10], ["short"]], corpora[1], SMALL)
    with pytest.raises(UserError, match="test corpus has 0 sentences of at least 30 tokens"):
        build_textlen(corpora[0], [], SMALL)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("train_size", 1),
        ("dev_size", 2.0),
        ("test_size", True),
        ("min_tokens", 0),
        ("length_means", (15.0,)),
        ("length_means", (15.0, 0.0)),
        ("length_means", (15.0, float("nan"))),
        ("length_sd", -1.0),
        ("length_sd", float("inf")),
        ("prefixes", ("same .", "same .")),
        ("prefixes", ("", "Positive .")),
        ("prefixes", "Positive ."),
        ("train_agreement", 1.1),
        ("dev_agreement", "half"),
        ("test_agreement", -0.1),
        ("shuffle_seed", -1),
        ("train_seed", 2**32),
        ("eval_seed", 1.0),
        ("spurious", "yes"),
    ],
)
def test_bad_knobs(name, value):
    with pytest.raises(UserError) as caught:
        TextLenConfig(**{name: value})
    assert str(caught.value).startswith(f"{name} must be ")
    assert str(caught.value).endswith(f", got {value!r}")
