"""All further columns are found in whatever a table is read from."""

import pytest

from itune import UserError
from itune.tables.config import TableConfig
from itune.tables.further import read_further
from tests.helpers.table_cases import write_rows

ROWS = [{"text": f"t{n}", "label": n % 2, "kind": "ab"[n // 2], "size": n} for n in range(4)]
COLUMNS = {name: [row[name] for row in ROWS] for name in ROWS[0]}


def frame(name):
    return pytest.importorskip(name).DataFrame(COLUMNS)


@pytest.mark.parametrize(
    "form", ["csv", "tsv", "jsonl", "parquet", "rows", "lists", "pandas", "polars"]
)
def test_all_columns_that_are_not_named_otherwise(form, tmp_path):
    if form in ("csv", "tsv", "jsonl", "parquet"):
        data = str(write_rows(tmp_path / f"table.{form}", ROWS))
    else:
        data = {"rows": lambda: ROWS, "lists": lambda: COLUMNS}.get(form, lambda: frame(form))()
    found = read_further(data, TableConfig(confound=None), None)
    assert list(found.columns) == ["kind", "size"] and not found.left_out
    codes, names = found.columns["kind"]
    assert codes["train"].tolist() == [0, 0, 1, 1] and names == ("a", "b")
    assert list(read_further(data, TableConfig(confound="kind"), None).columns) == ["size"]


def test_a_long_column_that_names_its_rows_is_not_numbered(monkeypatch):
    monkeypatch.setattr("itune.tables.further.LONG", 4)
    rows = [row | {"id": f"u{row['size']}", "share": row["size"] / 3} for row in ROWS]
    found = read_further(rows, TableConfig(confound=None), None)
    assert list(found.columns) == ["kind", "share"]
    assert found.left_out == dict.fromkeys(("size", "id"), "nearly all values differ")
    assert [*read_further(rows, TableConfig(confound=None), ["id"]).columns] == ["id"]


def test_columns_that_cannot_be_read_or_are_not_everywhere():
    rows = [row | {"tags": ["x", "y"], "late": "1"} for row in ROWS]
    found = read_further(
        rows, TableConfig(confound=None), None, dev=[row | {"tags": ["x"]} for row in ROWS]
    )
    assert list(found.columns) == ["kind", "size"]
    assert found.left_out == {"late": "missing in dev", "tags": "no single values"}
    with pytest.raises(UserError, match="has no column 'sort'"):
        read_further(rows, TableConfig(confound=None), ["sort"])
