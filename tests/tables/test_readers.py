"""A damaged file is read as a table, or refused in one line that names the file."""

import numpy as np
import pytest

from itune import UserError
from itune.tables.config import TableConfig
from itune.tables.describe import describe_tables
from itune.tables.readers import READERS
from itune.tables.table import read_tables
from tests.helpers.table_cases import ROWS, write_rows

SPLINTERS = [b"\0", b'"', b",", b"\n", b"\r", b"\xff", b"\\u", b"\\ud800", b"{", b"]", b"1e999"]


def mutate(rng, good):
    """Return a file's bytes after one to three random cuts, repeats, overwrites or inserts."""
    data = bytearray(good)
    for _ in range(rng.integers(1, 4)):
        first, last = sorted(rng.integers(0, len(data) + 1, 2))
        last = min(last, first + int(rng.integers(0, 40)))
        kind = rng.integers(4)
        if kind == 0:
            del data[first:last]
        elif kind == 1:
            data[last:last] = data[first:last]
        elif kind == 2:
            data[first:last] = rng.bytes(last - first)
        else:
            data[first:first] = SPLINTERS[rng.integers(len(SPLINTERS))]
    return bytes(data)


@pytest.mark.parametrize("ending", READERS)
def test_a_damaged_file_is_a_table_or_an_error_of_one_line(tmp_path, ending):
    rng = np.random.default_rng(0)
    path = write_rows(tmp_path / f"a{ending}", ROWS)
    good, read, refused = path.read_bytes(), 0, 0
    config = TableConfig(
        str(path), label="stars", confound="brand", quoted=ending == ".tsv" or None
    )
    for _ in range(150):
        path.write_bytes(mutate(rng, good))
        try:
            describe_tables(read_tables(config))
            read += 1
        except UserError as error:
            assert str(path) in str(error) and len(str(error)) < 1000
            refused += 1
    assert read > 5 and refused > 5
