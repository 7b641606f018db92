"""A table of one's own in its three splits: columns, rules, splitting, and what is refused."""

import dataclasses

import datasets
import numpy as np
import pytest

from itune import UserError
from itune.config import to_dict
from itune.config.mappings import from_dict
from itune.tables.config import TableConfig
from itune.tables.readers import READERS
from itune.tables.table import make_tables, problems, read_tables, require_trainable
from tests.helpers.table_cases import ROWS, write_rows

COLUMNS = {"label": "stars", "confound": "brand"}


def read(path, **more):
    return read_tables(TableConfig(str(path), **(COLUMNS | more)))


def rows_of(table):
    """What a table says of its rows, by their text."""
    texts = [text for batch in table.batches(3) for text in batch[0]]
    return dict(zip(texts, zip(table.label, table.confound, strict=True), strict=True))


@pytest.mark.parametrize("ending", READERS)
def test_formats_agree(tmp_path, ending):
    tables = read(write_rows(tmp_path / f"a{ending}", ROWS), quoted=True)
    assert (tables.label_names, tables.confound_names) == (("1", "2"), ("acme", "umbrella"))
    assert [table.size for table in tables.splits().values()] == [32, 4, 4]
    found = {}
    for table in tables.splits().values():
        found |= rows_of(table)
    confounds = {None: -1, "acme": 0, "umbrella": 1}
    assert found == {row["text"]: (row["stars"] - 1, confounds[row["brand"]]) for row in ROWS}


def test_batches_and_single_rows_agree(tmp_path):
    tables = read(write_rows(tmp_path / "a.csv", ROWS))
    for table in tables.splits().values():
        assert list(rows_of(table)) == [table.texts(row)[0] for row in range(table.size)]
        assert all(texts for (texts,) in table.batches(1))


def test_a_digest_is_of_the_rows(tmp_path, monkeypatch):
    path = write_rows(tmp_path / "a.csv", ROWS)
    tables = read(path)
    first, train = tables.digest(), tables.train
    monkeypatch.setattr("itune.tables.arrow.ROWS", 3)
    assert read(write_rows(tmp_path / "b.jsonl", ROWS)).digest() == first
    for other in (
        read(path, text="id"),
        read(path, split_seed=1),
        dataclasses.replace(tables, label_names=("1", "3")),
        dataclasses.replace(tables, confound_names=("acme", "x")),
        dataclasses.replace(tables, train=train._replace(label=train.label[::-1])),
        dataclasses.replace(tables, train=train._replace(confound=train.confound[::-1])),
    ):
        assert other.digest() != first


def test_seed_and_fractions(tmp_path):
    path = write_rows(tmp_path / "a.csv", ROWS)
    first, other = (read(path, split_seed=seed, dev_fraction=0.5) for seed in (0, 1))
    assert first.dev.size == 20 and first.test.size == 4
    assert rows_of(first.dev) == rows_of(read(path, dev_fraction=0.5).dev) != rows_of(other.dev)


