"""Readers give back what csv, json, pandas and pyarrow have written."""

import csv
import json

import pandas
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from itune.tables.readers import READERS
from itune.tables.selection import Selection

# NUL is refused, and a carriage return may be part of the end of a line.
ANY = st.characters(codec="utf-8", exclude_characters="\0\r")
TEXT = st.text(st.one_of(st.sampled_from("ab,;\t\"'\n|\\ "), ANY), max_size=8)
ROWS = st.lists(st.tuples(TEXT, TEXT, st.integers(-9, 9)), min_size=1, max_size=6)
NAMES = ("a text", "b", "number")


def write_csv(path, rows):
    with path.open("w", newline="", encoding="utf-8") as file:
        delimiter = "\t" if path.suffix == ".tsv" else ","
        csv.writer(file, delimiter=delimiter).writerows([NAMES, *rows])


def write_pandas(path, rows):
    separator = "\t" if path.suffix == ".tsv" else ","
    pandas.DataFrame(rows, columns=NAMES).to_csv(path, index=False, sep=separator)


def write_semicolons(path, rows):
    pandas.DataFrame(rows, columns=NAMES).to_csv(path, index=False, sep=";")


def write_jsonl(path, rows):
    records = [dict(zip(NAMES, row, strict=True)) for row in rows]
    lines = [json.dumps(record, ensure_ascii=len(record["b"]) % 2 == 0) for record in records]
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8", newline="\n")


def write_pandas_jsonl(path, rows):
    pandas.DataFrame(rows, columns=NAMES).to_json(path, orient="records", lines=True)


def write_parquet(path, rows):
    columns = dict(zip(NAMES, zip(*rows, strict=True), strict=True))
    pq.write_table(pa.table({name: list(column) for name, column in columns.items()}), path)


@pytest.mark.parametrize(
    ("ending", "write"),
    [
        (".csv", write_csv),
        (".csv", write_pandas),
        (".csv", write_semicolons),
        (".tsv", write_csv),
        (".tsv", write_pandas),
        (".jsonl", write_jsonl),
        (".jsonl", write_pandas_jsonl),
        (".parquet", write_parquet),
    ],
)
def test_what_is_written_is_read(ending, write, tmp_path_factory):
    path = tmp_path_factory.mktemp("rows") / f"table{ending}"

    @settings(max_examples=30)
    @given(ROWS, st.permutations(NAMES))
    def check(rows, names):
        write(path, rows)
        read = [
            row
            for batch in READERS[ending].read(path, Selection(names))
            for row in batch.to_pylist()
        ]
        places = [NAMES.index(name) for name in names]
        wanted = [tuple(str(row[place]) for place in places) for row in rows]
        assert [tuple(row.values()) for row in read] == wanted

    check()
