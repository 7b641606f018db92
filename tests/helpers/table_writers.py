"""Random tables, and how other libraries write them or hold them."""

import csv
import functools
import json
from collections.abc import Callable
from typing import NamedTuple

import datasets
import pandas
import polars
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
from hypothesis import strategies as st

datasets.disable_progress_bars()


class Case(NamedTuple):
    """A random table: names of its columns, its rows, and the order of classes in each split.

    A row is a text, a label and a confound. Orders are empty unless the values are classes.
    """

    names: tuple[str, str, str]
    splits: dict[str, list[tuple]]
    orders: dict[str, dict[str, list[str]]]

    def frame(self, split):
        """Return the columns of a split by name, with one that is not read."""
        columns = zip(*self.splits[split], strict=True)
        named = dict(zip(self.names, map(list, columns), strict=True))
        return {"other": list(range(len(self.splits[split]))), **named}

    def cells(self):
        """Return all cells of the table as strings."""
        return [str(cell) for rows in self.splits.values() for row in rows for cell in row]


PIECES = (
    *(",", ";", "\t", '"', '""', '","', "'", "|", "\\", " ", "0", "1", "a", "é", "e\u0301"),
    *("\n", "\r\n", "\n\n", "\x85", "\u2028", "\ufeff", "NA", "null", "None", "true", "[1, 2]"),
)
CHARACTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
STRINGS = st.lists(st.sampled_from(PIECES) | CHARACTERS, min_size=1, max_size=8).map("".join)
TEXTS = STRINGS.filter(str.strip)
WORDS = st.lists(TEXTS, min_size=1, max_size=3)
VALUES = TEXTS.filter(lambda text: text.strip() not in ("nan", "NaN"))
KINDS = {
    "strings": VALUES,
    "classes": VALUES.map(str.strip),
    "numerals": st.sampled_from(["1", "01", "1.0", "1.1", "1.10", "02134", "2134", "1e3", "-2"]),
    "integers": st.integers(-(2**40), 2**40) | st.integers(-3, 3),
    "floats": st.integers(-40, 40).map(lambda n: n / 8)
    | st.sampled_from([1e-5, 1e16, 123456789012.5, 0.1])
    | st.integers(-(2**40), 2**40).map(lambda n: n / 1000),  # of which pandas' JSON loses nothing
    "booleans": st.booleans(),
}
KINDS["mixed"] = st.one_of(*(KINDS[kind] for kind in ("strings", "integers", "floats", "booleans")))
NAMES = st.sampled_from(
    [("text", "label", "confound"), ("a text", "y", "c"), ("0", "1", "2"), ("文", "é", "x_y")]
)


@st.composite
def cases(draw, *writers):
    """Draw a table that each of some writers can write."""
    can_mix, can_list = (all(getattr(w, can) for w in writers) for can in ("can_mix", "can_list"))
    kinds = st.sampled_from([kind for kind in KINDS if can_mix or kind != "mixed"])
    names = draw(NAMES)
    columns, orders = [], {}
    for name in names[1:]:
        kind = draw(kinds)
        pool = draw(st.lists(KINDS[kind], min_size=1, max_size=4, unique_by=repr))
        columns.append(pool)
        if kind == "classes":
            orders[name] = list(dict.fromkeys(pool))
    text = WORDS if can_list and draw(st.booleans()) else TEXTS
    row = st.tuples(text, st.sampled_from(columns[0]), st.sampled_from([*columns[1], None]))
    splits, orders_of = {}, {}
    for split in draw(st.sampled_from([("train", "dev"), ("train", "dev", "test")])):
        splits[split] = draw(st.lists(row, min_size=2, max_size=7))
        orders_of[split] = {name: draw(st.permutations(order)) for name, order in orders.items()}
    return Case(names, splits, orders_of)


# What each library makes of one split


def of_pandas(case, split):
    frame = pandas.DataFrame(case.frame(split))
    for name, order in case.orders[split].items():
        frame[name] = pandas.Categorical(frame[name], categories=order)
    return frame


def of_pandas_objects(case, split):
    columns = {
        name: [pandas.NA if cell is None else cell for cell in column]
        for name, column in case.frame(split).items()
    }
    return pandas.DataFrame(columns, dtype=object)


def of_polars(case, split):
    enums = {name: polars.Enum(order) for name, order in case.orders[split].items()}
    return polars.DataFrame(case.frame(split), schema_overrides=enums)


def of_arrow(case, split):
    columns = {name: pa.array(column) for name, column in case.frame(split).items()}
    for name, order in case.orders[split].items():
        places = [None if cell is None else order.index(cell) for cell in columns[name].to_pylist()]
        columns[name] = pa.DictionaryArray.from_arrays(pa.array(places, pa.int32()), order)
    return pa.table(columns)


def of_datasets(case, split):
    data = datasets.Dataset.from_dict(case.frame(split))
    for name, order in case.orders[split].items():
        places = [-1 if cell is None else order.index(cell) for cell in data[name]]
        data = data.remove_columns(name).add_column(name, places)
        data = data.cast_column(name, datasets.ClassLabel(names=order))
    return data


def rows_of(case, split):
    columns = case.frame(split)
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


# How each is written to a file


def write_csv(case, split, path, **dialect):
    rows = rows_of(case, split)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0], **dialect)
        writer.writeheader()
        writer.writerows(rows)


def write_bare(case, split, path):
    rows = [case.frame(split), *(row.values() for row in rows_of(case, split))]
    lines = ["\t".join("" if cell is None else str(cell) for cell in row) for row in rows]
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8", newline="\n")


