"""The verdict of an audit: one conclusion, in words that its interval supports.

================  ==================================================================================
kind              condition
================  ==================================================================================
``leans``         the interval of CID lies above 0, p is at most 0.05, and CID is at least
                  :data:`~itune.auditing.evidence.MEANINGFUL_CID`
``no_sign``       the interval lies below that value, so that no CID that matters is compatible with
                  it; few predictions change with the confound, if that was tested; the model has
                  learnt its task; and at most a share of
                  :data:`~itune.auditing.evidence.UNSEEN_SHARE` of the rows have no gradient, or a
                  confound that the model does not read
``inconclusive``  anything else: too few rows, too wide an interval, or conflicting evidence
================  ==================================================================================
"""

from typing import NamedTuple

from itune.auditing.classifier import Audit
from itune.auditing.counterfactual import CounterfactualTest
from itune.auditing.evidence import (
    INCONCLUSIVE,
    LEANS,
    MEANINGFUL_CID,
    NO_SIGN,
    UNSEEN_SHARE,
    Evidence,
    Kind,
)
from itune.auditing.reasons import ROUNDING, reasons_for
from itune.auditing.truncation import Truncation
from itune.groups import GroupNames
from itune.utils.formats import signed


class Verdict(NamedTuple):
    """The conclusion of an audit, in words.

    Attributes:
      kind: ``"leans"``, ``"no_sign"`` or ``"inconclusive"``.
      headline: The conclusion in one sentence.
      reasons: Sentences with the numbers that the conclusion rests on.
    """

    kind: Kind
    headline: str
    reasons: tuple[str, ...]


def give_verdict(
    audit: Audit,
    counterfactual: CounterfactualTest | None,
    names: GroupNames,
    truncation: Truncation | None = None,
) -> Verdict:
    """Return the conclusion that the measures of an audit support; ``truncation`` is that of train.

    CID decides. The counterfactual test can keep the verdict from being ``no_sign``; the linear
    probe and the accuracies are reported beside it.
    """
    evidence = Evidence(audit, counterfactual, truncation)
    kind, headline = _conclusion(evidence)
    return Verdict(kind, headline, reasons_for(evidence, kind, names))


def _conclusion(evidence: Evidence) -> tuple[Kind, str]:
    audit, test, cid = evidence.audit, evidence.audit.test, evidence.cid
    if evidence.has_few_rows:
        return (
            INCONCLUSIVE,
            "There are too few rows to tell whether the model leans on the confound.",
        )
    if evidence.is_significant and test.low > 0 and cid >= MEANINGFUL_CID:
        return LEANS, f"The model leans on the confound (CID {signed(cid)})."
    if evidence.is_significant and test.high < 0 and cid <= -MEANINGFUL_CID:
        return INCONCLUSIVE, (
            f"The model tells the confounds apart, but in the opposite direction (CID "
            f"{signed(cid)}): rows of a label that share the confound influence one another less "
            "than rows that differ in it."
        )
    if test.high >= MEANINGFUL_CID or cid >= MEANINGFUL_CID:
        return (
            INCONCLUSIVE,
            "The audit is inconclusive: it cannot tell whether the model leans on the confound.",
        )
    if evidence.changed_share is not None:
        return INCONCLUSIVE, (
            f"The evidence conflicts: by CID ({signed(cid)}) the model hardly tells the confounds "
            f"apart, but {evidence.changed_share:.1%} of predictions change when the confound is "
            "swapped."
        )
    if audit.without_gradient > UNSEEN_SHARE:
        return INCONCLUSIVE, (
            f"The audit is inconclusive: {audit.without_gradient:.1%} of the training rows have no "
            "gradient, so that CID is near 0 whatever the model goes by."
        )
    if evidence.unread_share > UNSEEN_SHARE:
        return INCONCLUSIVE, (
            "The audit is inconclusive: in many rows the model does not read the confound, so they "
            "cannot show whether it leans on it."
        )
    if not evidence.has_learnt:
        return INCONCLUSIVE, (
            "The model has not clearly learnt its task, so the audit cannot tell what it leans on: "
            "on train it is not clearly better than always predicting the most frequent label."
        )
    if evidence.is_significant:
        shown = f"{cid:{'+.3f' if abs(cid) >= ROUNDING else '+.1g'}}"
        return NO_SIGN, (
            f"The model shows no more than a trace of the confound: CID is {shown}, which differs "
            f"from 0 but is too small to matter (below {MEANINGFUL_CID})."
        )
    return NO_SIGN, "There is no sign that the model leans on the confound."
