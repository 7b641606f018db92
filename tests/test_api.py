"""The commands as functions, the predictor and the estimator: from rows to predictions."""

import json
import shutil
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

import itune
from itune import UserError
from itune import api as commands
from itune.auditing.model import OTHER_ROWS
from itune.tables.config import TableConfig
from itune.tables.table import make_tables
from tests.helpers import tuning_cases
from tests.helpers.table_cases import write_rows

ROWS = tuning_cases.make_rows()
COLUMNS, SETTINGS = tuning_cases.COLUMNS, tuning_cases.SETTINGS
AUDIT = {"sample": 8, "draws": 20, "whole": "never"}
TEXTS = [row["review"] for row in ROWS]
LABELS = [row["stars"] for row in ROWS]
BRANDS = [row["brand"] or None for row in ROWS]


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    encoder = tuning_cases.make_encoder(tmp_path_factory.mktemp("encoder"))
    return SETTINGS | {"encoder": str(encoder)}


@pytest.fixture(scope="module")
def tuned(tmp_path_factory, settings):
    out = tmp_path_factory.mktemp("run") / "tuned"
    return commands.tune(ROWS, out, method="finetuning", settings=settings, **COLUMNS)


def test_describe():
    found = commands.describe({name: [row[name] for row in ROWS] for name in ROWS[0]}, **COLUMNS)
    assert found.label_names == tuning_cases.LABELS and len(found.to_rows()) == 4
    tables = make_tables(ROWS, TableConfig(**COLUMNS))
    assert commands.describe(tables) == found
    with pytest.raises(UserError, match="text is given, but the table is read already"):
        commands.describe(tables, text="review")
    with pytest.raises(UserError, match="dev is given"):
        commands.describe(tables, dev=ROWS)
    with pytest.raises(UserError, match="train is given, but data has the training rows"):
        commands.describe(ROWS, train="a.csv")
    with pytest.raises(UserError, match=r"txt is not a key; did you mean text\?"):
        commands.describe(ROWS, txt="review")


def test_tune(tuned):
    assert tuned.label_names == tuning_cases.LABELS and tuned.accuracies["test"].size
    rows = tuned.to_rows()
    assert {row["split"] for row in rows} == {"train", "dev", "test"}
    assert rows[0].keys() == {"split", "label", "confound", "accuracy", "size"}
    about = json.loads((tuned.folder / "config.json").read_text())
    assert about["table"]["text"] == "review"


class Sizes(NamedTuple):
    """What stands for an audit: the rows that it was given."""

    sizes: dict[str, int]
    digest: str


@pytest.fixture
def no_measures(monkeypatch):
    """Audits read their table, and no more."""

    def sizes(folder, tables, *_, **__):
        return Sizes({name: rows.size for name, rows in tables.splits().items()}, tables.digest())

    monkeypatch.setattr(commands, "audit_model", sizes)


@pytest.mark.usefixtures("no_measures")
@pytest.mark.parametrize("columns", [COLUMNS, {}])
@pytest.mark.parametrize("form", ["rows", "columns", "file", "tables"])
def test_audit_of_the_rows_of_a_run(tuned, form, columns, tmp_path):
    """The folder tells the columns and the split, whatever the rows come in."""
    data = {
        "rows": lambda: ROWS,
        "columns": lambda: {name: [row[name] for row in ROWS] for name in ROWS[0]},
        "file": lambda: write_rows(tmp_path / "rows.csv", ROWS),
        "tables": lambda: make_tables(ROWS, TableConfig(**COLUMNS)),
    }[form]()
    columns = {} if form == "tables" else columns
    found = commands.audit(tuned.folder, data, **columns)
    assert found.sizes == {"train": 52, "dev": 6, "test": 6}
    assert found.digest == tuned.digest


@pytest.mark.usefixtures("no_measures")
def test_audit_of_a_table_by_name(tuned, tmp_path):
    folder, table = tmp_path / "run", write_rows(tmp_path / "rows.csv", ROWS)
    with pytest.raises(UserError, match="was trained on rows given in Python, which it does not k"):
        commands.audit(tuned.folder)
    with pytest.raises(UserError, match="nowhere does not exist; give the folder of a finetuned"):
        commands.audit("nowhere")
    shutil.copytree(tuned.folder, folder)
    about = json.loads((folder / "config.json").read_text())
    about["table"]["train"] = str(table)
    (folder / "config.json").write_text(json.dumps(about))
    found = commands.audit(folder)
    assert found.digest == tuned.digest
    other = write_rows(tmp_path / "other.csv", ROWS)
    found = commands.audit(folder, other, **COLUMNS)
    assert found.sizes["train"] == 64


