"""What other libraries write is read as it was, or refused in one line where it cannot be known.

By hand, for many more tables: ``python -m tests.tables.test_round_trip 10000``.
"""

import sys
import traceback
import unicodedata
from collections import Counter, defaultdict
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings

from itune import UserError
from itune.tables import TableConfig, make_tables
from tests.helpers.table_writers import WRITERS, cases, mixtures

MIXTURES = "a writer for each split"

REFUSED = {
    "holds a carriage return": lambda text: "\r" in text,
    "quotation marks seem to enclose": lambda text: '""' in text,
    "over what look like rows": lambda text: "\n" in text,
    "no row has a label": lambda text: text in ("-1", "-1.0"),
}
"""Why a table may be refused, and what one of its cells must be like then."""


def read(case, writers, folder):
    """Write each split of a table with its writer, and read them."""
    data = {}
    for split, writer in writers.items():
        path = folder / f"{split}{writer.ending}"
        made = writer.make(case, split, *([path] if writer.ending else []))
        data[split] = str(path) if writer.ending else made
    if not {writer.ending for writer in writers.values()} & {"", "/"}:
        data = {"train": folder}
    names = dict(zip(("text", "label", "confound"), case.names, strict=True))
    quoted = any(writer.quoted for writer in writers.values()) or None
    config = TableConfig(**names, dev_fraction=0, test_fraction=0, quoted=quoted)
    return make_tables(data.pop("train"), config, **data)


def is_same(name, value, notes):
    """Return whether a label or confound was read as it was written."""
    if isinstance(value, bool):
        return name.lower() == str(value).lower()
    if not isinstance(value, str):
        return float(name) == value
    value = unicodedata.normalize("NFC", value.strip())
    return name == value or (f"{name}.0" == value and any(" as " in note for note in notes))


def require_same(case, tables):
    names = defaultdict(set)
    for split, rows in case.splits.items():
        table = tables.splits()[split]
        assert [table.texts(row) for row in range(table.size)] == [
            (text if isinstance(text, str) else " ".join(text),) for text, _, _ in rows
        ]
        for label, confound, row in zip(table.label, table.confound, rows, strict=True):
            assert (confound == -1) == (row[2] is None)
            names[1, repr(row[1])].add(tables.label_names[label])
            assert is_same(tables.label_names[label], row[1], tables.notes)
            if row[2] is not None:
                names[2, repr(row[2])].add(tables.confound_names[confound])
                assert is_same(tables.confound_names[confound], row[2], tables.notes)
    for (place, value), spelt in names.items():
        others = {text for column, text in names if column == place}
        if value not in BOOLEANS or others <= BOOLEANS:
            assert len(spelt) == 1 or any("equal as numbers" in note for note in tables.notes)


BOOLEANS = {"True", "False"}


def check(case, writers):
    """Check one table, whose splits each have a writer; return why it was refused, or None."""
    cleaned = {
        split: [
            tuple(writers[split].clean(c) if isinstance(c, str) else c for c in row) for row in rows
        ]
        for split, rows in case.splits.items()
    }
    case = case._replace(splits=cleaned)
    with TemporaryDirectory() as folder:
        try:
            tables = read(case, writers, Path(folder))
        except UserError as error:
            assert "\n" not in str(error)
            why = next((why for why in REFUSED if why in str(error)), str(error))
            assert any(map(REFUSED.get(why, lambda text: False), case.cells())), why
            return why
        require_same(case, tables)
    return None


def try_many(name, count):
    """Check random tables; return how many were refused, by reason."""
    outcomes = Counter()
    drawn = mixtures()
    if name != MIXTURES:
        drawn = cases(WRITERS[name]).map(
            lambda case: (case, dict.fromkeys(case.splits, WRITERS[name]))
        )

    @settings(max_examples=count, deadline=None, database=None)
    @given(drawn)
    def run(case_and_writers):
        outcomes[check(*case_and_writers)] += 1

    run()
    return outcomes


@pytest.mark.parametrize("name", WRITERS)
def test_what_is_written_is_read(name):
    outcomes = try_many(name, 5)
    assert outcomes[None] > outcomes.total() / 3


def test_splits_that_are_written_in_several_ways():
    outcomes = try_many(MIXTURES, 40)
    assert outcomes[None] > outcomes.total() / 3


def main(count):
    """Check about ``count`` random tables in all; report what was read, refused and failed."""
    total, failed = Counter(), 0
    for name, share in (dict.fromkeys(WRITERS, 1) | {MIXTURES: len(WRITERS)}).items():
        try:
            outcomes = try_many(name, -(-count * share // (2 * len(WRITERS))))
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
