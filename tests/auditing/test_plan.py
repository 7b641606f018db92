"""An audit uses all rows for as many of its parts as there is time for."""

import numpy as np
import pytest

from itune.auditing import AuditConfig, plan
from itune.data.dataset import Dataset

PARTS = (plan.PREDICTIONS, plan.EXPLANATIONS, plan.CID)


@pytest.fixture
def data():
    ids = [np.zeros(length, np.int32) for length in (2, 2, 2, 2, 3, 19)]
    return Dataset(ids, np.zeros(6, np.int32), np.zeros(6, np.int32))


@pytest.fixture(autouse=True)
def costs(monkeypatch):
    """A token takes a second to predict, and ten seconds for a gradient."""
    monkeypatch.setattr(plan, "_seconds_of_forward", lambda *_: 1.0)
    monkeypatch.setattr(plan, "_seconds_of_gradient", lambda *_: 10.0)


def make(data, **values):
    return plan.make_plan(None, None, {"train": data, "test": data}, data, AuditConfig(**values))


def test_minutes_are_estimated_from_the_tokens(data):
    """Thirty tokens in each of two splits."""
    assert make(data).minutes == pytest.approx(
        {
            plan.PREDICTIONS: 1,
            plan.EXPLANATIONS: plan.EXPLANATIONS_COST * 5,
            plan.CID: plan.CID_COST * 5,
        }
    )


@pytest.mark.parametrize(
    ("values", "whole"),
    [
        ({"minutes": 0.9}, ()),
        ({"minutes": 1.1}, PARTS[:1]),
        ({"minutes": 9.1}, PARTS[:2]),
        ({"minutes": 12.5}, PARTS[:2]),  # enough for CID alone
        ({"minutes": 30}, PARTS),
        ({"minutes": 30, "whole": "never"}, ()),
        ({"minutes": 0, "whole": "always"}, PARTS),
    ],
)
def test_parts_use_all_rows_in_order_as_long_as_they_fit(data, values, whole):
    assert make(data, **values).whole == whole


def test_the_plan_is_one_sentence(data):
    assert str(make(data, minutes=30)) == (
        "the audit uses all rows, which takes about 21 min, not counting compilation"
    )
    assert str(make(data, minutes=1.1, drawn=70)) == (
        "rows are drawn at random: explanations use 6 training rows, CID uses the sample alone; "
        "whole='always' uses all rows, in about 21 min"
    )


def test_costs_are_measured_on_rows_of_about_the_mean_length(data):
    """The mean length is 5."""
    assert data.lengths[plan._typical_rows(data, 2)].tolist() == [3, 19]
    assert len(plan._typical_rows(data, 9)) == 9
