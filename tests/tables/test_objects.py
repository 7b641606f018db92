"""Lists, columns, frames and data sets are the table that a file of the same rows is."""

import csv
import enum

import jax.numpy as jnp
import numpy as np
import pandas
import polars
import pyarrow as pa
import pytest

from itune import UserError
from itune.tables.config import TableConfig
from itune.tables.table import make_tables

ROWS = [
    {
        "id": i,
        "text": f"No. {i}, «x»",
        "label": i % 3,
        "confound": (None, "a", "b")[i % 2 + i % 3 % 2],
    }
    for i in range(40)
]
COLUMNS = {name: [row[name] for row in ROWS] for name in ROWS[0]}


def data_set():
    import datasets

    return datasets.Dataset.from_list(ROWS)


def frame():
    return pandas.DataFrame(COLUMNS)


KINDS = {
    "rows": lambda: ROWS,
    "tuple of rows": lambda: tuple(ROWS),
    "columns": lambda: COLUMNS,
    "arrays": lambda: COLUMNS | {"label": np.array(COLUMNS["label"]), "id": np.arange(40.0)},
    "series": lambda: {name: frame()[name] for name in COLUMNS},
    "frame": frame,
    "categories": lambda: frame().astype({"confound": "category"}),
    "objects": lambda: frame().astype(object),
    "missing as pandas writes it": lambda: [
        {name: pandas_na() if value is None else value for name, value in row.items()}
        for row in ROWS
    ],
    "frame with missing values of pandas": lambda: frame().fillna(value=pandas_na()),
    "nullable types": lambda: frame().convert_dtypes(),
    "arrow's types": lambda: frame().convert_dtypes(dtype_backend="pyarrow"),
    "numbers with missing ones": lambda: frame().astype({"label": "Int64"}),
    "polars": lambda: polars.DataFrame(COLUMNS),
    "series of polars": lambda: {name: polars.Series(of) for name, of in COLUMNS.items()},
    "categories of polars": lambda: polars.DataFrame(COLUMNS).cast(
        {"confound": polars.Categorical}
    ),
    "columns of arrow": lambda: dict(zip(COLUMNS, pa.table(COLUMNS).columns, strict=True)),
    "missing numbers": lambda: frame().assign(other=float("nan")),
    "arrow": lambda: pa.table(COLUMNS),
    "data set": data_set,
}


def pandas_na():
    return pandas.NA


@pytest.mark.parametrize("kind", ["rows", "columns", "frame"])
def test_names_that_are_numbers(kind, expected):
    """As those of a frame read without a header; in settings they are strings."""
    rows = [dict(enumerate(row.values())) for row in ROWS]
    data = {"rows": rows, "columns": dict(enumerate(COLUMNS.values())), "frame": None}[kind]
    data = pandas.DataFrame(rows) if data is None else data
    config = TableConfig(text="1", label="2", confound="3")
    assert contents(make_tables(data, config)) == expected
    with pytest.raises(UserError, match="has no column '4'"):
        make_tables(data, TableConfig(text="4", label="2", confound="3"))


def contents(tables):
    return tables.digest(), tables.label_names, tables.confound_names


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    path = tmp_path_factory.mktemp("file") / "a.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, ROWS[0])
        writer.writeheader()
        writer.writerows(ROWS)
    found = contents(make_tables(path))
    assert found[1:] == (("0", "1", "2"), ("a", "b"))
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_the_same_table(kind, expected):
    assert contents(make_tables(KINDS[kind]())) == expected


@pytest.mark.parametrize("kind", KINDS)
def test_splits(kind):
    data = KINDS[kind]()
    for tables in (
        make_tables(data, dev=ROWS[:3], test=data),
        make_tables({"train": data, "validation": ROWS[:3], "test": data, "more": ROWS}),
        make_tables({"train": data, "a": ROWS[:3], "b": data}, dev="a", test="b"),
    ):
        assert [table.size for table in tables.splits().values()] == [40, 3, 40]


def test_a_data_set_of_splits():
    import datasets

    data = datasets.DatasetDict({"train": data_set(), "test": data_set().select(range(5))})
    assert [table.size for table in make_tables(data).splits().values()] == [36, 4, 5]


def test_values():
    rows = [
        {"text": ["two", "words"], "label": np.int64(7), "confound": float("nan")},
        {"text": "one", "label": True},
        {"text": "three", "label": np.str_("x"), "confound": np.float32(1)},
    ]
    tables = make_tables(rows, TableConfig(dev_fraction=0, test_fraction=0))
    assert tables.train.texts(0) == ("two words",)
    assert tables.label_names == ("7", "true", "x") and tables.confound_names == ("1",)
    assert tables.train.confound.tolist() == [-1, -1, 0]


