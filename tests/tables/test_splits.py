"""Which files of a folder, and which parts of a data set, are train, dev and test."""

import pytest

from itune import UserError
from itune.tables.config import TableConfig
from itune.tables.splits import split_called
from itune.tables.table import make_tables
from tests.helpers.table_cases import write_rows

COLUMNS = {"confound": None}


def write(folder, *names):
    """Write a table to each file; its rows are named after it. Return the folder."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        rows = [{"text": f"{name} {row}", "label": row % 2} for row in range(20)]
        write_rows(folder / name, rows)
    return str(folder)


def files_of(data, **given):
    """Read a table; return the names of the files behind each split, and the notes."""
    dev, test = given.pop("dev", None), given.pop("test", None)
    tables = make_tables(data, TableConfig(**COLUMNS, **given), dev=dev, test=test)
    found = {
        split: sorted({table.texts(row)[0].split()[0] for row in range(table.size)})
        for split, table in tables.splits().items()
    }
    return found, " / ".join(tables.notes)


OWN = {"train": ["train.csv"], "dev": ["dev.csv"], "test": ["test.csv"]}
USUAL = ("train.csv", "dev.csv", "test.csv")


@pytest.mark.parametrize(
    ("others", "unread"),
    [
        ([], ""),
        (["test-old.csv"], "test-old.csv is not read"),
        (["dev.v2.jsonl", "notes.tsv"], "dev.v2.jsonl, notes.tsv are not read"),
        (["training.csv"], "training.csv is not read"),
        (["old/train.csv", "old/test.csv"], "old/ is not read"),
        ([".train.csv", "._test.csv", "_dev.csv", "~test.csv", ".hidden/train.csv"], ""),
        (["train_more-00000-of-00001.parquet"], "train_more-*-of-00001.parquet is not read"),
    ],
)
def test_one_file_a_split_and_what_is_not_read_is_named(tmp_path, others, unread):
    (tmp_path / "README.md").touch()
    (tmp_path / "train.py").touch()
    found, notes = files_of(write(tmp_path, *USUAL, *others))
    assert found == OWN
    assert notes == (f"{tmp_path}: {unread}" if unread else "")


@pytest.mark.parametrize(
    ("files", "split", "named"),
    [
        (["train.csv", "train.jsonl"], "train", "train.csv, train.jsonl may be train"),
        (["train.csv", "test.csv", "test.parquet"], "test", "test.csv, test.parquet may be test"),
        (["train.csv", "dev.csv", "val.csv"], "dev", "dev.csv, val.csv may be dev"),
        (["train.csv", "Test.csv", "test.csv"], "test", "Test.csv, test.csv may be test"),
        (["train.csv", "data/train.csv"], "train", "train.csv, data/train.csv may be train"),
        (["train.csv", "test_final.csv"], "test", "test_final.csv may be test, of test_final.csv"),
        (["train.csv", "my-validation2.csv"], "dev", "my-validation2.csv may be dev"),
        (["train-1.csv", "train-2.csv", "dev.csv"], "train", "train-1.csv, train-2.csv may be tr"),
        (["train.csv", "test/a.csv", "test.csv"], "test", "test/, test.csv may be test"),
        (
            ["train.csv", "train-00000-of-00001.parquet"],
            "train",
            "train.csv, train-*-of-00001.parquet may be train",
        ),
    ],
)
def test_a_split_that_is_not_clear_is_refused_with_what_was_found(tmp_path, files, split, named):
    with pytest.raises(UserError) as refused:
        files_of(write(tmp_path, *files))
    message = str(refused.value)
    assert message.startswith(f"{tmp_path}: {named}") and "\n" not in message
    remedy = f"give {split} one of them, or {split}='none'" if split != "train" else "name one"
    assert remedy in message


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ([], "has no train.csv"),
        (["reviews.csv"], "has reviews.csv, but no train.csv .*name a file"),
        (["config/train.csv"], r"has config/, but no train.csv"),
        (["dev.csv", "test.csv"], "has no split 'train', but dev.csv, test.csv"),
        (["train/a.csv", "train/b.csv"], r"train: is a folder with a.csv, b.csv; name a file in"),
        (["train-00001-of-00002.csv"], r"train-\*-of-00002.csv: has no shard 0 of 2; add what is"),
        (
            ["train-00000-of-00001-aaaa.csv", "train-00000-of-00001-bbbb.csv"],
            r"train-\*-of-00001.csv: has more than one shard 0 of 1; remove all but one",
        ),
        (
            [f"train-0000{shard}-of-00002.csv" for shard in (0, 1, 2)],
            r"train-\*-of-00002.csv: has a shard 2 of 2; remove what is of another table",
        ),
        (["train-00000-of-00000.csv"], "has a shard 0 of 0; remove what is of another table"),
    ],
)
def test_no_table_for_train(tmp_path, files, message):
    with pytest.raises(UserError, match=message):
        files_of(write(tmp_path, *files))


@pytest.mark.parametrize("name", ["test.json", "test.csv.gz", "TEST.XLSX"])
def test_a_split_of_a_kind_that_is_not_read(tmp_path, name):
    folder = write(tmp_path, "train.csv")
    (tmp_path / name).touch()
    with pytest.raises(UserError, match=f"{name} may be test"):
        files_of(folder)
    with pytest.raises(UserError, match=f"{name}: its name ends in none of .csv"):
        files_of(folder, test=name)
    assert files_of(folder, test="none")[0]["test"] == ["train.csv"]


def test_a_choice_settles_it(tmp_path):
    folder = write(tmp_path, "train.csv", "dev.csv", "val.csv", "test_final.csv", "test.old.csv")
    chosen = {"train": ["train.csv"], "dev": ["val.csv"], "test": ["test_final.csv"]}
    found, notes = files_of(folder, dev="val", test="test_final.csv")
    assert found == chosen and notes == f"{tmp_path}: dev.csv, test.old.csv are not read"
    assert files_of(folder, dev="none", test="none")[0] == dict.fromkeys(OWN, ["train.csv"])
    inner = files_of(folder, dev=f"{folder}/val.csv", test=f"{folder}/test_final.csv")
    assert inner[0] == chosen
    write(tmp_path, "val.tsv")
    with pytest.raises(UserError, match="val may be val.csv, val.tsv; name one with its ending"):
        files_of(folder, dev="val", test="none")


def test_capitals_other_names_and_shards(tmp_path):
    names = [f"data/Train-0000{shard}-of-00002.parquet" for shard in (1, 0)]
    names += ["VALID.CSV", "data/test-00000-of-00001-a09b74b3.parquet"]
    found, notes = files_of(write(tmp_path, *names))
    assert found == {"train": sorted(names[:2]), "dev": names[2:3], "test": names[3:]}
    assert not notes


def rows(name, labels=(0, 1)):
    return [{"text": f"{name} {row}", "label": label} for row, label in enumerate(10 * labels)]


PARTS = {
    "train": rows("train"),
    "validation_matched": rows("m"),
    "validation_mismatched": rows("n"),
}


def test_parts_of_a_data_set_that_are_called_something_like_it():
    parts = PARTS | {"test_matched": rows("t", (-1, -1))}
    with pytest.raises(UserError, match="validation_matched, validation_mismatched may be dev, of"):
        files_of(parts)
    with pytest.raises(
        UserError, match="test_matched may be test, .* test='none' for a part of tr"
    ):
        files_of(parts, dev="validation_matched")
    found, notes = files_of(parts, dev="validation_matched", test="none")
    assert found == {"train": ["train"], "dev": ["m"], "test": ["train"]}
    assert notes == "data: validation_mismatched, test_matched are not read"


def test_a_test_without_labels_can_be_left_out():
    for label in (-1, None):
        parts = {"train": rows("train"), "validation": rows("v"), "test": rows("t", (label,))}
        with pytest.raises(UserError, match="test: no row has a label; leave it out with test='no"):
            files_of(parts)
        found, _ = files_of(parts, test="none", test_fraction=0.2)
        assert found == {"train": ["train"], "dev": ["v"], "test": ["train"]}
    numbers = {"train": rows("train", (-1, 1)), "test": rows("t", (-1,))}
    assert files_of(numbers)[0]["test"] == ["t"]


def test_the_only_part_is_taken_for_train():
    assert "test is taken for train" in files_of({"test": rows("t")})[1]


def test_names():
    assert [split_called(name) for name in ("VAL", "dev.tsv", "train.tsv.gz", "tests")] == [
        "dev",
        "dev",
        None,
        None,
    ]
