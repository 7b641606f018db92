"""A verdict on one run from what it measured itself, without further computation."""

from collections.abc import Callable

from itune.auditing.evidence import (
    CHANGED_SHARE,
    INCONCLUSIVE,
    LEANS,
    MEANINGFUL_CID,
    NO_SIGN,
    UNSEEN_SHARE,
    Kind,
)
from itune.auditing.verdict import Verdict
from itune.metrics.proportions import wilson
from itune.results import GroupAccuracy, RunResult
from itune.utils.formats import MISSING, method_title, signed

QUANTILE = 1.96
"""Standard errors on each side of a mean that make an interval of 95 % confidence."""

GAP = 0.1
"""How far the worst group may be below all rows before a CID near 0 is no good sign."""


def run_verdict(
    run: RunResult, name: Callable[[GroupAccuracy], str] = lambda group: group.name
) -> Verdict:
    """Return whether a run leans on its confound, by final CID, worst group, swapped confounds.

    =============  =============================================================================
    kind           condition
    =============  =============================================================================
    leans          CID is ``MEANINGFUL_CID`` or more, and its interval above 0
    no_sign        the interval of CID is within that size of 0, the accuracy of the worst group
                   is less than :data:`GAP` below that of all rows, and, where the confound can be
                   swapped in the texts, a share of ``CHANGED_SHARE`` of the predictions or less
                   may change
    inconclusive   otherwise, and where the run has collapsed, or more than a share of
                   ``UNSEEN_SHARE`` of the probes have no gradient
    =============  =============================================================================

    The interval is that of a mean over probes, ``cid ± 1.96 standard errors``. It says nothing of
    other training rows, or of another seed; :func:`itune.audit` looks more closely. ``name`` names
    a group as sentences show it.
    """
    kind, finding = _judged(run)
    split, accuracy = run.judged()
    reasons = [f"CID is {_cid(run)}{_before(run)}."]
    if accuracy.worst:
        reasons.append(
            f"Of {split}, {accuracy.accuracy:.1%} are classified correctly, and "
            f"{accuracy.worst.accuracy:.1%} in the worst group, "
            f"{name(accuracy.worst).removesuffix('.')}."
        )
    if run.swapped is not None:
        reasons.append(f"{run.swapped}.")
    subject = f"{method_title(run.method).capitalize()} with seed {run.seed}"
    return Verdict(kind, f"{subject} {finding}.", tuple(reasons))


def verdict_sentence(run: RunResult) -> str:
    """Return the verdict on a run and its numbers in one sentence, for a terminal."""
    verdict, (split, accuracy) = run_verdict(run), run.judged()
    numbers = [f"CID {_cid(run)}", f"{split} {accuracy.accuracy:.3f}"]
    if accuracy.worst:
        worst = accuracy.worst
        numbers.append(f"its worst group, {worst.name}, {worst.accuracy:.3f}")
    if run.swapped is not None:
        numbers.append(f"{run.swapped.share:.1%} of predictions change with the confound")
    return f"{verdict.headline.removesuffix('.')} ({', '.join(numbers)})."


def _judged(run: RunResult) -> tuple[Kind, str]:
    """The kind of verdict, and what the run does."""
    cid, error, (_, split) = run.cid, run.final_cid.standard_error, run.judged()
    if run.has_collapsed:
        return INCONCLUSIVE, "has collapsed: it is no better than chance on its training rows"
    if cid is None or error is None:
        return INCONCLUSIVE, "is inconclusive, since its CID has no standard error"
    margin = QUANTILE * error
    if cid >= MEANINGFUL_CID and cid > margin:
        return LEANS, "leans on the confound"
    if abs(cid) + margin >= MEANINGFUL_CID:
        return INCONCLUSIVE, "is inconclusive: its CID may be near 0, and may be not"
    without_gradient = run.final_cid.without_gradient or 0.0
    if without_gradient > UNSEEN_SHARE:
        return INCONCLUSIVE, (
            f"is inconclusive: {without_gradient:.0%} of the rows that CID is measured on have no "
            "gradient in float32, so that it is near 0 in any case"
        )
    if split.worst and split.accuracy - split.worst.accuracy >= GAP:
        return INCONCLUSIVE, "is inconclusive: CID is near 0, but the worst group is far behind"
    if run.swapped and wilson(run.swapped.changed, run.swapped.size)[0] > CHANGED_SHARE:
        return INCONCLUSIVE, "is inconclusive: CID is near 0, but predictions follow the confound"
    return NO_SIGN, "shows no sign of leaning on the confound"


def _cid(run: RunResult) -> str:
    error = run.final_cid.standard_error
    cid = MISSING if run.cid is None else signed(run.cid)
    return cid if error is None else f"{cid} ± {QUANTILE * error:.3f}"


def _before(run: RunResult) -> str:
    before = run.cid_before
    if before is None or before.cid is None:
        return ""
    return f" ({signed(before.cid)} {before.note})"
