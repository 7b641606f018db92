"""CSV, JSON lines, Parquet and saved data sets give the same columns, or one line of error."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from itune import UserError
from itune.tables import sources
from itune.tables.arrow import ROWS as ROWS_OF_BATCH
from itune.tables.readers import READERS
from itune.tables.selection import Selection
from itune.tables.sources import open_splits
from itune.tables.table import make_tables
from tests.helpers.table_cases import ROWS, write_rows

EXPECTED = {
    "0": [row["text"] for row in ROWS],
    "1": [row["brand"] for row in ROWS],
}


def read(path, names=("text", "brand"), split="train"):
    batches = list(open_splits(str(path))[split].read(Selection(tuple(names), quoted=True)))
    return pa.Table.from_batches(batches).to_pydict()


@pytest.mark.parametrize("ending", READERS)
def test_formats_agree(tmp_path, ending):
    found = read(write_rows(tmp_path / f"a{ending}", ROWS))
    assert found["0"] == EXPECTED["0"]
    assert [value or None for value in found["1"]] == EXPECTED["1"]


@pytest.mark.parametrize("ending", READERS)
def test_a_misspelt_column(tmp_path, ending):
    path = write_rows(tmp_path / f"a{ending}", ROWS)
    with pytest.raises(UserError, match=r"a\..*: has no column 'brnd'; did you mean 'brand'\?"):
        read(path, ["text", "brnd"])
    with pytest.raises(UserError, match="set text, label and confound .* to some of .*'brand'"):
        read(path, ["xyzzy"])


@pytest.mark.parametrize("rows", [1, ROWS_OF_BATCH + 1])
def test_a_misspelt_text_of_many_rows(tmp_path, rows):
    path = write_rows(tmp_path / "a.jsonl", rows * [{"txt": "a", "label": 0, "confound": 1}])
    for data in (path, rows * [{"txt": "a", "label": 0, "confound": 1}]):
        with pytest.raises(UserError, match="1: has no column 'text'; did you mean 'txt'"):
            make_tables(data)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "a.csv: is empty"),
        (b"text,brand\na,b\n\nc\n", "line 4: has 1 field but the header 2"),
        (b'text,brand\n"a\nb",c\na,b,c\n', "line 4: has 3 fields but the header 2"),
        (b'text,brand\na,b\n"a,b\nc,d\n', r"line 3: is no CSV \(unexpected end of data\)"),
        (b'text,brand\n"a"b,c\n', "line 2: is no CSV .*close every quote"),
        (b"text,brand\na,\xe9\n", "line 2: is not UTF-8"),
        (b"text,brand\na\0,b\n", "line 2: holds a NUL byte"),
        ("text,brand\na,b\n".encode("utf-16"), "line 1: (holds a NUL byte|is not UTF-8)"),
        (b"text,brand,text\na,b,c\n", "has two columns 'text'"),
        (b"a\rb", "line 1: holds a carriage return"),
    ],
)
def test_malformed_csv(tmp_path, content, message):
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(UserError, match=message):
        read(tmp_path / "a.csv")


@pytest.mark.parametrize(
    "content",
    [
        "\ufeff text ,brand\r\na,b\r\n",
        "text;x,y;brand\na;1;b\n",
        "text\tbrand\na\tb",
        '"text","brand"\n\n"a","b"\n',
    ],
)
def test_other_ways_to_write_csv(tmp_path, content):
    (tmp_path / "a.csv").write_bytes(content.encode())
    assert read(tmp_path / "a.csv") == {"0": ["a"], "1": ["b"]}


LONG = "word " * 40_000
TEXTS = [LONG, '<p class="x">a, b</p>\n', "👩‍👩‍👧 ok", "שלום, עולם", "a;b\tc"]


@pytest.mark.parametrize(
    "text", [LONG, '<p class="x">a, b</p>\n', "👩‍👩‍👧 ok", "שלום, עולם", "a;b\tc"]
)
@pytest.mark.parametrize("ending", READERS)
def test_any_text(tmp_path, ending, text):
    path = write_rows(tmp_path / f"a{ending}", [{"text": text, "brand": "b"}])
    assert read(path, ["text"]) == {"0": [text]}


def test_json_values(tmp_path):
    values = ["a", 3, 0.5, True, None, ["two", "words"], float("nan")]
    lines = [json.dumps({"text": value, "brand": ""}) for value in values]
    (tmp_path / "a.jsonl").write_text("\n\n".join([*lines, '{"brand": "b"}']))
    found = read(tmp_path / "a.jsonl")["0"]
    assert found == ["a", "3", "0.5", "true", None, "two words", None, None]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "line 2: not JSON"),
        ("[1]", "line 2: holds a list"),
        ('{"text": {}}', "line 2: 'text' is {}; make it a string or a number"),
        ('{"text": "\\ud800"}', "line 2: 'text' holds half a surrogate pair"),
        ('{"text": ["\\ud800"]}', "line 2: 'text' holds half a surrogate pair"),
        ('{"text": ' + "1" * 5000 + "}", "line 2: not JSON"),
        ("[" * 100_000, "line 2: not JSON"),
    ],
)
def test_malformed_jsonl(tmp_path, line, message):
    (tmp_path / "a.jsonl").write_text('{"text": "a"}\n' + line)
    with pytest.raises(UserError, match=message):
        read(tmp_path / "a.jsonl", ["text"])


def test_a_parquet_file_that_is_none(tmp_path):
    (tmp_path / "a.parquet").write_text("text,brand\n")
    with pytest.raises(UserError, match="is no Parquet file that can be read"):
        read(tmp_path / "a.parquet")
    pq.write_table(pa.table({"text": [{"a": 1}]}), tmp_path / "b.parquet")
    with pytest.raises(UserError, match="column 'text' holds struct"):
        read(tmp_path / "b.parquet", ["text"])


def test_one_column_twice(tmp_path):
    for ending in READERS:
        path = write_rows(tmp_path / f"a{ending}", [{"text": "a", "brand": "b"}])
        assert read(path, ["text", "text"]) == {"0": ["a"], "1": ["a"]}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("none.csv", "no such file"),
        ("a.xlsx", "its name ends in none of .csv, .tsv, .jsonl, .parquet"),
        ("empty", "has no train.csv .*; name a file, or a folder that datasets has saved"),
        ("broken", "is no data set that can be read .*save it again"),
    ],
)
def test_no_source(tmp_path, name, message):
    (tmp_path / "a.xlsx").touch()
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "state.json").touch()
    with pytest.raises(UserError, match=message):
        open_splits(str(tmp_path / name))


def test_a_name_that_is_nearly_one_here_is_not_asked_of_the_hub(tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "load_hub", None)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "complaints.csv").touch()
    for name, near in (("revews", "reviews"), ("complaint.csvs", "complaints.csv")):
        with pytest.raises(UserError, match=f"task {name}; did you mean {near}\\? A data set of"):
            open_splits(name)


def test_a_name_without_network():
    with pytest.raises(UserError, match="cannot load some/thing from the hub .*give a file or a"):
        open_splits("some/thing")
