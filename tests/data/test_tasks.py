"""Where the examples of a run come from."""

import pytest

from itune.data import Example, TextLenConfig, newswire_sentences, write_jsonl
from itune.data.tasks import DataConfig, Splits, load_splits
from itune.errors import UserError

RECIPE = TextLenConfig(train_size=20, dev_size=6, test_size=8)


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
    splits = load_splits(config)
    assert [len(split) for split in splits] == [20, 6, 8]
    assert splits.label_count == 2 and config.name == "textlen"
    assert splits == load_splits(config)
    assert splits.train != load_splits(DataConfig(seed=1, textlen=RECIPE)).train
    sentences = {tuple(e.tokens[2:5]) for split in splits for e in split}
    assert len(sentences) > 25  # no sentence in two splits


def test_conll(tmp_path):
    for name, seed in (("train", 0), ("valid", 1)):
        blocks = ("\n".join(f"{word} O" for word in s) for s in newswire_sentences(30, seed))
        (tmp_path / f"{name}.txt").write_text("\n\n".join(blocks) + "\n")
    splits = load_splits(DataConfig(source=f"conll:{tmp_path}", textlen=RECIPE))
    assert [len(split) for split in splits] == [20, 6, 8]


def test_folder(tmp_path):
    config = write(tmp_path / "reviews", test=[example(1, 0)])
    assert load_splits(config) == Splits(TRAIN, TRAIN[:2], [example(1, 0)])
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
    ("splits", "message"),
    [
        ({"train": TRAIN[:2]}, "every training example has label 0; .* two classes"),
        (
            {"train": [*TRAIN[:2], example(3, 0)]},
            "no training example has label 1, .* without gaps",
        ),
        ({"dev": [example(2, 0)]}, "label 2 occurs in dev but never in train; remove"),
        ({"test": [example(0, 2)]}, "confound 2 occurs in test but never in train; remove"),
    ],
)
def test_splits_that_do_not_go_together(tmp_path, splits, message):
    with pytest.raises(UserError, match=f"^{message}"):
        load_splits(write(tmp_path, **splits))


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("nowhere", "data.source 'nowhere' is neither a folder nor one of embedded, hub, conll"),
        ("conll:nowhere", "nowhere: no such folder"),
    ],
)
def test_unknown_sources(source, message):
    with pytest.raises(UserError, match=f"^{message}"):
        load_splits(DataConfig(source=source, textlen=RECIPE))
