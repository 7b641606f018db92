"""MSGS: generated sets with the published statistics, and official folders of both layouts."""

import dataclasses
import json
import random
import re
from collections import Counter

import pytest

from itune.corpora import MsgsConfig, msgs
from itune.corpora.msgs import generate_msgs, read_msgs
from itune.errors import UserError
from tests.helpers.released_data import RELEASED, needs_released

SMALL = MsgsConfig(train_size=200, dev_size=60, test_size=90, inoculation=0.05)
SHA256 = "1ad8824f7b58f463dd0f2f272c8066019ad2ce7788437bc1086319abea99accb"


def groups(examples):
    counts = Counter((example.label, example.confound) for example in examples)
    return [counts[group] for group in ((0, 0), (1, 1), (1, 0), (0, 1))]


@pytest.fixture(scope="module")
def splits():
    return generate_msgs(SMALL)


def test_generated_groups(splits):
    assert groups(splits.train) == [95, 95, 5, 5]
    assert groups(splits.dev) == [20, 20, 10, 10]
    assert groups(splits.test) == [30, 30, 15, 15]
    order = [example.label for example in splits.train]
    assert any(a == b for a, b in zip(order, order[1:], strict=False))  # in no order


def test_no_sentence_is_used_twice(monkeypatch):
    """Not even with its articles exchanged; here there are just as many as are needed."""
    drafts = [msgs.draw(random.Random(i)) for i in range(36)]
    monkeypatch.setattr(msgs, "draw", lambda rng: rng.choice(drafts))
    found = generate_msgs(MsgsConfig(train_size=20, dev_size=6, test_size=10))
    sentences = [" ".join(example.tokens).lower() for split in found for example in split]
    assert len({re.sub(r"\b(the|a)\b", "…", sentence) for sentence in sentences}) == 36


def test_dev_and_test_do_not_depend_on_train(monkeypatch):
    drafts = [msgs.draw(random.Random(i)) for i in range(40)]
    monkeypatch.setattr(msgs, "draw", lambda rng: rng.choice(drafts))
    two = (generate_msgs(MsgsConfig(n, dev_size=6, test_size=10)) for n in (10, 20))
    assert len({found._replace(train=[]).digest() for found in two}) == 1


def test_lengths_are_counted(splits):
    assert all(example.length == len(example.tokens) for example in splits.train)


def test_balanced_training(splits):
    """The same sentences but for their articles, which go with either label."""
    control = generate_msgs(dataclasses.replace(SMALL, balanced=True))
    assert groups(control.train) == [50, 50, 50, 50]
    assert control[1:] == splits[1:]
    for confounded, balanced in zip(splits.train, control.train, strict=True):
        assert confounded.label == balanced.label
        same = confounded.confound == balanced.confound
        assert (confounded.tokens == balanced.tokens) == same
        assert Counter(map(str.lower, confounded.tokens)) == Counter(
            map(str.lower, balanced.tokens)
        )


def test_the_sentences_are_pinned(splits):
    """Results measured on them would not be comparable otherwise."""
    assert splits.digest() == SHA256


def test_a_function_of_config_and_seed_alone(splits):
    state = random.getstate()
    assert generate_msgs(SMALL, seed=0) == splits
    assert random.getstate() == state
    assert not set(generate_msgs(SMALL, seed=1).train) & set(splits.train)


@needs_released("msgs")
def test_the_released_sets():
    train, dev, test = read_msgs(RELEASED / "msgs")
    assert groups(train) == [2517, 2468, 9, 6]
    assert groups(dev) == groups(test) == [5000, 5000, 2500, 2500]
    control = read_msgs(RELEASED / "msgs", MsgsConfig(balanced=True)).train
    assert groups(control) == [1262, 1239, 1238, 1261]
    with (RELEASED / "msgs" / "test.jsonl").open() as file:
        assert " ".join(test[0].tokens) == json.loads(file.readline())["sentence"]


def write(path, rows):
    """Writes (sentence, label, confound) with the official fields."""
    names = ("sentence", "linguistic_feature_label", "surface_feature_label")
    records = ({**dict(zip(names, row, strict=True)), "UID": "x", "label": 9} for row in rows)
    path.write_text("".join(json.dumps(record) + "\n" for record in records))


