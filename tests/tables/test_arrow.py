"""Columns in a file, and what counts as text."""

import datetime
import decimal
import errno

import pyarrow as pa
import pytest

from itune import UserError
from itune.tables import arrow


def test_a_spooled_table_outlives_its_file(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    rows = [("a", "1"), (None, "2"), ("ü", None)] * 5000
    table = arrow.spool(arrow.from_rows(rows, 2), ["x", "y"])
    assert not list(tmp_path.iterdir())
    assert table.to_pydict() == {"x": [x for x, _ in rows], "y": [y for _, y in rows]}


def test_no_room(monkeypatch):
    def full(**_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("tempfile.NamedTemporaryFile", full)
    with pytest.raises(UserError, match="cannot hold the table .*No space left.*TMPDIR"):
        arrow.spool([], ["x"])


@pytest.mark.parametrize(
    ("column", "text"),
    [
        (pa.array([1, None]), ["1", None]),
        (pa.array([1.0, 0.5, float("nan"), None]), ["1", "0.5", None, None]),
        (pa.array([0.1, 123456.5], pa.float32()), ["0.1", "123456.5"]),
        (pa.array([123456789012.5, 1e-5, 1e16]), ["123456789012.5", "1e-05", "1e+16"]),
        (pa.array([decimal.Decimal("1.10")]), ["1.10"]),
        (pa.array([datetime.date(2020, 1, 2)]), ["2020-01-02"]),
        (pa.array([datetime.datetime(2020, 1, 2, 3)]), ["2020-01-02 03:00:00"]),
        (pa.array([True, False]), ["true", "false"]),
        (pa.array(["a", "b", "a"]).dictionary_encode(), ["a", "b", "a"]),
        (pa.array([["a", "b"], [], None]), ["a b", "", None]),
        (pa.array([["a", "b"]], pa.large_list(pa.large_string())), ["a b"]),
        (pa.array([["a"]], pa.list_(pa.dictionary(pa.int8(), pa.string()))), ["a"]),
        (pa.array([b"a"]), ["a"]),
        (pa.array([None, None]), [None, None]),
    ],
)
def test_as_text(column, text):
    assert arrow.as_text(column, "x", "t", is_text=True).to_pylist() == text


NOT_TEXT = [
    pa.array([{"a": 1}]),
    pa.array([b"\xff"]),
    pa.array([b"\xff"]).view(pa.string()),  # as a file may have it, unchecked
]


@pytest.mark.parametrize("column", NOT_TEXT)
def test_not_text(column):
    with pytest.raises(UserError, match="^t: column 'x' holds .*name a column of text"):
        arrow.as_text(column, "x", "t", is_text=True)


@pytest.mark.parametrize(
    "kind",
    [
        pa.list_(pa.int64()),
        pa.large_list(pa.int8()),
        pa.list_(pa.int64(), 2),
        pa.list_view(pa.int64()),
        pa.list_(pa.dictionary(pa.int8(), pa.int64())),
    ],
)
def test_a_list_is_no_label(kind):
    with pytest.raises(UserError, match=r"^t: 'x' is a list, \[2, 27\]; one value a row is needed"):
        arrow.as_text(pa.array([None, [2, 27]], kind), "x", "t", is_text=False)
    with pytest.raises(UserError, match=r"^t: 'x' is \[2, 27\]; make it a string or a number"):
        arrow.as_text(pa.array([[2, 27]], kind), "x", "t", is_text=True)


def test_blank():
    column = pa.array(["a", "", " \n\u2003", None, " b "], pa.large_string())
    assert arrow.is_blank(column).to_pylist() == [False, True, True, True, False]
