"""What a run's folder tells of its table, and what folders of others do not."""

import json

import pytest

from itune.config import to_dict
from itune.tables.table import TableConfig
from itune.tuning.record import table_record

TABLE = TableConfig("reviews.csv", text="review", dev_fraction=0.2)


@pytest.fixture
def run(tmp_path):
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").write_text("{}")
    return tmp_path


def write(run, found):
    (run / "config.json").write_text(json.dumps(found))


def test_of_a_run_and_of_its_model(run):
    write(run, {"table": to_dict(TABLE), "data_sha256": "ab"})
    assert table_record(run) == table_record(run / "model") == (TABLE, "ab")


@pytest.mark.parametrize(
    "found",
    [
        {"data_sha256": "ab"},
        {"table": to_dict(TABLE)},
        {"table": None, "data_sha256": "ab"},
        {"table": {"txt": "review"}, "data_sha256": "ab"},
        [],
    ],
)
def test_of_no_run_on_a_table(run, found):
    write(run, found)
    assert table_record(run) is None


def test_of_a_model_of_others(run):
    write(run, {"table": to_dict(TABLE), "data_sha256": "ab"})
    (run / "model").rename(run / "theirs")
    assert table_record(run / "theirs") is None
    assert table_record(run / "nowhere") is None
