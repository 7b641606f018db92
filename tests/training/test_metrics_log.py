"""Records: cut back to a checkpoint, and JSON that every reader takes."""

import json
import math

import pytest

from itune.errors import UserError
from itune.training.metrics_log import MetricsLog, read_metrics
from itune.utils.json import write_json


def test_cut_back_to_where_a_checkpoint_was(tmp_path):
    path = tmp_path / "metrics.jsonl"
    record = MetricsLog(path)
    record.write({"step": 1})
    kept = record.flush()
    record.write({"step": 2})
    record.close()
    again = MetricsLog(path, kept)
    again.write({"step": 3})
    again.close()
    assert read_metrics(path) == [{"step": 1}, {"step": 3}]
    with pytest.raises(UserError, match="it is damaged; start over"):
        MetricsLog(path, 1000)


def test_what_json_lacks_is_null(tmp_path):
    row = {"a": math.nan, "b": [1.0, math.inf], "c": {"d": (-math.inf, "nan", None, 2)}}
    plain = {"a": None, "b": [1.0, None], "c": {"d": [None, "nan", None, 2]}}
    record = MetricsLog(tmp_path / "rows.jsonl")
    record.write(row)
    record.close()
    write_json(tmp_path / "value.json", row)

    def refuse(constant):
        raise AssertionError(constant)

    for path in (tmp_path / "rows.jsonl", tmp_path / "value.json"):
        assert json.loads(path.read_text(), parse_constant=refuse) == plain
