"""Columns tell of their progress, as far as the number of rows is known."""

import pytest

from itune.tables.columns import read_columns
from itune.tables.objects import find_sources
from itune.tables.selection import Selection
from tests.helpers.table_cases import ROWS, write_rows


@pytest.mark.parametrize("ending", [".csv", ".jsonl", ".parquet"])
def test_progress(tmp_path, ending):
    path = write_rows(tmp_path / f"a{ending}", ROWS)
    told = []
    sources = find_sources(path, {name: [row[name] for row in ROWS] for name in ROWS[0]}, ROWS)
    read_columns(sources, Selection(("text",), ("stars",)), lambda *args: told.append(args))
    assert [(part, done) for part, done, _ in told] == [("rows", done) for done in (40, 80, 120)]
    assert all(120 <= total <= 120 + 2 * len(ROWS) for *_, total in told)