class Letter(str, enum.Enum):  # noqa: UP042
    A = "a"


class Digit(int, enum.Enum):
    ONE = 1


INSTANT = "2020-01-02T03:04:05.5"
TYPED = {
    "numpy float32": (lambda: np.array([0.1, np.nan], np.float32), "0.1"),
    "numpy float16": (lambda: np.array([0.1, np.nan], np.float16), "0.1"),
    "numpy longdouble": (lambda: np.array([0.5, np.nan], np.longdouble), "0.5"),
    "numpy masked": (lambda: np.ma.masked_array([0.5, 7], [0, 1]), "0.5"),
    "numpy days": (lambda: np.array(["2020-01-02", "nat"], "M8[D]"), "2020-01-02"),
    "numpy months": (lambda: np.array(["2020-01", "nat"], "M8[M]"), "2020-01-01"),
    "numpy nanoseconds": (
        lambda: np.array([INSTANT, "nat"], "M8[ns]"),
        "2020-01-02 03:04:05.500000",
    ),
    "list of nanoseconds": (
        lambda: [np.datetime64(INSTANT, "ns"), None],
        "2020-01-02 03:04:05.500000",
    ),
    "list of float16": (lambda: [np.float16(0.1), None], "0.1"),
    "list of members of enums": (lambda: [Letter.A, None], "a"),
    "list of numbers of enums": (lambda: [Digit.ONE, None], "1"),
    "list of jax": (lambda: [jnp.float32(0.1), None], "0.1"),
    "jax": (lambda: jnp.array([0.1, jnp.nan], jnp.float32), "0.1"),
    "pandas nullable": (lambda: pandas.Series([0.1, None], dtype="Float32"), "0.1"),
    "pandas array": (lambda: pandas.array([0.1, None], dtype="Float32"), "0.1"),
    "pandas arrow": (lambda: pandas.Series([0.1, None], dtype="float[pyarrow]"), "0.1"),
    "pandas category": (
        lambda: pandas.Series(np.array([0.1, np.nan], np.float32)).astype("category"),
        "0.1",
    ),
    "pandas category of objects": (
        lambda: pandas.Series(["a", None], dtype=object).astype("category"),
        "a",
    ),
    "pandas index": (lambda: pandas.Index([0.1, np.nan], dtype=np.float32), "0.1"),
    "polars": (lambda: polars.Series([0.1, None], dtype=polars.Float32), "0.1"),
    "polars objects": (lambda: polars.Series([Letter.A, None], dtype=polars.Object), "a"),
    "arrow": (lambda: pa.array([0.1, None], pa.float32()), "0.1"),
    "arrow chunks": (lambda: pa.chunked_array([[0.1], [None]], pa.float32()), "0.1"),
    "arrow float16": (lambda: pa.array(np.array([0.1, np.nan], np.float16)), "0.1"),
}


@pytest.mark.parametrize("kind", TYPED)
def test_values_are_spelt_in_their_own_precision(kind):
    make, text = TYPED[kind]
    data = {"text": ["x", "y"], "label": [0, 1], "confound": make()}
    tables = make_tables(data, TableConfig(dev_fraction=0, test_fraction=0))
    assert tables.confound_names == (text,) and tables.train.confound.tolist() == [0, -1]


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (
            pandas.Series(pandas.period_range("2020-01", periods=2, freq="M")),
            "holds extension<pandas.period.* no ",
        ),
        (np.array([1, 2], "m8[ns]"), "'label' is .*; make it a string or a number"),
        ([np.timedelta64(1, "ns")] * 2, "row 1: 'label' is .*; make it a string or a number"),
        ([np.datetime64(2**60, "s")] * 2, "row 1: 'label' is .*; make it a string or a number"),
        ([np.datetime64(1, "ns")] * 2, "row 1: 'label' is .*; make it a string or a number"),
        (pa.array([2**60] * 2).cast(pa.timestamp("s")), "which cannot be read as text"),
        (np.array([1j, 2j]), "row 1: 'label' is .*; make it a string or a number"),
        (jnp.ones((2, 2)), "'label' has 2 axes; give one value a row"),
    ],
)
def test_what_is_no_value_of_a_column(column, message):
    with pytest.raises(UserError, match=message) as error:
        make_tables({"text": ["x", "y"], "label": column, "confound": [0, 1]})
    assert "\n" not in str(error.value)


def test_long_columns():
    """Each batch is of the same rows of every column."""
    numbers = list(range(25_000))
    data = {"text": list(map(str, numbers)), "label": np.array(numbers) % 7, "confound": numbers}
    tables = make_tables(data, TableConfig(dev_fraction=0, test_fraction=0))
    assert [int(text) for batch in tables.train.batches() for text in batch[0]] == numbers
    assert tables.train.confound.tolist() == numbers
    np.testing.assert_array_equal(tables.train.label, data["label"])


