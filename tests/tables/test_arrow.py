"""Columns in a file, and what counts as text."""

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
        (pa.array([1.0, 0.5, float("nan")]), ["1", "0.5", "nan"]),
        (pa.array([True, False]), ["true", "false"]),
        (pa.array(["a", "b", "a"]).dictionary_encode(), ["a", "b", "a"]),
        (pa.array([["a", "b"], []]), ["a b", ""]),
        (pa.array([b"a"]), ["a"]),
        (pa.array([None, None]), [None, None]),
    ],
)
def test_as_text(column, text):
    assert arrow.as_text(column, "x", "t").to_pylist() == text


NOT_TEXT = [
    pa.array([{"a": 1}]),
    pa.array([[[1]]]),
    pa.array([b"\xff"]),
    pa.array([b"\xff"]).view(pa.string()),  # as a file may have it, unchecked
]


@pytest.mark.parametrize("column", NOT_TEXT)
def test_not_text(column):
    with pytest.raises(UserError, match="^t: column 'x' holds .*name a column of text"):
        arrow.as_text(column, "x", "t")


def test_blank():
    column = pa.array(["a", "", " \n\u2003", None, " b "], pa.large_string())
    assert arrow.is_blank(column).to_pylist() == [False, True, True, True, False]
