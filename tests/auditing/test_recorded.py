"""What the record of a run adds to a table that is to be audited."""

import pytest

from itune import UserError
from itune.auditing.recorded import completed
from itune.tables.table import TableConfig
from itune.tuning.record import TableRecord

NOTED = TableConfig(
    train="reviews.csv", text="review", rule="words:acme", dev_fraction=0.2, split_seed=3
)
RECORD = TableRecord(NOTED, "0f")


@pytest.mark.parametrize("data", [None, "reviews.csv", "./x/../reviews.csv", [{"review": "a"}]])
def test_what_is_not_given_is_as_noted(data, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert completed(RECORD, data, {}) == NOTED
    found = completed(RECORD, data, {"split_seed": 1, "confound": "brand"})
    assert (found.text, found.split_seed, found.dev_fraction) == ("review", 1, 0.2)
    assert (found.confound, found.rule) == ("brand", None)  # the rule would outdo the column
    assert completed(RECORD, data, {"confound": "brand", "rule": "words:b"}).rule == "words:b"


def test_of_another_table_nothing_is_known():
    whole = TableConfig(dev_fraction=0.0, test_fraction=0.0)
    assert completed(RECORD, "others.csv", {}) == completed(None, None, {}) == whole
    assert completed(None, "reviews.csv", {"test_fraction": 0.1}).test_fraction == 0.1
    unnamed = TableRecord(TableConfig(text="review"), "0f")
    assert completed(unnamed, "reviews.csv", {}).text == "review"  # the rows may be of this file
    with pytest.raises(UserError, match=r"txt is not a key; did you mean text\?"):
        completed(RECORD, None, {"txt": "review"})
