"""The sentences behind a verdict: what was measured, how certain it is, and what would help."""

import math

import numpy as np

from itune.auditing.behaviour import Behaviour
from itune.auditing.classifier import Audit
from itune.auditing.evidence import (
    CHANGED_SHARE,
    INCONCLUSIVE,
    LEANS,
    MEANINGFUL_CID,
    MIN_ROWS,
    NO_SIGN,
    SKEWED,
    SMALL,
    UNSEEN_SHARE,
    Evidence,
    Kind,
)
from itune.errors import option
from itune.groups import HIDDEN, Group, GroupNames
from itune.results import SwappedPredictions
from itune.utils.formats import signed

UNIFORM_RANGE = 0.01
"""Range of influences too small to tell rows apart; a CID that matters is larger."""

ROUNDING = 0.0005
"""Largest difference of CID that three decimals do not show."""


def reasons_for(evidence: Evidence, kind: Kind, names: GroupNames) -> tuple[str, ...]:
    """Return the sentences that support a verdict, the most important first."""
    audit = evidence.audit
    sentences = [
        _sample_cid(audit),
        _whole_cid(audit),
        _without_gradient(audit),
        _uniform_influences(audit),
        _small_group(evidence, names),
        _changed_predictions(evidence, kind),
        *(evidence.counterfactual.notes if evidence.counterfactual else ()),
        _truncated(evidence),
        _accuracy_gap(audit, names),
        _linear_probe(audit),
        _not_learnt(evidence),
        _remedy(evidence, names) if kind == INCONCLUSIVE else None,
    ]
    return tuple(filter(None, sentences))


def rows_with_partners(audit: Audit, noun: str, number_format: str = "") -> str:
    """Return a phrase that says how many training rows the CID of all rows covers.

    Rows without partners are not covered: those that are alone in their group, those of a label
    with one confound, and those that are not annotated.

    The phrase is such as ``"all 1200 rows"`` or ``"the 1100 of 1200 rows that have partners"``;
    ``number_format`` is the specification of its numbers, such as ``","``.
    """
    assert audit.influence is not None
    size, total = audit.influence.probes, audit.behaviour["train"].total
    if size == total:
        return f"all {size:{number_format}} {noun}"
    return f"the {size:{number_format}} of {total:{number_format}} {noun} that have partners"


def _sample_cid(audit: Audit) -> str:
    test = audit.test
    is_smallest = test.p < 1.5 / (test.draws + 1)
    smallest = f" (the smallest that {test.draws} draws can give)" if is_smallest else ""
    return (
        f"CID of a sample of {test.size} training rows is {signed(test.cid)}, with a 95 % interval "
        f"from {signed(test.low)} to {signed(test.high)} and a permutation p value of "
        f"{test.p:.2g}{smallest}. CID is the mean influence of rows with the same label and "
        "confound, minus that of rows with the same label and another confound; its expectation is "
        "0 if the model does not tell the confounds apart."
    )


def _whole_cid(audit: Audit) -> str | None:
    if audit.influence is None:
        return None
    cid, test = audit.influence.cid, audit.test
    agrees = test.low - ROUNDING <= cid <= test.high + ROUNDING
    remark = "" if agrees else ", which is outside the interval: the two disagree"
    return f"CID of {rows_with_partners(audit, 'training rows')} is {signed(cid)}{remark}."


def _without_gradient(audit: Audit) -> str | None:
    if not audit.without_gradient:
        return None
    return (
        f"Caution: {audit.without_gradient:.1%} of the training rows have no gradient, since the "
        "model is so certain of them that float32 rounds it to 1. Their influences are 0 whatever "
        "the model goes by, which brings CID closer to 0."
    )


def _small_group(evidence: Evidence, names: GroupNames) -> str | None:
    group = evidence.small_group
    if group is None:
        return None
    return (
        f"Caution: the sample has fewer than {SMALL} rows of {names.group(group)}, beside groups "
        f"{SKEWED} times as large. Of so few rows the interval may be somewhat too narrow: in "
        "simulations it held the true CID in 91 to 95 of 100 cases."
    )


def _truncated(evidence: Evidence) -> str | None:
    """How many training rows the model does not read to the end."""
    found = evidence.truncation
    if found is None or not found.truncated:
        return None
    beyond = ""
    if found.located:
        beyond = (
            f"; in {found.beyond} of the {found.located} rows whose text has the confound "
            f"({found.beyond_share:.1%}) it lies beyond what is read"
        )
    return (
        f"The model reads {found.truncated} of {found.rows} training rows "
        f"({found.truncated / found.rows:.1%}) only in part, up to its limit of tokens{beyond}."
    )


def _uniform_influences(audit: Audit) -> str | None:
    ranges = [
        float(np.ptp(audit.matrix[np.ix_(rows, rows)]))
        for label in np.unique(audit.label)
        if len(rows := np.flatnonzero(audit.label == label)) > 1
    ]
    if not ranges or max(ranges) >= UNIFORM_RANGE:
        return None
    return (
        "Caution: all rows of a label have the same influence on one another, to within "
        f"{UNIFORM_RANGE:g}, as in a model that fits them all with near certainty. CID and "
        "explanations then say little; rely on the accuracy of groups in data that the model was "
        "not trained on."
    )