def test_files_for_splits(tmp_path):
    train, test = (
        write_rows(tmp_path / "a.csv", ROWS[:30]),
        write_rows(tmp_path / "b.jsonl", ROWS[30:]),
    )
    tables = read(train, test=str(test))
    assert [table.size for table in tables.splits().values()] == [27, 3, 10]
    assert list(rows_of(tables.test)) == [row["text"] for row in ROWS[30:]]
    assert tables.test.name == str(test)
    tables = read(train, dev=str(test), test=str(test))
    assert [table.size for table in tables.splits().values()] == [30, 10, 10]


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A data set as `datasets` saves it, with names of classes and three splits."""
    names = datasets.ClassLabel(names=["world", "business"])
    features = datasets.Features({"text": datasets.Value("string"), "label": names, "brand": names})
    rows = [{"text": str(i), "label": i % 2, "brand": i % 3 - 1} for i in range(12)]
    sets = {
        split: datasets.Dataset.from_list(rows[start::3], features).select([2, 0, 1])
        for start, split in enumerate(["train", "validation", "extra"])
    }
    folder = tmp_path_factory.mktemp("saved")
    datasets.DatasetDict(sets).save_to_disk(folder / "dict")
    sets["train"].save_to_disk(folder / "one")
    return folder


def test_a_saved_data_set(saved):
    tables = read(saved / "dict", label="label", test="extra")
    assert tables.label_names == tables.confound_names == ("world", "business")
    assert [table.size for table in tables.splits().values()] == [3, 3, 3]
    assert rows_of(tables.dev) == {"1": (1, 0), "4": (0, 0), "7": (1, 0)}
    assert rows_of(tables.train)["0"] == (0, -1)
    assert sum(t.size for t in read(saved / "one", label="label").splits().values()) == 3


def test_splits_that_are_not_there(saved, tmp_path):
    write_rows(tmp_path / "dev.csv", ROWS)
    write_rows(tmp_path / "test.csv", ROWS)
    with pytest.raises(UserError, match="has no split 'train', but dev.csv, test.csv"):
        read(tmp_path)
    with pytest.raises(UserError, match="has no split 'test', but train, validation, extra"):
        read(saved / "dict", label="label", test=str(saved / "dict"))


def test_a_rule_instead_of_a_column(tmp_path):
    tables = read(
        write_rows(tmp_path / "a.csv", ROWS), rule="words:good || words:bad", confound="none?"
    )
    assert tables.confound_names == ("none", "words:good", "words:bad")
    for text, (_, confound) in rows_of(tables.train).items():
        assert confound == (1 if "good" in text else 2 if "bad" in text else 0)


def test_a_rule_on_the_second_text(tmp_path):
    rows = [{"a": f"not {i}", "b": "not now" if i % 2 else "now", "y": i % 2} for i in range(8)]
    path = write_rows(tmp_path / "a.csv", rows)
    pair = {"text": "a", "text_pair": "b", "label": "y", "rule": "words:not", "test_fraction": 0}
    assert set(read(path, **pair).train.confound) == {1}
    train = read(path, **pair, rule_on="text_pair", dev_fraction=0).train
    np.testing.assert_array_equal(train.confound, train.label)
    assert train.is_pair and train.texts(1) == ("not 1", "not now")
    first, second = zip(*((row["a"], row["b"]) for row in rows), strict=True)
    assert list(train.batches()) == [([*first], [*second])]


@pytest.mark.parametrize("texts", [["a"], ["a", "b"]])
def test_rows_of_the_same_text_stay_together(texts):
    rows = [{"a": "bcdefg"[i % 6] if i < 120 else str(i), "b": "x", "y": i % 2} for i in range(180)]
    config = TableConfig(
        text=texts[-1 if len(texts) == 1 else 1],
        text_pair=texts[0] if len(texts) == 2 else None,
        label="y",
        confound=None,
        dev_fraction=0.2,
        test_fraction=0.2,
    )
    tables = make_tables(rows, config)
    found = [{table.texts(row) for row in range(table.size)} for table in tables.splits().values()]
    assert sum(map(len, found)) == len(set.union(*found)) == 66
    assert all(table.size >= 20 for table in tables.splits().values())


def test_no_confound(tmp_path):
    tables = read(write_rows(tmp_path / "a.csv", ROWS), confound=None)
    assert set(tables.train.confound) == {-1} and tables.confound_names == ()


def rows(*groups):
    return [{"text": f"t{i}", "stars": y, "brand": c} for i, (y, c) in enumerate(groups)]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ([{**row, "text": row["text"] * (row["id"] != 7)} for row in ROWS], "row 8: 'text' is emp"),
        ([{**row, "stars": "" if row["id"] == 7 else 1} for row in ROWS], "row 8: 'stars' is miss"),
        (ROWS[:1], "has 1 row; give it 2 or more"),
    ],
)
def test_refuses(tmp_path, table, message):
    with pytest.raises(UserError, match=f"a.csv.*{message}"):
        read(write_rows(tmp_path / "a.csv", table))


def test_rows_are_counted_across_batches(tmp_path, monkeypatch):
    monkeypatch.setattr("itune.tables.arrow.ROWS", 3)
    table = [{**row, "text": row["text"] * (row["id"] != 37)} for row in ROWS]
    with pytest.raises(UserError, match="row 38: 'text' is empty"):
        read(write_rows(tmp_path / "a.csv", table))


def test_no_rows(tmp_path):
    (tmp_path / "a.csv").write_text("text,stars,brand\n")
    with pytest.raises(UserError, match="has no row"):
        read(tmp_path / "a.csv")
    with pytest.raises(UserError, match="TABLE is not set"):
        read_tables(TableConfig())


@pytest.mark.parametrize(
    ("train", "test", "problem"),
    [
        ([(1, "a"), (1, "b")], [(1, "a")], "every training row has label '1'"),
        ([(1, "a"), (1, "b"), (2, "a")], [(3, "a")], "label '3' occurs in test but never in train"),
        ([(1, "a"), (2, "a")], [(2, "a")], "every training row has confound 'a'"),
        ([(1, "a"), (2, "b")], [(1, "b")], "no label occurs with two confounds in training"),
        ([(1, ""), (2, "")], [(2, "a")], "no training row has a confound"),
    ],
)
def test_not_trainable(tmp_path, train, test, problem):
    paths = [
        write_rows(tmp_path / f"{i}.csv", rows(*groups)) for i, groups in enumerate((train, test))
    ]
    tables = read(paths[0], dev=str(paths[0]), test=str(paths[1]))
    assert len(problems(tables)) == 1
    with pytest.raises(UserError, match=f"0.csv: {problem}"):
        require_trainable(tables)


def test_trainable(tmp_path):
    require_trainable(read(write_rows(tmp_path / "a.csv", ROWS)))
    tables = read(write_rows(tmp_path / "b.csv", ROWS[:6]), test_fraction=0)
    assert "test has no row" in " ".join(problems(tables))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"rule_on": "label"}, "rule_on must be one of text, text_pair, got 'label'"),
        ({"rule_on": "text_pair"}, "set text_pair to a column"),
        ({"dev_fraction": 1.0}, "dev_fraction must be a number from 0 to below 1, got 1.0"),
        ({"dev_fraction": 0.5, "test_fraction": 0.5}, "leaves nothing to train"),
        ({"split_seed": -1}, "split_seed must be a non-negative integer, got -1"),
        ({"text": "label"}, "text and label are both column 'label'; name another for one"),
        ({"confound": "label"}, "label and confound are both column 'label'"),
        ({"text_pair": "text"}, "text and text_pair are both column 'text'"),
    ],
)
def test_settings_that_cannot_be(settings, message):
    with pytest.raises(UserError, match=message):
        TableConfig("a.csv", **settings)


def test_settings_there_and_back():
    config = TableConfig("a.csv", rule="words:a,b", confound=None)
    assert from_dict(TableConfig, to_dict(config)) == config


def test_paths_are_located(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("reviews", "test"):
        (tmp_path / name).mkdir()
    (tmp_path / "dev.csv").touch()
    found = TableConfig("reviews", dev="dev.csv", test="test").located
    assert found.train == str(tmp_path / "reviews") and found.dev == str(tmp_path / "dev.csv")
    assert found.test == "test"  # a split may be called so
    assert TableConfig("reviews", test="./test").located.test == str(tmp_path / "test")
    assert TableConfig("reviews").located.dev == "auto"
    assert TableConfig("some/name").located == TableConfig("some/name")
