"""What is said of one run by what it measured itself."""

import pytest

from itune.auditing.quick_verdict import run_verdict, verdict_sentence
from itune.results.run_result import result_of_row
from tests.helpers.made_up_runs import make_row


def run(cid, error, gap=0.0, without_gradient=None, **changes):
    """A run with this CID, whose worst group is so far below all rows."""
    groups = {"y=0 c=0": 0.8 + gap, "y=0 c=1": 0.8 - gap}
    split = {"accuracy": 0.8, "groups": groups}
    evaluation = {"kind": "cid", "step": 12, "cid": cid, "cid_standard_error": error}
    evaluation["cid_without_gradient"] = without_gradient
    splits = dict.fromkeys(("train", "dev", "test"), split)
    row = make_row(**splits, cid=evaluation, **changes) | {"measured": []}
    return result_of_row(row, "here")


@pytest.mark.parametrize(
    ("cid", "error", "gap", "kind"),
    [
        (0.3, 0.02, 0.3, "leans"),
        (0.05, 0.0254, 0.0, "leans"),
        (0.05, 0.0256, 0.0, "inconclusive"),  # the interval reaches 0
        (0.049, 0.001, 0.0, "inconclusive"),  # and beyond what matters
        (0.02, 0.01, 0.05, "no_sign"),
        (-0.02, 0.01, 0.05, "no_sign"),
        (0.02, 0.016, 0.05, "inconclusive"),
        (-0.3, 0.02, 0.0, "inconclusive"),
        (0.0, 0.001, 0.2, "inconclusive"),  # something keeps the worst group behind
        (0.0, None, 0.0, "inconclusive"),
        (None, None, 0.0, "inconclusive"),
    ],
)
def test_kinds(cid, error, gap, kind):
    assert run_verdict(run(cid, error, gap)).kind == kind


def test_a_collapsed_run_does_not_lean():
    verdict = run_verdict(run(0.3, 0.001, collapsed=True))
    assert verdict.kind == "inconclusive"
    assert verdict.headline.startswith("Finetuning with seed 1 has collapsed")


@pytest.mark.parametrize(
    ("share", "kind"),
    [(None, "no_sign"), (0.0, "no_sign"), (0.1, "no_sign"), (0.99, "inconclusive")],
)
def test_rows_without_gradient_are_no_sign(share, kind):
    verdict = run_verdict(run(0.0, 0.001, without_gradient=share))
    assert verdict.kind == kind
    assert ("99% of the rows that CID" in verdict.headline) == (kind == "inconclusive")
    assert run_verdict(run(0.3, 0.02, without_gradient=share)).kind == "leans"


@pytest.mark.parametrize(
    ("changed", "kind"), [(0, "no_sign"), (14, "no_sign"), (60, "inconclusive")]
)
def test_predictions_that_follow_the_confound(changed, kind):
    """5 % may change: 14 of 200 may be as few."""
    swapped = {"split": "test", "size": 200, "changed": changed}
    verdict = run_verdict(run(0.0, 0.001, swapped=swapped))
    assert verdict.kind == kind and f"{changed} of 200 predictions" in verdict.reasons[-1]
    assert run_verdict(run(0.3, 0.02, swapped=swapped)).kind == "leans"
    sentence = verdict_sentence(run(0.0, 0.001, swapped=swapped))
    assert f"{changed / 200:.1%} of predictions change with the confound)." in sentence


def test_sentence():
    assert verdict_sentence(run(0.3, 0.02, 0.25)) == (
        "Finetuning with seed 1 leans on the confound (CID +0.300 ± 0.039, test 0.800, its worst "
        "group, y=0 c=1, 0.550)."
    )
    assert "(CID –, test 0.800" in verdict_sentence(run(None, None))
