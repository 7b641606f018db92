"""Verdicts of made-up audits claim no more than their intervals support."""

from dataclasses import replace

import numpy as np
import pytest

from itune.auditing import (
    Audit,
    Behaviour,
    CIDBreakdown,
    CIDTest,
    CounterfactualTest,
    LinearProbe,
)
from itune.auditing.truncation import Truncation
from itune.auditing.verdict import give_verdict
from itune.groups import Group, GroupNames
from itune.metrics.accuracy import Accuracy
from itune.metrics.proportions import wilson

NAMES = GroupNames(("bad", "good"), ("acme", "other"))
GROUPS = [Group(y, c) for y in (0, 1) for c in (0, 1)]

DIFFERENT = np.array([[1.0, 0.3], [0.3, 1.0]])
"""Influences of two rows of one label."""


def make_behaviour(*accuracies, size=50):
    """Accuracies of the four groups; the interval of the mean is 2 points below it, and to 1."""
    by_group = dict(zip(GROUPS, accuracies, strict=True))
    mean = sum(accuracies) / 4
    return Behaviour(
        accuracy=Accuracy(mean, by_group, min(by_group, key=by_group.get)),
        calibration_error=0.1,
        brier=0.2,
        entropy=0.3,
        size=200,
        total=1200,
        interval=(mean - 0.02, 1),
        intervals=dict.fromkeys(GROUPS, (0, 1)),
        sizes=dict.fromkeys(GROUPS, size),
    )


def make_audit(
    cid,
    low,
    high,
    p=0.001,
    whole=None,
    size=400,
    groups=(500, 100, 100, 500),
    matrix=DIFFERENT,
    train=(1, 1, 1, 1),
    test=(0.9, 0.5, 0.6, 0.8),
    probes=1200,
    test_rows=50,
    without_gradient=0.0,
):
    """An audit with a CID of the sample, its interval and p, and perhaps a CID of all rows."""
    return Audit(
        influence=None if whole is None else CIDBreakdown(whole, 0.01, {}, {}, (), probes),
        test=CIDTest(cid, low, high, p, size, 1999),
        sample=np.arange(len(matrix)),
        label=np.zeros(len(matrix), int),
        confound=np.zeros(len(matrix), int),
        matrix=matrix,
        share={},
        behaviour={
            "train": make_behaviour(*train),
            "test": make_behaviour(*test, size=test_rows),
        },
        probe=LinearProbe(0.7, 0.5, {}, 100),
        minutes_of_whole=1.0,
        groups=dict(zip(GROUPS, groups, strict=True)),
        plan=None,
        without_gradient=without_gradient,
    )


def make_counterfactual(changed, size=200, **rest):
    share = changed / size if size else float("nan")
    return CounterfactualTest(size, changed, share, *wilson(changed, size), (), **rest)


def reasons(audit, counterfactual=None, truncation=None):
    return " ".join(give_verdict(audit, counterfactual, NAMES, truncation).reasons)


NO_SIGN = make_audit(0.01, -0.01, 0.03, p=0.3)


@pytest.mark.parametrize(
    ("audit", "kind", "words"),
    [
        (make_audit(0.3, 0.2, 0.4), "leans", "leans on the confound (CID +0.300)"),
        (make_audit(0.3, 0.2, 0.4, whole=0.25), "leans", "(CID +0.250)"),
        (make_audit(0.3, 0.2, 0.4, p=0.2), "inconclusive", "cannot tell whether"),
        (make_audit(0.3, -0.01, 0.6), "inconclusive", "cannot tell whether"),
        (make_audit(0.04, 0.03, 0.06, whole=0.04), "inconclusive", "cannot tell whether"),
        (make_audit(0.01, -0.01, 0.03, p=0.3, whole=0.06), "inconclusive", "cannot tell whether"),
        (make_audit(0.012, 0.01, 0.014), "no_sign", "no more than a trace"),
        (make_audit(0.01, -0.01, 0.03, p=0.3), "no_sign", "no sign that"),
        (make_audit(-0.2, -0.3, -0.1), "inconclusive", "in the opposite direction"),
        (make_audit(0.3, 0.2, 0.4, groups=(500, 7, 7, 500)), "inconclusive", "too few rows"),
        (make_audit(0.3, 0.2, 0.4, groups=(500, 8, 7, 500)), "leans", "leans"),
        (make_audit(0.3, float("nan"), float("nan")), "inconclusive", "too few rows"),
    ],
)
def test_the_interval_the_p_value_and_the_size_of_cid_decide(audit, kind, words):
    verdict = give_verdict(audit, None, NAMES)
    assert verdict.kind == kind and words in verdict.headline


