"""Classes go by the names that their own split gives them, in whatever order it has them."""

import datasets
import numpy as np
import pandas
import polars
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from itune import UserError
from itune.tables.config import TableConfig
from itune.tables.table import make_tables

ORDERS = {
    "train": (["neg", "pos"], ["acme", "other", "third"]),
    "dev": (["pos", "neg"], ["third", "acme", "other"]),
    "test": (["pos", "neg"], ["new", "other", "acme"]),
}
ROWS = {
    "train": [("neg", "other"), ("pos", "acme"), ("pos", None), ("neg", "third")],
    "dev": [("pos", "acme"), ("neg", "third")],
    "test": [("neg", "new"), ("neg", "other"), ("pos", None)],
}


def data_set(split):
    """The rows with classes by number, in the split's own order."""
    labels, brands = ORDERS[split]
    features = datasets.Features(
        {
            "text": datasets.Value("string"),
            "label": datasets.ClassLabel(names=labels),
            "confound": datasets.ClassLabel(names=brands),
        }
    )
    rows = [
        {
            "text": f"{split} {row}",
            "label": labels.index(label),
            "confound": -1 if brand is None else brands.index(brand),
        }
        for row, (label, brand) in enumerate(ROWS[split])
    ]
    return datasets.Dataset.from_list(rows, features)


def as_dictionaries(split):
    columns = {"text": pa.array([f"{split} {row}" for row in range(len(ROWS[split]))])}
    for name, order, values in zip(
        ("label", "confound"), ORDERS[split], zip(*ROWS[split], strict=True), strict=True
    ):
        places = [None if value is None else order.index(value) for value in values]
        columns[name] = pa.DictionaryArray.from_arrays(pa.array(places, pa.int8()), order)
    return pa.table(columns)


def as_categories(split):
    frame = pandas.DataFrame(ROWS[split], columns=["label", "confound"])
    for name, order in zip(frame, ORDERS[split], strict=True):
        frame[name] = pandas.Categorical(frame[name], categories=order)
    return frame.assign(text=[f"{split} {row}" for row in range(len(frame))])


def as_parquet(split, folder):
    data_set(split).to_parquet(folder / f"{split}.parquet")
    return str(folder / f"{split}.parquet")


def as_saved(split, folder):
    data_set(split).save_to_disk(folder / split)
    return str(folder / split)


def as_parquet_dictionaries(split, folder):
    pq.write_table(as_dictionaries(split), folder / f"{split}.parquet")
    return str(folder / f"{split}.parquet")


KINDS = {
    "data sets": lambda split, _: data_set(split),
    "saved data sets": as_saved,
    "parquet of datasets": as_parquet,
    "arrow of datasets": lambda split, _: data_set(split).data.table,
    "arrow dictionaries": lambda split, _: as_dictionaries(split),
    "parquet of dictionaries": as_parquet_dictionaries,
    "pandas categories": lambda split, _: as_categories(split),
    "series of categories": lambda split, _: dict(as_categories(split).items()),
    "polars categories": lambda split, _: polars.from_arrow(as_dictionaries(split)),
}


def rows_of(tables):
    return {
        split: [
            (tables.label_names[y], None if c < 0 else tables.confound_names[c])
            for y, c in zip(table.label, table.confound, strict=True)
        ]
        for split, table in tables.splits().items()
    }


@pytest.mark.parametrize("kind", KINDS)
def test_each_split_goes_by_its_own_names(kind, tmp_path):
    train, dev, test = (KINDS[kind](split, tmp_path) for split in ORDERS)
    tables = make_tables(train, dev=dev, test=test)
    assert rows_of(tables) == ROWS
    assert tables.label_names == ("neg", "pos")
    assert tables.confound_names in (
        ("acme", "other", "third", "new"),  # in the order of the classes
        ("acme", "new", "other", "third"),
    )


@pytest.mark.parametrize("saves", [False, True])
def test_a_data_set_of_splits(saves, tmp_path):
    data = datasets.DatasetDict({split: data_set(split) for split in ORDERS})
    if saves:
        data.save_to_disk(tmp_path / "saved")
    tables = make_tables(tmp_path / "saved" if saves else data)
    assert rows_of(tables) == ROWS
    assert tables.confound_names == ("acme", "other", "third", "new")


def test_shards_of_parquet(tmp_path):
    for number, split in enumerate(ORDERS):
        data_set(split).to_parquet(tmp_path / f"train-0000{number}-of-00003.parquet")
    tables = make_tables(tmp_path, TableConfig(dev_fraction=0, test_fraction=0))
    assert rows_of(tables)["train"] == [row for rows in ROWS.values() for row in rows]


def test_names_and_classes(tmp_path):
    """Other splits may give the names as text, but not numbers of their own."""
    text = [{"text": "a", "label": "pos", "confound": "other"}]
    assert rows_of(make_tables(data_set("train"), dev=text, test=text))["dev"] == [("pos", "other")]
    numbers = [{"text": "a", "label": "pos", "confound": 1}]
    for train, dev in ((data_set("train"), numbers), (ROWS_OF_NUMBERS, data_set("dev"))):
        with pytest.raises(UserError, match=r"holds numbers such as \d, where that of (train|dev)"):
            make_tables(train, dev=dev, test=text)


ROWS_OF_NUMBERS = [{"text": f"a {i}", "label": i % 2, "confound": i % 3} for i in range(9)]


def test_a_class_without_a_name():
    table = data_set("train").data.table
    table = table.set_column(1, table.schema.field("label"), pa.array([0, 1, 2, 1]))
    with pytest.raises(UserError, match="column 'label' holds class 2, but has names for 2; name"):
        make_tables(table)


def test_notes_of_others_in_a_schema():
    for note in (b"", b"{", b"[]", b'{"info": {"features": {"label": {"_type": "ClassLabel"}}}}'):
        table = pa.table(
            {"text": ["a", "b"], "label": np.arange(2), "confound": [1, 2]}
        ).replace_schema_metadata({b"huggingface": note})
        assert make_tables(table).label_names == ("0", "1")
