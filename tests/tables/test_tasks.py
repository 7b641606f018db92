"""A task's recipe makes the same kind of table as a user's file."""

import csv

import numpy as np
import pytest

from itune.corpora import DataConfig, Example, MsgsConfig, TextLenConfig, write_jsonl
from itune.corpora.reviews import write_reviews
from itune.corpora.tasks import load_examples
from itune.data.dataset import tokenize_tables
from itune.errors import UserError
from itune.groups import Group
from itune.models import load_tokenizer, resolve_encoder
from itune.tables import TableConfig, describe_tables, make_tables, read_tables, task_tables
from itune.tables.table import problems
from tests.helpers.released_data import RELEASED, needs_released

SMALL = {
    "textlen": DataConfig(textlen=TextLenConfig(train_size=40, dev_size=6, test_size=8)),
    "msgs": DataConfig(task="msgs", msgs=MsgsConfig(40, 6, 8, inoculation=0.1)),
}


def released(task):
    return pytest.param(
        DataConfig(task=task, source=str(RELEASED / task)), marks=needs_released(task)
    )


@pytest.mark.parametrize(
    "config",
    [
        DataConfig(textlen=TextLenConfig(train_size=500, dev_size=100, test_size=100)),
        DataConfig(task="msgs", msgs=MsgsConfig(500, 100, 100)),
        released("textlen"),
        released("msgs"),
    ],
    ids=["textlen", "msgs", "released textlen", "released msgs"],
)
def test_a_text_has_the_tokens_of_its_words(config):
    """Each word tokenised for itself gives what the joined text gives."""
    tokenizer = load_tokenizer(resolve_encoder("all-MiniLM-L6-v2"))
    splits, tables = load_examples(config).splits, task_tables(config)
    data = tokenize_tables(tables, tokenizer, max_length=24)
    for split, examples in splits._asdict().items():
        words = [list(example.tokens) for example in examples]
        by_word = tokenizer(words, is_split_into_words=True, truncation=True, max_length=24)
        assert [ids.tolist() for ids in data[split].input_ids] == by_word["input_ids"]
        assert data[split].label.tolist() == [example.label for example in examples]
        assert data[split].confound.tolist() == [example.confound for example in examples]
        assert {data[split].label.dtype, data[split].confound.dtype} == {np.dtype("int32")}


@pytest.mark.parametrize("task", SMALL)
@pytest.mark.parametrize("is_control", [False, True])
def test_the_digest_is_that_of_the_examples(task, is_control):
    """By it runs are compared, and resumed, whose folders are older than these tables."""
    digests = {
        ("textlen", False): "112895b467b5cdb2",
        ("textlen", True): "b864dc12b8e41581",
        ("msgs", False): "42f772ece4f9c7a1",
        ("msgs", True): "d86c6992072ae591",
    }
    tables = task_tables(SMALL[task], is_control=is_control)
    assert tables.digest()[:16] == digests[task, is_control]
    assert (tables.name, tables.train.size) == (task, 40)


@needs_released("textlen", "msgs")
def test_the_digests_of_the_released_sets():
    """Those that the committed results were trained on."""
    digests = {"textlen": "2db8398eb7b5445623df", "msgs": "5756ecb1f7cc3142740d"}
    for task, digest in digests.items():
        tables = task_tables(DataConfig(task=task, source=str(RELEASED / task)))
        assert tables.digest().startswith(digest)


def test_names():
    tables = task_tables(SMALL["textlen"])
    assert tables.label_names == ("short", "long")
    assert tables.confound_names == ("Negative .", "Positive .")
    train = tables.train
    for row in range(train.size):
        (text,) = train.texts(row)
        assert text.startswith(tables.confound_names[train.confound[row]])
    assert task_tables(SMALL["msgs"]).label_names == ("no adjective", "adjective")


def write(folder, groups):
    for split, rows in ({"dev": [(0, 0)], "test": [(1, 0)]} | groups).items():
        examples = [Example(("word", split, str(i)), *row, 3) for i, row in enumerate(rows)]
        write_jsonl(examples, folder / f"{split}.jsonl")
    return DataConfig(source=str(folder))


def test_a_folder(tmp_path):
    tables = task_tables(write(tmp_path, {"train": [(0, 0), (0, 2), (1, 0), (1, 2)]}))
    assert (tables.label_names, tables.confound_names) == (("0", "1"), ("0", "2"))
    assert tables.name == tmp_path.name and not problems(tables)


@pytest.mark.parametrize(
    ("groups", "problem"),
    [
        ({"train": [(0, 0), (0, 1)]}, "every training row has label '0'; a classifier needs two"),
        ({"dev": [(2, 0)]}, "label '2' occurs in dev but never in train"),
        ({"train": [(0, 1), (1, 1)]}, "every training row has confound '1'"),
    ],
)
def test_a_folder_that_cannot_be_trained_on(tmp_path, groups, problem):
    train = {"train": [(0, 0), (0, 1), (1, 0), (1, 1)]}
    tables = task_tables(write(tmp_path, train | groups))
    assert problem in " ".join(problems(tables))


def test_another_rule_for_the_confound():
    """It is another table then, with a digest of its own."""
    usual = task_tables(SMALL["textlen"])
    ruled = task_tables(SMALL["textlen"], TableConfig(rule="positive=prefix:Positive ."))
    assert ruled.confound_names == ("no", "yes")
    np.testing.assert_array_equal(ruled.train.confound, usual.train.confound)
    assert ruled.digest() != usual.digest()


def test_tasks_by_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    tables = read_tables(TableConfig("textlen"))
    assert (tables.name, tables.train.size, tables.label_names) == (
        "textlen",
        1500,
        ("short", "long"),
    )
    groups = describe_tables(tables).splits["train"].groups
    assert [groups[Group(y, c)] for y in (0, 1) for c in (0, 1)] == [675, 75, 75, 675]


@pytest.mark.parametrize(
    "columns", [{}, {"text": "review", "label": "rating", "confound": "brand"}]
)
def test_reviews_by_name(columns, tmp_path, monkeypatch):
    """They are those that the example command writes; such a folder wins over the name."""
    monkeypatch.chdir(tmp_path)
    by_name = make_tables("reviews", TableConfig(**columns))
    write_reviews("reviews")
    assert by_name.name == "reviews" and by_name.confound_names == (
        "Brenvold",
        "Ostrelle",
        "Quavik",
    )
    with pytest.raises(UserError, match="train.csv: has no column 'text'"):
        make_tables("reviews")
    columns = {"text": "review", "label": "rating", "confound": "brand"}
    assert make_tables("reviews", TableConfig(**columns)).digest() == by_name.digest()
    with (tmp_path / "reviews" / "train.csv").open(encoding="utf-8") as file:
        assert by_name.train.texts(3) == (list(csv.DictReader(file))[3]["review"],)