def rows(**changes):
    return [*ROWS[:5], ROWS[5] | changes]


def test_values_of_many_types_in_one_column():
    labels = [1, "1", 1.0, "x", True, np.int8(1), 0.5]
    data = pandas.DataFrame({"text": list("abcdefg"), "label": labels})
    tables = make_tables(data, TableConfig(confound=None, dev_fraction=0, test_fraction=0))
    assert tables.label_names == ("0.5", "1", "true", "x")
    assert tables.train.label.tolist() == [1, 1, 1, 3, 2, 1, 0]


def test_columns_of_dicts_are_no_splits():
    """A column that is not read may hold anything."""
    found = make_tables(COLUMNS | {"more": [{"a": 1}] * 40})
    assert found.train.size == make_tables(COLUMNS).train.size


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (None, "train is of type NoneType; give a list of dicts, a dict of lists"),
        (iter(ROWS), "train is of type list_iterator; give"),
        ([], "train: has no row"),
        ({}, "has no column 'text', nor any other; give it some"),
        (["a", "b"], "train, row 1: is of type str, not a dict; give a list of dicts"),
        ([*ROWS[:3], 4], "train, row 4: is of type int"),
        (rows(text=""), "train, row 6: 'text' is empty"),
        (rows(text=float("nan")), "train, row 6: 'text' is empty"),
        (rows(text=b"a"), "train, row 6: 'text' is \"b'a'\"; make it a string or a number"),
        (rows(text={"a": 1}), "train, row 6: 'text' is {\"a\": 1}; make it a string or a number"),
        (rows(label=None), "train, row 6: 'label' is missing"),
        (rows(label=np.ones(2)), r"row 6: 'label' is a list, \[1.0, 1.0\]; one value a row"),
        (
            rows(label=[2, 27]),
            r"train, row 6: 'label' is a list, \[2, 27\]; one value a row is need",
        ),
        (
            rows(confound=("joy", "anger")),
            r'row 6: \'confound\' is a list, \["joy", "anger"\]; one',
        ),
        (
            rows(text=["a", 1]),
            r"train, row 6: 'text' is \[\"a\", 1\]; make it a string or a number",
        ),
        (rows(text="\ud800"), "train, row 6: 'text' holds half a surrogate pair"),
        ([{"txt": "a", "label": 1, "confound": 1}], "has no column 'text'; did you mean 'txt'"),
        (COLUMNS | {"label": [1]}, r"columns differ in length \('text' 40 and 'label' 1 and"),
        (COLUMNS | {"label": "abc"}, "train: 'label' is of type str; make it a list"),
        (COLUMNS | {"label": (y for y in [1])}, "train: 'label' is of type generator; make it"),
        (COLUMNS | {"label": np.ones((40, 2))}, "train: 'label' has 2 axes; give one value a row"),
        (COLUMNS | {"label": 3}, "train: 'label' is of type int; make it a list"),
        ({"train": ROWS, "dev": []}, "train, dev: has no row; leave it out, or give its rows"),
        ({"train": ROWS, "dev": None}, "train, dev: has no row; leave it out"),
        ({"train": None}, "has no column 'text'; set text, label and confound"),
        ({"a": ROWS, "b": ROWS}, "data: has no split 'train', but a, b"),
        (
            pa.table({"text": [{"a": 1}], "label": [1], "confound": [1]}),
            "column 'text' holds struct",
        ),
    ],
)
def test_bad_objects(data, message):
    with pytest.raises(UserError, match=message) as error:
        make_tables(data, on_progress=lambda what, done, total: None)
    assert "\n" not in str(error.value)


def test_bad_frames():
    lists = frame().assign(label=[(2, 27)] * 40)
    with pytest.raises(UserError, match=r"train, row 1: 'label' is a list, \[2, 27\]; one value"):
        make_tables(lists)
    texts = frame()["text"]
    with pytest.raises(UserError, match="its Series differ in their index; make them a DataFrame"):
        make_tables(COLUMNS | {"text": texts, "label": frame()["label"][::-1]})
    with pytest.raises(UserError, match="has no column 'label'; did you mean 'lable'"):
        make_tables(frame().rename(columns={"label": "lable"}))
    with pytest.raises(UserError, match="has two columns 'text'"):
        make_tables(
            pandas.DataFrame([["a", "b", 1, 1]], columns=["text", "text", "label", "confound"])
        )


def test_no_pandas_is_imported(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "pandas", None)
    monkeypatch.setitem(sys.modules, "polars", None)
    assert make_tables(ROWS).train.size == make_tables(COLUMNS).train.size == 32