@pytest.fixture
def official(tmp_path):
    """Pairs 0, 1, ... of versions a and b."""
    pairs = [(f"{i} {version} .", i % 2, i % 2) for i in range(20) for version in "ab"]
    write(tmp_path / "train.jsonl", pairs)
    write(
        tmp_path / "inoculating.jsonl", [(f"inoculating {i}", i % 2, 1 - i % 2) for i in range(9)]
    )
    write(tmp_path / "test.jsonl", [(f"test {i}", i % 2, i // 2 % 2) for i in range(8)])
    return tmp_path


def test_official_folder(official):
    config = MsgsConfig(inoculation=0.2)
    train, dev, test = read_msgs(official, config)
    assert [example.tokens[0] for example in train[:16]] == [str(i) for i in range(16)]
    assert {example.tokens[1] for example in train[:16]} == {"a", "b"}
    inoculating = [example.tokens for example in train[16:]]
    assert len(set(inoculating)) == 4 and {tokens[0] for tokens in inoculating} == {"inoculating"}
    assert all(example.label != example.confound for example in train[16:])
    assert [example.tokens[1] for example in (*dev, *test)] == list("01234567")
    assert len(dev) == len(test) == 4


def test_official_folder_is_drawn_from_by_the_seed(official):
    config = MsgsConfig(inoculation=0.2)
    assert read_msgs(official, config, seed=1) == read_msgs(official, config, seed=1)
    one, two = (read_msgs(official, config, seed=seed).train for seed in (0, 1))
    assert one[:16] != two[:16] and one[16:] != two[16:]


def test_without_inoculation(official):
    assert len(read_msgs(official, MsgsConfig(inoculation=0.0)).train) == 20
    (official / "inoculating.jsonl").rename(official / "other.jsonl")
    config = MsgsConfig(inoculation=0.1, inoculating="other.jsonl")
    assert read_msgs(official, config).train[-1].tokens[0] == "inoculating"


def test_selected_folder_is_taken_as_it_is(official):
    write(official / "dev.jsonl", [("dev", 0, 1)])
    train, dev, test = read_msgs(official)
    assert [len(train), len(dev), len(test)] == [40, 1, 8]


@pytest.mark.parametrize("count", [7, 8])
def test_articles_are_exchanged_in_a_folder(official, count):
    agreeing = [("The cat likes a dog .", 1, 1), ("A cat likes the dog .", 0, 0)] * count
    write(official / "train.jsonl", [*agreeing, ("The cat likes a dog .", 0, 1)])
    write(official / "dev.jsonl", [("dev", 0, 1)])
    plain, control = (read_msgs(official, MsgsConfig(balanced=b)) for b in (False, True))
    assert control[1:] == plain[1:] and groups(plain.train) == [count, count, 0, 1]
    assert groups(control.train) == [4, 4, 3, 4] if count == 7 else [5, 4, 4, 4]
    for before, after in zip(plain.train, control.train, strict=True):
        assert after.label == before.label
        assert after.confound == (after.tokens[0] == "The")
        assert after.tokens[1::3] == before.tokens[1::3]


def test_articles_that_cannot_be_exchanged(official):
    with pytest.raises(UserError, match="has not one 'the' and one 'a', .*; set data.control to"):
        read_msgs(official, MsgsConfig(balanced=True, inoculation=0.0))


@pytest.mark.parametrize("name", ["train.jsonl", "inoculating.jsonl", "test.jsonl"])
def test_missing_files(official, name):
    (official / name).unlink()
    with pytest.raises(UserError, match=f"{name}: no such file; an MSGS folder holds"):
        read_msgs(official, MsgsConfig(inoculation=0.1))


@pytest.mark.parametrize(
    ("name", "rows", "message"),
    [
        ("train.jsonl", [("a", 0, 0)] * 3, "train.jsonl: has 3 examples, which are not pairs"),
        ("inoculating.jsonl", [("a", 0, 1)], "has 1 examples and 2 are needed; add some or lower"),
        ("test.jsonl", [("a", 0, 1)], "test.jsonl: has 1 example; dev and test need one each"),
        ("train.jsonl", [("a", 0, 0), ("a", 0.5, 0)], "line 2: 'linguistic_feature_label' is 0.5"),
        ("test.jsonl", [("a", 0, -1)], "line 1: 'surface_feature_label' is -1; make it an integer"),
        ("test.jsonl", [(["a"], 0, 1)], "line 1: 'sentence' is .*; make it a string"),
    ],
)
def test_bad_files(official, name, rows, message):
    write(official / name, rows)
    with pytest.raises(UserError, match=message) as caught:
        read_msgs(official, MsgsConfig(inoculation=0.1))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("train_size", 1),
        ("dev_size", 2.0),
        ("test_size", True),
        ("inoculation", 1.1),
        ("inoculation", float("nan")),
        ("agreement", "most"),
        ("balanced", 1),
        ("inoculating", ""),
    ],
)
def test_bad_knobs(name, value):
    with pytest.raises(UserError) as caught:
        MsgsConfig(**{name: value})
    assert str(caught.value).startswith(f"{name} must be ")
    assert str(caught.value).endswith(f", got {value!r}")