@pytest.mark.parametrize(
    ("data", "dev", "train", "noted"),
    [
        ("a.csv", None, "a.csv", "auto"),
        (Path("a.csv"), "validation", "a.csv", "validation"),
        ("a.csv", ROWS, "", "auto"),
        (ROWS, Path("dev.csv"), "", "dev.csv"),
    ],
)
def test_what_tune_notes_of_a_table(data, dev, train, noted, monkeypatch):
    """A name only where all parts have one, so that the table can be read again."""
    monkeypatch.setattr(commands, "_tables", lambda *_: None)
    monkeypatch.setattr(commands, "tune_on", lambda *arguments: arguments[-1].about)
    about = commands.tune(data, "out", dev=dev, **COLUMNS)["table"]
    assert (about["train"], about["dev"], about["text"]) == (train, noted or "auto", "review")


@pytest.mark.usefixtures("known_costs")
def test_audit(tuned):
    found = commands.audit(tuned.folder, ROWS[1:], settings=AUDIT, test_fraction=0, **COLUMNS)
    assert list(found.sizes) == ["train", "dev"] and found.verdict
    assert found.notes == (OTHER_ROWS,)
    rows = found.to_rows()
    assert {row["confound"] for row in rows} >= set(tuning_cases.BRANDS)
    assert all(row["low"] - 1e-9 <= row["accuracy"] <= row["high"] + 1e-9 for row in rows)
    with pytest.raises(UserError, match=r"settings: smple is not a key; did you mean sample\?"):
        commands.audit(tuned.folder, ROWS, settings={"smple": 16}, **COLUMNS)


def test_compare(tmp_path, settings):
    methods = ("finetuning", "balanced_sampling")
    found = commands.compare(
        ROWS,
        tmp_path / "c",
        methods=methods,
        seeds=list(np.array([1])),
        settings=settings,
        **COLUMNS,
    )
    assert [(row["method"], row["seed"]) for row in found.to_rows()] == [(m, 1) for m in methods]
    assert found.to_rows()[0]["test"] == found.methods[0].runs[0].accuracies["test"].accuracy


def test_load(tuned):
    predictor = itune.load(tuned.folder)
    assert predictor.labels == tuning_cases.LABELS and predictor.max_length == 8
    probabilities = predictor.predict_proba(TEXTS)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    named = np.array(predictor.labels)[probabilities.argmax(axis=1)]
    np.testing.assert_array_equal(predictor.predict(TEXTS), named)
    np.testing.assert_array_equal(itune.load(tuned.model).predict(TEXTS), named)
    assert predictor.predict([]).shape == (0,) and predictor.predict_proba([]).shape == (0, 2)
    again = predictor.logits(np.array(TEXTS[::-1]))[::-1]
    np.testing.assert_allclose(again, predictor.logits(TEXTS), atol=1e-6)
    is_right = predictor.predict(TEXTS) == LABELS
    sizes = {name: split.size for name, split in tuned.accuracies.items()}
    right = sum(split.accuracy * sizes[name] for name, split in tuned.accuracies.items())
    assert is_right.sum() == round(right)


def test_pairs(tuned):
    predictor = itune.load(tuned.folder)
    pairs = [("acme", "is fine"), ("umbrella", "is poor")]
    assert predictor.predict(pairs).shape == (2,)
    assert not np.allclose(predictor.logits(pairs), predictor.logits(["acme is fine"] * 2))


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ("a text", "texts is of type str; give a list"),
        (7, "texts is of type int; give a list"),
        ({"a": 1}, "texts is of type dict; give a list"),
        (np.array([["a", "b"]]), "texts has 2 axes; give a text, or a tuple of two, in each row"),
        (["a", "\ud800"], "text 2 of 2 holds half a surrogate pair"),
        (["a", 3], "text 2 of 2 is of type int; make it a string"),
        (["a", ("b", "c")], "text 2 of 2 is of type tuple; make it a string"),
        ([("a", "b"), "c"], "text 2 of 2 is of type str; make it a pair of strings"),
        ([("a", "b"), ("c", "d", "e")], "text 2 of 2 is 3 values; make it a pair of strings"),
        ([None], "text 1 of 1 is of type NoneType; make it a string"),
    ],
)
def test_no_texts(tuned, texts, message):
    with pytest.raises(UserError, match=message):
        itune.load(tuned.folder).predict(texts)


@pytest.mark.parametrize("folder", [None, 5])
def test_no_folders(tuned, folder):
    message = f"out must name a folder, got a value of type {type(folder).__name__}"
    for command in (commands.tune, commands.compare):
        with pytest.raises(UserError, match=message):
            command(ROWS, folder, **COLUMNS)
    if folder is not None:
        with pytest.raises(UserError, match="keep must name a folder, got a value of type int"):
            commands.audit(tuned.folder, keep=folder)


@pytest.mark.parametrize("method", [["finetuning"], None])
def test_no_methods(tmp_path, method):
    with pytest.raises(UserError, match="method must be one of finetuning, .*, got "):
        commands.tune(ROWS, tmp_path, method=method, **COLUMNS)


def test_nothing_to_load(tmp_path):
    with pytest.raises(UserError, match="does not exist; give the folder of a finetuned"):
        itune.load(tmp_path / "none")
    with pytest.raises(UserError, match="model must name a folder, got a value of type NoneType"):
        itune.load(None)
    assert not hasattr(itune, "nothing")
