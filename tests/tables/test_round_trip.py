"""What other libraries write is read as it was, or refused in one line where it cannot be known.

By hand, for many more tables: ``python -m tests.tables.test_round_trip 10000``.
"""

import sys
import traceback
import unicodedata
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings

from itune import UserError
from itune.tables import TableConfig, make_tables
from tests.helpers.table_writers import WRITERS, cases

REFUSED = {
    "holds a carriage return": lambda text: "\r" in text,
    "quotation marks seem to enclose": lambda text: '""' in text,
    "over what look like rows": lambda text: "\n" in text,
    "no row has a label": lambda text: text in ("-1", "-1.0"),
}
"""Why a table may be refused, and what one of its cells must be like then."""


def read(case, writer, folder):
    """Write a table and read it."""
    for split in case.splits:
        if writer.ending == "/":
            writer.make(case, split, folder / split)
        elif writer.ending:
            writer.make(case, split, folder / f"{split}{writer.ending}")
    if writer.ending == "/":
        data = {split: str(folder / split) for split in case.splits}
    else:
        data = {split: writer.make(case, split) for split in case.splits if not writer.ending}
    names = dict(zip(("text", "label", "confound"), case.names, strict=True))
    config = TableConfig(**names, dev_fraction=0, test_fraction=0, quoted=writer.quoted)
    return make_tables(
        folder if writer.ending not in ("", "/") else data.pop("train"), config, **data
    )


def is_same(name, value, notes):
    """Return whether a label or confound was read as it was written."""
    if isinstance(value, bool):
        return name.lower() == str(value).lower()
    if not isinstance(value, str):
        return float(name) == value
    value = unicodedata.normalize("NFC", value.strip())
    return name == value or (f"{name}.0" == value and any(" as " in note for note in notes))


def require_same(case, tables):
    for split, rows in case.splits.items():
        table = tables.splits()[split]
        assert [table.texts(row) for row in range(table.size)] == [
            (text if isinstance(text, str) else " ".join(text),) for text, _, _ in rows
        ]
        for code, (_, label, confound) in zip(
            zip(table.label, table.confound, strict=True), rows, strict=True
        ):
            assert is_same(tables.label_names[code[0]], label, tables.notes)
            assert (code[1] == -1) == (confound is None)
            if confound is not None:
                assert is_same(tables.confound_names[code[1]], confound, tables.notes)


def check(case, writer):
    """Check one table; return whether it was refused."""
    rows = {
        split: [tuple(writer.clean(c) if isinstance(c, str) else c for c in row) for row in rows]
        for split, rows in case.splits.items()
    }
    case = case._replace(splits=rows)
    with TemporaryDirectory() as folder:
        try:
            tables = read(case, writer, Path(folder))
        except UserError as error:
            assert "\n" not in str(error)
            why = next((why for why in REFUSED if why in str(error)), str(error))
            assert any(map(REFUSED.get(why, lambda text: False), case.cells())), why
            return why
        require_same(case, tables)
    return None


def try_many(name, count):
    """Check random tables; return how many were refused, by reason."""
    writer, outcomes = WRITERS[name], Counter()

    @settings(max_examples=count, deadline=None, database=None)
    @given(cases(writer))
    def run(case):
        outcomes[check(case, writer)] += 1

    run()
    return outcomes


@pytest.mark.parametrize("name", WRITERS)
def test_what_is_written_is_read(name):
    outcomes = try_many(name, 8)
    assert outcomes[None] > outcomes.total() / 3


def main(count):
    """Check about ``count`` random tables in all; report what was read, refused and failed."""
    total, failed = Counter(), 0
    for name in WRITERS:
        try:
            outcomes = try_many(name, -(-count // len(WRITERS)))
        except Exception:
            traceback.print_exc(limit=-2)
            failed += 1
            continue
        total += outcomes
        refused = ", ".join(f"{n} {why}" for why, n in outcomes.items() if why) or "none"
        print(f"{name}: {outcomes[None]} read, refused: {refused}", flush=True)
    refused = total.total() - total[None]
    print(f"{total.total()} tables, {total[None]} read, {refused} refused, {failed} ways failed")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
