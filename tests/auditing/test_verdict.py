"""Verdicts of made-up audits: none that the interval does not support."""

from dataclasses import replace

import numpy as np
import pytest

from itune.auditing import Audit, CIDBreakdown, CIDTest, CounterfactualTest, LinearProbe
from itune.auditing.behaviour import Behaviour
from itune.auditing.verdict import give_verdict
from itune.groups import Group, GroupNames
from itune.metrics.accuracy import Accuracy
from itune.metrics.proportions import wilson

NAMES = GroupNames(("bad", "good"), ("acme", "other"))
GROUPS = [Group(y, c) for y in (0, 1) for c in (0, 1)]


def make_behaviour(*shares):
    by_group = dict(zip(GROUPS, shares, strict=True))
    worst = min(by_group, key=by_group.get)
    sizes = dict.fromkeys(GROUPS, 50)
    overall = Accuracy(sum(shares) / 4, by_group, worst)
    interval = sum(shares) / 4 - 0.02, 1
    return Behaviour(
        overall, 0.1, 0.2, 0.3, 200, 1200, interval, dict.fromkeys(GROUPS, (0, 1)), sizes
    )


APART = np.array([[1.0, 0.3], [0.3, 1.0]])
"""Influences of two rows of one label."""


def make_audit(
    cid, low, high, p=0.001, whole=None, size=400, groups=(500, 100, 100, 500), matrix=APART
):
    influence = None if whole is None else CIDBreakdown(whole, 0.01, {}, {}, (), 1200)
    return Audit(
        influence=influence,
        test=CIDTest(cid, low, high, p, size, 1999),
        sample=None,
        label=np.zeros(len(matrix), int),
        confound=None,
        matrix=matrix,
        share=None,
        behaviour={"train": make_behaviour(1, 1, 1, 1), "test": make_behaviour(0.9, 0.5, 0.6, 0.8)},
        probe=LinearProbe(0.7, 0.5, {}, 100),
        minutes_of_whole=1.0,
        groups=dict(zip(GROUPS, groups, strict=True)),
        plan=None,
    )


def make_counterfactual(changed, size=200):
    return CounterfactualTest(size, changed, changed / size, *wilson(changed, size), ())


@pytest.mark.parametrize(
    ("audit", "counterfactual", "kind", "words"),
    [
        (make_audit(0.3, 0.2, 0.4), None, "leans", "leans on the confound (CID +0.300)"),
        (make_audit(0.3, 0.2, 0.4, whole=0.25), None, "leans", "(CID +0.250)"),
        (make_audit(0.3, 0.2, 0.4, p=0.2), None, "inconclusive", "not settled"),
        (make_audit(0.3, -0.01, 0.6), None, "inconclusive", "not settled"),
        (make_audit(0.04, 0.03, 0.06, whole=0.04), None, "inconclusive", "not settled"),
        (make_audit(0.012, 0.01, 0.014), None, "no_sign", "no more than a trace"),
        (make_audit(0.01, -0.01, 0.03, p=0.3), None, "no_sign", "no sign that"),
        (make_audit(0.01, -0.01, 0.03, p=0.3, whole=0.06), None, "inconclusive", "not settled"),
        (
            make_audit(0.01, -0.01, 0.03, p=0.3),
            make_counterfactual(60),
            "inconclusive",
            "evidence disagrees",
        ),
        (make_audit(0.01, -0.01, 0.03, p=0.3), make_counterfactual(2), "no_sign", "no sign that"),
        (make_audit(-0.2, -0.3, -0.1), None, "inconclusive", "the wrong way round"),
        (make_audit(0.3, 0.2, 0.4, groups=(500, 7, 7, 500)), None, "inconclusive", "too few rows"),
        (make_audit(0.3, 0.2, 0.4, groups=(500, 8, 7, 500)), None, "leans", "leans"),
        (make_audit(0.3, float("nan"), float("nan")), None, "inconclusive", "too few rows"),
    ],
)
def test_kinds(audit, counterfactual, kind, words):
    found = give_verdict(audit, counterfactual, NAMES)
    assert found.kind == kind and words in found.headline


def reasons(audit, counterfactual=None):
    return " ".join(give_verdict(audit, counterfactual, NAMES).reasons)