@pytest.mark.parametrize(
    ("changed", "kind", "words"),
    [(60, "inconclusive", "evidence conflicts"), (2, "no_sign", "no sign that")],
)
def test_changed_predictions_keep_a_model_from_being_cleared(changed, kind, words):
    verdict = give_verdict(
        make_audit(0.01, -0.01, 0.03, p=0.3), make_counterfactual(changed), NAMES
    )
    assert verdict.kind == kind and words in verdict.headline


@pytest.mark.parametrize("cid", [0.01, 0.04])
def test_a_model_that_has_not_learnt_its_task_is_not_cleared(cid):
    """Neither by "no sign" nor by "a trace"."""
    interval = cid, cid - 0.005, cid + 0.005
    assert give_verdict(make_audit(*interval), None, NAMES).kind == "no_sign"
    verdict = give_verdict(make_audit(*interval, train=(1, 1, 0, 0)), None, NAMES)
    assert verdict.kind == "inconclusive"
    assert "has not clearly learnt its task" in verdict.headline
    assert "Caution" in " ".join(verdict.reasons)
    assert verdict.reasons[-1].endswith("until it has learnt its task.")


def test_a_model_that_has_not_learnt_its_task_can_lean():
    verdict = give_verdict(make_audit(0.3, 0.2, 0.4, train=(1, 1, 0, 0)), None, NAMES)
    assert verdict.kind == "leans" and verdict.reasons[-1].startswith("Caution")


def test_reasons_give_the_numbers():
    text = reasons(make_audit(0.3, 0.2, 0.4, whole=0.25), make_counterfactual(80))
    assert "a sample of 400 training rows is +0.300, with a 95 % interval from +0.200" in text
    assert "p value of 0.001. CID is" in text
    assert "CID of all 1200 training rows is +0.250." in text
    assert "80 of 200 predictions on test change (40.0%; 95 % interval 33." in text
    assert ", which agrees with CID." in text
    assert '50.0% for "bad / other" to 90.0% for "bad / acme"' in text
    assert "accuracy of 70.0%; guessing gives 50.0%" in text and "not prove" in text


def test_the_smallest_possible_p_value_is_marked():
    text = "permutation p value of 0.0005 (the smallest that 1999 draws can give)."
    assert text in reasons(make_audit(0.3, 0.2, 0.4, p=1 / 2000))


def test_uniform_influences_are_pointed_out():
    """As in a model that fits all rows with near certainty: CID could hardly be anything but 0."""
    near_0 = {"cid": -5e-8, "low": -6e-8, "high": 4e-8, "p": 0.07}
    uniform = give_verdict(make_audit(**near_0, matrix=np.full((4, 4), 0.999)), None, NAMES)
    assert "is 0.000, with a 95 % interval from 0.000 to 0.000" in uniform.reasons[0]
    assert "all rows of a label have the same influence on one another" in uniform.reasons[1]
    assert "Caution" not in reasons(make_audit(**near_0))


def test_measures_that_disagree_are_pointed_out():
    assert "the two disagree" in reasons(make_audit(0.3, 0.2, 0.4, whole=0.401))
    assert "the two disagree" not in reasons(make_audit(1e-7, 0, 2e-7, whole=-3e-7))
    assert "disagrees with CID" in reasons(make_audit(0.3, 0.2, 0.4), make_counterfactual(2))
    text = reasons(make_audit(0.01, -0.01, 0.03, p=0.3), make_counterfactual(60))
    assert "agrees" not in text and "(30.0%" in text and "Go by the counterfactual test" in text


def test_rows_without_partners_are_not_counted():
    text = reasons(make_audit(0.3, 0.2, 0.4, whole=0.25, probes=1100))
    assert "CID of the 1100 of 1200 training rows that have partners is +0.250." in text


def test_equal_accuracies_are_no_gap():
    text = reasons(make_audit(0.3, 0.2, 0.4, test=(0.6, 0.6, 0.5, 0.505)))
    assert "On test, the accuracy of each label differs between confounds by less than 1 " in text
    assert "widest gap" not in text


def test_accuracies_of_small_groups_are_no_gap():
    assert "widest gap" in reasons(make_audit(0.3, 0.2, 0.4, test_rows=8))
    assert "widest gap" not in reasons(make_audit(0.3, 0.2, 0.4, test_rows=7))