def write_jsonl(case, split, path):
    lines = [json.dumps(row, ensure_ascii=len(str(row)) % 2 == 0) for row in rows_of(case, split)]
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8", newline="\n")


def written_by(make, method, **settings):
    """Return a function that writes a split by a method of what ``make`` makes of it."""
    return lambda case, split, path: getattr(make(case, split), method)(path, **settings)


def csv_with(**dialect):
    """Return a function that writes a split with the csv module."""
    return lambda case, split, path: write_csv(case, split, path, **dialect)


def bare(text):
    """Return a text that needs no quotation marks in a .tsv."""
    return " ".join(text.replace("\r", "").split())


class Writer(NamedTuple):
    """A library's way to hold a table, or to write it to files.

    ``make`` returns an object for a split; or, if there is an ``ending``, writes a file of it.
    Values of several types in a column, and texts that are lists of words, are only for those who
    can write them.
    """

    make: Callable
    ending: str = ""
    can_mix: bool = False
    can_list: bool = False
    quoted: bool | None = None
    clean: Callable[[str], str] = str


def _writers_of_csv():
    pandas_csv = functools.partial(written_by, of_pandas, "to_csv", index=False)
    polars_csv = functools.partial(written_by, of_polars, "write_csv")

    def arrow_csv(case, split, path):
        pyarrow.csv.write_csv(pa.table(case.frame(split)), path)

    def datasets_csv(case, split, path):
        datasets.Dataset.from_dict(case.frame(split)).to_csv(path)

    excel = {"sep": ";", "encoding": "utf-8-sig", "lineterminator": "\r\n"}
    return {
        "csv": Writer(write_csv, ".csv", can_mix=True),
        "csv all quoted": Writer(csv_with(quoting=csv.QUOTE_ALL), ".csv", can_mix=True),
        "csv semicolons": Writer(csv_with(delimiter=";"), ".csv", can_mix=True),
        "csv tsv": Writer(csv_with(delimiter="\t"), ".tsv", can_mix=True, quoted=True),
        "bare tsv": Writer(write_bare, ".tsv", can_mix=True, clean=bare),
        "pandas csv": Writer(pandas_csv(), ".csv"),
        "pandas csv for Excel": Writer(pandas_csv(**excel), ".csv"),
        "pandas tsv": Writer(pandas_csv(sep="\t"), ".tsv", quoted=True),
        "polars csv": Writer(polars_csv(), ".csv"),
        "polars semicolons": Writer(polars_csv(separator=";"), ".csv"),
        "polars tsv": Writer(polars_csv(separator="\t", quote_style="always"), ".tsv", quoted=True),
        "arrow csv": Writer(arrow_csv, ".csv"),
        "datasets csv": Writer(datasets_csv, ".csv"),
    }


def _writers_of_json():
    rows = {"orient": "records", "lines": True, "double_precision": 15}

    def datasets_json(case, split, path):
        datasets.Dataset.from_dict(case.frame(split)).to_json(path)

    return {
        "json": Writer(write_jsonl, ".jsonl", can_mix=True, can_list=True),
        "pandas json": Writer(written_by(of_pandas, "to_json", **rows), ".jsonl", can_list=True),
        "pandas objects json": Writer(
            written_by(of_pandas_objects, "to_json", **rows), ".jsonl", can_mix=True
        ),
        "polars json": Writer(written_by(of_polars, "write_ndjson"), ".jsonl", can_list=True),
        "datasets json": Writer(datasets_json, ".jsonl", can_list=True),
    }


def _writers_of_parquet():
    def arrow_parquet(case, split, path):
        pq.write_table(of_arrow(case, split), path)

    return {
        "pandas parquet": Writer(written_by(of_pandas, "to_parquet"), ".parquet", can_list=True),
        "polars parquet": Writer(written_by(of_polars, "write_parquet"), ".parquet", can_list=True),
        "arrow parquet": Writer(arrow_parquet, ".parquet", can_list=True),
        "datasets parquet": Writer(
            written_by(of_datasets, "to_parquet"), ".parquet", can_list=True
        ),
        "datasets saved": Writer(written_by(of_datasets, "save_to_disk"), "/", can_list=True),
    }


WRITERS = {
    **_writers_of_csv(),
    **_writers_of_json(),
    **_writers_of_parquet(),
    "rows": Writer(rows_of, can_mix=True, can_list=True),
    "columns": Writer(Case.frame, can_mix=True, can_list=True),
    "pandas": Writer(of_pandas, can_list=True),
    "pandas objects": Writer(of_pandas_objects, can_mix=True, can_list=True),
    "pandas nullable": Writer(lambda *case: of_pandas(*case).convert_dtypes()),
    "pandas arrow": Writer(lambda *case: of_pandas(*case).convert_dtypes(dtype_backend="pyarrow")),
    "series": Writer(lambda *case: dict(of_pandas(*case).items()), can_list=True),
    "polars": Writer(of_polars, can_list=True),
    "arrow": Writer(of_arrow, can_list=True),
    "datasets": Writer(of_datasets, can_list=True),
}


@st.composite
def mixtures(draw):
    """Draw a table, and for each split a writer of its own."""
    named = [writer for name, writer in WRITERS.items() if name != "bare tsv"]  # others are quoted
    writers = draw(st.lists(st.sampled_from(named), min_size=3, max_size=3))
    case = draw(cases(*writers))
    return case, dict(zip(case.splits, writers, strict=False))
