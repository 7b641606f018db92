"""Which training rows are explained, and by which rows."""

from types import SimpleNamespace

import numpy as np
import pytest

from itune.auditing import AuditConfig
from itune.auditing.explanations import _most, choose_probes
from itune.errors import UserError
from itune.groups import HIDDEN

LABEL = np.repeat([0, 0, 0, 1, 1, 1], [50, 3, 1, 40, 4, 9])
CONFOUND = np.repeat([0, 1, 2, 1, 0, HIDDEN], [50, 3, 1, 40, 4, 9])


def choose(seed=0, rows=None, total=None, **values):
    """Choose probes among rows of a table, which has ``total`` rows."""
    train = SimpleNamespace(
        name="all.csv",
        size=len(LABEL),
        label=LABEL,
        confound=CONFOUND,
        rows=np.arange(len(LABEL)) if rows is None else rows,
        columns=SimpleNamespace(num_rows=total or len(LABEL)),
    )
    return choose_probes(train, AuditConfig(**values), np.random.default_rng(seed))


def is_minority(probes):
    return np.isin(LABEL[probes] * 3 + CONFOUND[probes], [1, 2, 3]) & (CONFOUND[probes] != HIDDEN)


def test_half_of_the_probes_are_from_minority_groups():
    for seed in range(20):
        probes = choose(seed, random_probes=6)
        assert len(set(probes)) == 6 and np.all(np.diff(probes) > 0)
        groups = set(zip(LABEL[probes].tolist(), CONFOUND[probes].tolist(), strict=True))
        assert {(0, 1), (0, 2), (1, 0)} <= groups
    rest = [is_minority(choose(seed, random_probes=6)).sum() for seed in range(20)]
    assert min(rest) == 3 and np.mean(rest) < 4  # the other half are any


def test_minority_groups_take_turns_until_they_are_empty():
    assert is_minority(choose(random_probes=16)).sum() == 8
    assert is_minority(choose(random_probes=40)).sum() == 8
    assert len(choose(random_probes=1000)) == len(LABEL) and len(choose(random_probes=0)) == 0


def test_the_probes_are_a_function_of_the_seed():
    assert choose(3).tolist() == choose(3).tolist() != choose(4).tolist()


def test_probes_can_be_named():
    assert choose(probes=(3, 1, 107)).tolist() == [2, 0, 106]
    with pytest.raises(UserError, match="probes must be rows 1 to 107 of train, got 108"):
        choose(probes=(3, 108))


def test_probes_are_named_by_their_rows_in_the_table():
    """Train is every other row of a table."""
    part = {"rows": 2 * np.arange(107), "total": 214}
    assert choose(**part, probes=(3, 1, 213)).tolist() == [1, 0, 106]
    with pytest.raises(
        UserError, match="must be training rows, got 4, which all.csv has in dev or test"
    ):
        choose(**part, probes=(4,))
    with pytest.raises(
        UserError, match="must be training rows, got 214, which all.csv has in dev or test"
    ):
        choose(**part, probes=(214,))
    with pytest.raises(UserError, match="probes must be rows 1 to 214 of all.csv, got 215"):
        choose(**part, probes=(215,))


@pytest.mark.parametrize("probes", [(0,), (1, 1), (-2,)])
def test_row_numbers_below_1_or_twice_are_refused(probes):
    with pytest.raises(UserError, match="probes must be different row numbers from 1"):
        AuditConfig(probes=probes)


def test_helpful_is_above_0_and_harmful_below():
    """Row 2 is the probe; row 3 is not searched."""
    zeros = np.zeros(6, int)
    train = SimpleNamespace(
        texts=lambda row: (f"text {row}",), label=zeros, confound=zeros, rows=np.arange(6)
    )
    tables = SimpleNamespace(train=train, rule=None)
    rows, influences = np.array([0, 1, 2, 4, 5]), np.array([0.5, -0.2, 1.0, 0.1, -0.9])

    def most(shown, sign):
        chosen = _most(tables, 2, rows, influences, shown, sign)
        assert all(row.texts == (f"text {row.index}",) for row in chosen)
        return [(row.index, row.influence) for row in chosen]

    assert most(3, 1) == [(0, 0.5), (4, 0.1)] and most(1, 1) == [(0, 0.5)]
    assert most(3, -1) == [(5, -0.9), (1, -0.2)] and most(1, -1) == [(5, -0.9)]