def test_accuracy_no_better_than_the_most_frequent_label_is_pointed_out():
    text = "is right in 50.2% of rows, and the most frequent label makes up 50.0%."
    assert text in reasons(make_audit(0.3, 0.2, 0.4, train=(1, 1, 0.01, 0)))
    assert "Caution" not in reasons(make_audit(0.3, 0.2, 0.4, train=(0.6, 0.6, 0.5, 0.505)))


def test_an_inconclusive_audit_says_what_would_help():
    """A half width of 0.1 should be 0.025, which takes sixteen times as many rows."""
    wide = {"cid": 0.1, "low": 0.0, "high": 0.2}
    assert "A sample of about 800 rows" in reasons(make_audit(**wide, size=50))
    text = reasons(make_audit(**wide))
    assert "about 6400 annotated rows" in text and "there are 1200" in text
    assert 'smallest group is "bad / other", with 100 rows.' in text
    few = reasons(make_audit(0.3, 0.2, 0.4, groups=(9, 1, 0, 9)))
    assert "at least 8 annotated rows each" in few
    assert "More rows will not help" in reasons(make_audit(0.05, 0.04, 0.06, p=0.2))
    assert "More rows" not in reasons(make_audit(0.3, 0.2, 0.4))


@pytest.mark.parametrize(
    ("share", "kind"), [(0.0, "no_sign"), (0.1, "no_sign"), (0.11, "inconclusive")]
)
def test_rows_without_gradient_are_no_sign(share, kind):
    audit = replace(NO_SIGN, without_gradient=share)
    verdict = give_verdict(audit, None, NAMES)
    text = " ".join(verdict.reasons)
    assert verdict.kind == kind and ("have no gradient" in text) == (share > 0)
    assert ("audit a checkpoint of earlier" in text) == (kind == "inconclusive")
    leaning = make_audit(0.3, 0.2, 0.4, without_gradient=share)
    assert give_verdict(leaning, None, NAMES).kind == "leans"


@pytest.mark.parametrize(
    ("unread", "beyond", "kind"),
    [
        (0, 0, "no_sign"),
        (22, 0, "no_sign"),  # of 222
        (23, 0, "inconclusive"),
        (0, 10, "no_sign"),  # of 100
        (0, 11, "inconclusive"),
    ],
)
def test_confounds_that_are_not_read_are_no_sign(unread, beyond, kind):
    test, truncation = make_counterfactual(2, unread=unread), Truncation(200, 50, 100, beyond)
    verdict = give_verdict(NO_SIGN, test, NAMES, truncation)
    text = " ".join(verdict.reasons)
    assert verdict.kind == kind and ("(max_length)" in text) == (kind == "inconclusive")
    assert f"in {beyond} of the 100 rows whose text has the confound" in text
    assert "reads 50 of 200 training rows (25.0%) only in part" in text
    assert (f"In {unread} of {unread + 200} swapped texts of test" in text) == (unread > 0)


def test_swaps_that_are_not_read_agree_with_nothing():
    verdict = give_verdict(NO_SIGN, make_counterfactual(0, size=0, unread=200), NAMES)
    assert verdict.kind == "inconclusive"
    assert "In 200 of 200 swapped texts of test (100.0%) the swap changed" in verdict.reasons[1]
    assert "agrees" not in " ".join(verdict.reasons)


def test_words_without_partner_are_named():
    text = reasons(NO_SIGN, make_counterfactual(0, unpaired=7, unpaired_words=("her", "hers")))
    assert "7 texts of test were not swapped, since a word in them ('her', 'hers')" in text


@pytest.mark.parametrize(("few", "many", "is_noted"), [(8, 80, 1), (8, 72, 0), (20, 200, 0)])
def test_a_small_group_beside_a_large_one_is_noted(few, many, is_noted):
    audit = make_audit(0.3, 0.2, 0.4)
    confound = np.repeat([0, 1], [many, few])
    audit = replace(audit, label=np.ones(few + many, int), confound=confound)
    audit = replace(audit, matrix=np.eye(few + many))
    text = 'the sample has fewer than 20 rows of "good / other", beside groups 10 times as large'
    assert (text in reasons(audit)) == is_noted


def test_equal_groups_of_two_labels_are_not_noted():
    audit = make_audit(0.3, 0.2, 0.4)
    label, confound = np.repeat([[0, 0, 1, 1], [0, 1, 0, 1]], 100, axis=1)
    audit = replace(audit, label=label, confound=confound, matrix=np.eye(400))
    assert "fewer than 20 rows" not in reasons(audit)