def _changed_predictions(evidence: Evidence, kind: Kind) -> str | None:
    test = evidence.counterfactual
    if test is None or not test.size:
        return None
    result = SwappedPredictions(test.split, test.size, test.changed)
    if kind == LEANS and test.high < CHANGED_SHARE:
        return f"{result}: so few that this disagrees with CID."
    if kind == LEANS and test.low > CHANGED_SHARE:
        return f"{result}, which agrees with CID."
    if kind == NO_SIGN and test.high < CHANGED_SHARE:
        return f"{result}, which agrees with CID."
    return f"{result}."


def _accuracy_gap(audit: Audit, names: GroupNames) -> str | None:
    """The widest gap between confounds of one label, in test, or else in dev, or else in train."""
    split = next(name for name in ("test", "dev", *audit.behaviour) if name in audit.behaviour)
    behaviour = audit.behaviour[split]
    by_group = behaviour.accuracy.by_group
    gaps = [gap for label in range(len(names.labels)) if (gap := _extremes(behaviour, label))]
    if not gaps:
        return None
    best, worst = max(gaps, key=lambda gap: by_group[gap[0]] - by_group[gap[1]])
    if by_group[best] - by_group[worst] < 0.01:
        return (
            f"On {split}, the accuracy of each label differs between confounds by less than 1 "
            f"percentage point, among groups of at least {MIN_ROWS} rows."
        )
    return (
        f"On {split}, the widest gap in accuracy between confounds of one label is from "
        f"{by_group[worst]:.1%} for {names.group(worst)} to {by_group[best]:.1%} for "
        f"{names.group(best)}."
    )


def _extremes(behaviour: Behaviour, label: int) -> tuple[Group, Group] | None:
    """The best and the worst annotated group of a label, of those with enough rows."""
    groups = [
        group
        for group, size in behaviour.sizes.items()
        if group.label == label and group.confound != HIDDEN and size >= MIN_ROWS
    ]
    ascending = sorted(groups, key=lambda group: behaviour.accuracy.by_group[group])
    return (ascending[-1], ascending[0]) if len(groups) > 1 else None


def _linear_probe(audit: Audit) -> str | None:
    if audit.probe is None:
        return None
    return (
        "Given the label, a linear probe predicts the confound from the model's pooled vector with "
        f"a balanced accuracy of {audit.probe.balanced_accuracy:.1%}; guessing gives "
        f"{audit.probe.chance:.1%}. That the confound can be predicted does not prove that the "
        "model's predictions use it."
    )


def _not_learnt(evidence: Evidence) -> str | None:
    if evidence.has_learnt:
        return None
    return (
        "Caution: on train the model is right in "
        f"{evidence.audit.behaviour['train'].accuracy.overall:.1%} of rows, and the most frequent "
        f"label makes up {evidence.most_frequent_share:.1%}. An audit of a model that has not "
        "learnt its task says little."
    )


def _remedy(evidence: Evidence, names: GroupNames) -> str:
    """What would make the audit conclusive: an interval half as wide as a CID that matters, say."""
    test, groups = evidence.audit.test, evidence.audit.groups
    smallest = min(groups, key=lambda group: groups[group])
    smallest_group = f"The smallest group is {names.group(smallest)}, with {groups[smallest]} rows."
    if evidence.has_few_rows:
        return (
            f"An audit needs two confounds of one label with at least {MIN_ROWS} annotated rows "
            "each, better 50; here the second largest group of every label is smaller. "
            f"{smallest_group}"
        )
    half_width = (test.high - test.low) / 2
    excess = max(half_width / (MEANINGFUL_CID / 2), 1)
    wanted = _rounded(test.size * excess ** (1 / test.decay))
    annotated = sum(groups.values())
    if test.high < MEANINGFUL_CID and evidence.changed_share is not None:
        return (
            "More rows will not help: CID measures what was learnt from the training rows, and the "
            "counterfactual test what is predicted. Go by the counterfactual test if predictions "
            "are what matters."
        )
    if max(test.high, evidence.cid) < MEANINGFUL_CID:
        if evidence.audit.without_gradient > UNSEEN_SHARE:
            return (
                "More rows will not help; audit a checkpoint of earlier training, or one with "
                "smaller logits, and go by the accuracy of groups in dev and test."
            )
        if evidence.unread_share > UNSEEN_SHARE:
            return (
                "More rows will not help; let the model read more of each text "
                f"({option('max_length')}), or bring the confound to where it reads."
            )
    if max(test.high, evidence.cid) < MEANINGFUL_CID and not evidence.has_learnt:
        return "More rows will not help; train the model until it has learnt its task."
    if wanted <= test.size:
        return "More rows will not help; read the explanations."
    if wanted <= annotated:
        return (
            f"A sample of about {wanted} rows should make the interval narrow enough "
            f"({option('sample')})."
        )
    return (
        f"It takes about {wanted} annotated rows to make the interval narrow enough, and there are "
        f"{annotated}. {smallest_group}"
    )


def _rounded(value: float) -> int:
    """The value rounded up to two digits."""
    step = 10 ** max(math.floor(math.log10(value)) - 1, 0)
    return math.ceil(value / step) * step