def test_numbers_behind_it():
    said = reasons(make_audit(0.3, 0.2, 0.4, whole=0.25), make_counterfactual(80))
    assert "a sample of 400 training rows is +0.300, with a 95 % interval from +0.200" in said
    assert "p value of 0.001" in said and "CID of all 1200 training rows is +0.250." in said
    assert "80 of 200 predictions on test change (40.0%; 95 % interval 33." in said
    assert ", which agrees." in said
    assert "On test, the widest gap" in said and '50.0% right in "bad / other" to 90.0%' in said
    assert "in 70.0% of cases, by chance in 50.0%" in said and "no proof" in said


def test_smallest_p():
    told = "permutation p value of 0.0005 (the least that 1999 draws can give). It"
    assert told in reasons(make_audit(0.3, 0.2, 0.4, p=1 / 2000))


def test_influences_that_are_all_alike():
    """As of a model that fits all rows with near certainty: CID could hardly be anything but 0."""
    alike = make_audit(-5e-8, -6e-8, 4e-8, p=0.07, matrix=np.full((4, 4), 0.999))
    told = give_verdict(alike, None, NAMES).reasons
    assert "is 0.000, with a 95 % interval from 0.000 to 0.000" in told[0]
    assert "all rows of a label have the same influence on one another" in told[1]
    others = make_audit(-5e-8, -6e-8, 4e-8, p=0.07)
    assert not any("Beware" in reason for reason in give_verdict(others, None, NAMES).reasons)


def test_disagreement_is_said():
    assert "the two do not agree" in reasons(make_audit(0.3, 0.2, 0.4, whole=0.401))
    assert "the two do not agree" not in reasons(make_audit(1e-7, 0, 2e-7, whole=-3e-7))
    assert "does not agree with CID" in reasons(make_audit(0.3, 0.2, 0.4), make_counterfactual(2))
    said = reasons(make_audit(0.01, -0.01, 0.03, p=0.3), make_counterfactual(60))
    assert "agrees" not in said and "(30.0%" in said and "Go by the swap" in said


def test_rows_without_partners_are_not_counted():
    audit = make_audit(0.3, 0.2, 0.4, whole=0.25)
    few = audit._replace(influence=replace(audit.influence, probes=1100))
    assert "CID of the 1100 of 1200 training rows that have partners is +0.250." in reasons(few)


@pytest.mark.parametrize("cid", [0.01, 0.04])
def test_a_model_that_has_learnt_nothing_is_not_cleared(cid):
    """Neither of a sign nor of a trace; what leans, leans."""
    audit = make_audit(cid, cid - 0.005, cid + 0.005)
    assert give_verdict(audit, None, NAMES).kind == "no_sign"
    behaviour = audit.behaviour | {"train": make_behaviour(1, 1, 0, 0)}
    found = give_verdict(audit._replace(behaviour=behaviour), None, NAMES)
    assert found.kind == "inconclusive" and "has not learnt its task" in found.headline
    assert "Beware" in " ".join(found.reasons) and found.reasons[-1].endswith("knows its task.")
    leaning = make_audit(0.3, 0.2, 0.4)._replace(behaviour=behaviour)
    found = give_verdict(leaning, None, NAMES)
    assert found.kind == "leans" and found.reasons[-1].startswith("Beware")


def test_nothing_to_see_and_nothing_learnt():
    audit = make_audit(0.3, 0.2, 0.4)
    alike = audit._replace(behaviour={"train": make_behaviour(0.6, 0.6, 0.5, 0.505)})
    said = reasons(alike)
    assert "On train, the accuracy of a label is the same for all confounds" in said
    assert "Beware" not in said
    alike = audit._replace(behaviour={"train": make_behaviour(1, 1, 0.01, 0)})
    assert "is right in 50.2% of rows, and the most frequent label makes up 50.0%." in reasons(
        alike
    )
    assert "Beware" not in reasons(audit)


def test_what_would_settle_it():
    """A half width of 0.1 is to be 0.025: sixteen times the rows."""
    wide = {"cid": 0.1, "low": 0.0, "high": 0.2}
    assert "A sample of 800 rows" in reasons(make_audit(**wide, size=50))
    said = reasons(make_audit(**wide))
    assert "some 6400 annotated rows" in said and "there are 1200" in said
    assert 'smallest group is "bad / other", with 100.' in said
    assert "8 annotated rows each" in reasons(make_audit(0.3, 0.2, 0.4, groups=(9, 1, 0, 9)))
    assert "More rows will not settle it" in reasons(make_audit(0.05, 0.04, 0.06, p=0.2))
    assert "settle" not in reasons(make_audit(0.3, 0.2, 0.4))
