"""Where the examples of a run come from."""

import dataclasses

import pytest

from itune.corpora import DataConfig, Example, MsgsConfig, Splits, TextLenConfig, write_jsonl
from itune.corpora.newswire import newswire_sentences
from itune.corpora.tasks import load_control, load_examples
from itune.errors import UserError

RECIPE = TextLenConfig(train_size=20, dev_size=6, test_size=8)
MSGS = DataConfig(task="msgs", msgs=MsgsConfig(40, 6, 8, inoculation=0.1))


def example(label, confound, word="word"):
    return Example((word,), label, confound, 1)


TRAIN = [example(y, c) for y in (0, 1) for c in (0, 1)]


def write(folder, train=TRAIN, dev=TRAIN[:2], test=TRAIN[2:]):
    folder.mkdir(exist_ok=True)
    for name, examples in (("train", train), ("dev", dev), ("test", test)):
        write_jsonl(examples, folder / f"{name}.jsonl")
    return DataConfig(source=str(folder))


def test_embedded():
    config = DataConfig(textlen=RECIPE)
    splits = load_examples(config).splits
    assert [len(split) for split in splits] == [20, 6, 8]
    assert config.name == "textlen"
    assert load_examples(config) == (splits, ("short", "long"), ("Negative .", "Positive ."))
    assert splits.train != load_examples(DataConfig(seed=1, textlen=RECIPE)).splits.train
    sentences = {tuple(e.tokens[2:5]) for split in splits for e in split}
    assert len(sentences) > 25  # no sentence in two splits


def test_conll(tmp_path):
    for name, seed in (("train", 0), ("valid", 1)):
        blocks = ("\n".join(f"{word} O" for word in s) for s in newswire_sentences(30, seed))
        (tmp_path / f"{name}.txt").write_text("\n\n".join(blocks) + "\n")
    splits = load_examples(DataConfig(source=f"conll:{tmp_path}", textlen=RECIPE)).splits
    assert [len(split) for split in splits] == [20, 6, 8]


def test_msgs():
    splits = load_examples(MSGS).splits
    assert [len(split) for split in splits] == [40, 6, 8]
    assert MSGS.name == "msgs"
    other = load_examples(dataclasses.replace(MSGS, seed=1)).splits
    assert not set(splits.train) & set(other.train)


def test_msgs_folder(tmp_path):
    write(tmp_path / "paradigm")
    config = dataclasses.replace(MSGS, source=str(tmp_path / "paradigm"))
    assert config.name == "paradigm"
    with pytest.raises(UserError, match="train.jsonl, line 1: 'sentence' is missing; add a string"):
        load_examples(config)


def test_control_of_textlen(tmp_path):
    config = DataConfig(textlen=RECIPE)
    splits, control = (load(config).splits for load in (load_examples, load_control))
    for confounded, plain in zip(splits, control, strict=True):
        assert plain == [e._replace(tokens=e.tokens[2:]) for e in confounded]


def test_control_of_msgs():
    """Other orders of articles in training; development and test are the same."""
    splits, control = load_examples(MSGS).splits, load_control(MSGS).splits
    assert control[1:] == splits[1:]
    assert [e.label for e in control.train] == [e.label for e in splits.train]
    assert 18 <= sum(e.label == e.confound for e in control.train) <= 22
    assert sum(e.label == e.confound for e in splits.train) == 36


def test_control_of_a_folder(tmp_path):
    config = write(tmp_path / "reviews")
    with pytest.raises(UserError, match="^data.source is the folder .*reviews.*set data.control"):
        load_control(config)
    write(tmp_path / "plain", train=TRAIN[::-1])
    given = dataclasses.replace(config, control=str(tmp_path / "plain"))
    assert load_control(given).splits == Splits(TRAIN[::-1], TRAIN[:2], TRAIN[2:])
    with pytest.raises(UserError, match="^data.control 'nowhere' is not a folder"):
        load_control(dataclasses.replace(config, control="nowhere"))
    (tmp_path / "plain" / "dev.jsonl").unlink()
    with pytest.raises(UserError, match="dev.jsonl: no such file"):
        load_control(given)


def test_folder(tmp_path):
    config = write(tmp_path / "reviews", test=[example(1, 0)])
    assert load_examples(config) == (Splits(TRAIN, TRAIN[:2], [example(1, 0)]), (), ())
    assert config.name == "reviews"


def test_digest():
    splits = Splits(TRAIN, TRAIN[:2], TRAIN[2:])
    others = [
        splits._replace(test=TRAIN[:2]),
        splits._replace(train=TRAIN[::-1]),
        splits._replace(train=TRAIN[:3], dev=[TRAIN[3], *TRAIN[:2]]),
        splits._replace(train=[example(0, 0, "world"), *TRAIN[1:]]),
        splits._replace(train=[example(0, 1), *TRAIN[1:]]),
    ]
    assert splits.digest() == Splits(*map(list, splits)).digest()
    assert len({splits.digest(), *(other.digest() for other in others)}) == 6


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("nowhere", "data.source 'nowhere' is neither a folder nor one of embedded, hub, conll"),
        ("conll:nowhere", "nowhere: no such folder"),
    ],
)
def test_unknown_sources(source, message):
    for load in (load_examples, load_control):
        with pytest.raises(UserError, match=f"^{message}"):
            load(DataConfig(source=source, textlen=RECIPE))


def test_unknown_tasks():
    with pytest.raises(
        UserError, match="^task must be one of textlen, msgs.*; did you mean msgs\\?"
    ):
        DataConfig(task="msg")
    with pytest.raises(UserError, match="^data.source 'hub' is neither .* nor one of embedded$"):
        load_examples(dataclasses.replace(MSGS, source="hub"))
