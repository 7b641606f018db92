"""The verdict of an audit: what it comes to, in words that its interval supports.

=============  ====================================================================================
kind           said where
=============  ====================================================================================
``leans``      the interval of CID is above 0, p is at most 0.05, and CID at least :data:`SIZE`
``no_sign``    the interval is below :data:`SIZE`, so that no CID of that size is compatible with
               it; predictions do not change with the confound either, where that was tested;
               and the model has learnt its task
``inconclusive``  anything else: too few rows, an interval too wide, evidence that disagrees
=============  ====================================================================================
"""

import math
from typing import Literal, NamedTuple

import numpy as np

from itune.auditing.audit import Audit
from itune.auditing.behaviour import Behaviour
from itune.auditing.counterfactual import CounterfactualTest
from itune.groups import HIDDEN, Group, GroupNames
from itune.utils.formats import signed

LEANS, NO_SIGN, INCONCLUSIVE = "leans", "no_sign", "inconclusive"

SIZE = 0.05
"""A CID that matters. Classifiers that never saw a confound have one of less than 0.01."""

SURE = 0.05
"""The largest p value that counts."""

LEAST = 8
"""Rows that each of two groups of a label must have; resampling fewer says little."""

FLIPPING = 0.05
"""Share of predictions that change with the confound, from which it is a sign."""

ALIKE = 0.01
"""A range of influences that tells no rows apart; a CID that matters is larger."""

ROUNDING = 0.0005
"""A difference of CID that its three decimals do not show."""


class Verdict(NamedTuple):
    """What an audit comes to, in words.

    Attributes:
      kind: ``"leans"``, ``"no_sign"`` or ``"inconclusive"``.
      headline: one sentence.
      reasons: sentences with the numbers behind it.
    """

    kind: Literal["leans", "no_sign", "inconclusive"]
    headline: str
    reasons: tuple[str, ...]


def give_verdict(
    audit: Audit, counterfactual: CounterfactualTest | None, names: GroupNames
) -> Verdict:
    """Weighs what an audit found.

    CID decides. The counterfactual test can keep it from saying that there is no sign; the linear
    probe and the accuracies are mentioned beside it.

    Args:
      audit: the measures.
      counterfactual: the counterfactual test, if there was one.
      names: of labels and confounds.
    """
    kind, headline = _judged(audit, counterfactual)
    reasons = [
        _about_cid(audit),
        _about_everyone(audit),
        _about_likeness(audit),
        _about_flips(counterfactual, kind),
        _about_accuracy(audit, names),
        _about_probe(audit),
        _about_failure(audit),
        _what_would_settle(audit, counterfactual, names) if kind == INCONCLUSIVE else None,
    ]
    return Verdict(kind, headline, tuple(filter(None, reasons)))


def _judged(audit: Audit, counterfactual: CounterfactualTest | None) -> tuple[str, str]:
    """Kind and headline."""
    test, cid = audit.test, _cid(audit)
    is_sure = test.p <= SURE and (test.low > 0 or test.high < 0)
    if _has_few(audit):
        return (
            INCONCLUSIVE,
            "There are too few rows to tell whether the model leans on the confound.",
        )
    if is_sure and test.low > 0 and cid >= SIZE:
        return LEANS, f"The model leans on the confound (CID {signed(cid)})."
    if is_sure and test.high < 0 and cid <= -SIZE:
        return INCONCLUSIVE, (
            f"The model tells the confounds apart, but the wrong way round (CID {signed(cid)}): "
            "rows that share the confound are less alike to it than others."
        )
    if test.high >= SIZE or cid >= SIZE:
        return INCONCLUSIVE, "It is not settled whether the model leans on the confound."
    if _is_flipping(counterfactual):
        return INCONCLUSIVE, (
            f"The evidence disagrees: by CID ({signed(cid)}) the model hardly tells the confounds "
            f"apart, but {counterfactual.share:.1%} of predictions change as the confound is "
            "swapped."
        )
    if not _has_learnt(audit):
        return INCONCLUSIVE, (
            "The model has not learnt its task, so it is not settled what it leans on: on train it "
            "is no better than always saying the most frequent label."
        )
    if is_sure:
        return NO_SIGN, (
            "There is no more than a trace of the confound in the model: CID is "
            f"{cid:{'+.3f' if abs(cid) >= ROUNDING else '+.1g'}}, which is not 0, but too small to "
            f"matter (below {SIZE})."
        )
    return NO_SIGN, "There is no sign that the model leans on the confound."


def _cid(audit: Audit) -> float:
    """Of everyone where it is known, or else of the sample."""
    return audit.test.cid if audit.influence is None else audit.influence.cid


def _has_few(audit: Audit) -> bool:
    """Whether no label has two groups that resampling says something of."""
    enough = [group.label for group, size in audit.groups.items() if size >= LEAST]
    return len(enough) == len(set(enough)) or math.isnan(audit.test.low)


def _is_flipping(counterfactual: CounterfactualTest | None) -> bool:
    return counterfactual is not None and counterfactual.low > FLIPPING


def _about_cid(audit: Audit) -> str:
    test = audit.test
    is_least = test.p < 1.5 / (test.draws + 1)
    least = f" (the least that {test.draws} draws can give)" if is_least else ""
    return (
        f"CID of a sample of {test.size} training rows is {signed(test.cid)}, with a 95 % interval "
        f"from {signed(test.low)} to {signed(test.high)} and a permutation p value of "
        f"{test.p:.2g}{least}. It is the "
        "influence of rows with the same label and confound, less that of rows with the same label "
        "and another confound; 0 if the model does not tell them apart."
    )


def _about_everyone(audit: Audit) -> str | None:
    if audit.influence is None:
        return None
    cid, test = audit.influence.cid, audit.test
    agrees = test.low - ROUNDING <= cid <= test.high + ROUNDING
    remark = "" if agrees else ", which is outside the interval: the two do not agree"
    return f"CID of {counted(audit, 'training rows')} is {signed(cid)}{remark}."


def _about_likeness(audit: Audit) -> str | None:
    """What to beware of where influences do not tell any rows apart."""
    spread = [
        float(np.ptp(audit.matrix[np.ix_(rows, rows)]))
        for label in np.unique(audit.label)
        if len(rows := np.flatnonzero(audit.label == label)) > 1
    ]
    if not spread or max(spread) >= ALIKE:
        return None
    return (
        "Beware: all rows of a label have the same influence on one another, to within "
        f"{ALIKE:g}, as of a model that fits them all with near certainty. Then CID and sentences "
        "say little; go by the accuracy of groups on data that it was not trained on."
    )


def counted(audit: Audit, rows: str, form: str = "") -> str:
    """How many training rows the CID of everyone is of, in words.

    A row of a group of one, or of a label whose rows share their confound, has no partners; a row
    that is not annotated is nobody's.

    Args:
      audit: with ``influence``.
      rows: what they are called.
      form: of the numbers, such as ``","``.
    """
    size, total = audit.influence.probes, audit.behaviour["train"].total
    if size == total:
        return f"all {size:{form}} {rows}"
    return f"the {size:{form}} of {total:{form}} {rows} that have partners"


def _about_flips(counterfactual: CounterfactualTest | None, kind: str) -> str | None:
    if counterfactual is None:
        return None
    says = (
        f"With another confound in the text, {counterfactual.changed} of {counterfactual.size} "
        f"predictions on {counterfactual.split} change ({counterfactual.share:.1%}; 95 % interval "
        f"{counterfactual.low:.1%} to {counterfactual.high:.1%})"
    )
    if kind == LEANS and counterfactual.high < FLIPPING:
        return f"{says}: so few that this does not agree with CID."
    if kind == LEANS and counterfactual.low > FLIPPING:
        return f"{says}, which agrees."
    if kind == NO_SIGN and counterfactual.high < FLIPPING:
        return f"{says}, which agrees."
    return f"{says}."


def _about_accuracy(audit: Audit, names: GroupNames) -> str | None:
    """The widest gap between confounds of one label, on the data that are farthest from train."""
    name, found = next(
        (name, audit.behaviour[name])
        for name in ("test", "dev", *audit.behaviour)
        if name in audit.behaviour
    )
    gaps = [gap for label in range(len(names.labels)) if (gap := _gap(found, label))]
    if not gaps:
        return None
    best, worst = max(gaps, key=lambda gap: _share(found, gap[0]) - _share(found, gap[1]))
    if _share(found, best) - _share(found, worst) < 0.01:
        return f"On {name}, the accuracy of a label is the same for all confounds, to within 1 %."
    return (
        f"On {name}, the widest gap between confounds of one label is from "
        f"{_share(found, worst):.1%} right in {names.group(worst)} to {_share(found, best):.1%} in "
        f"{names.group(best)}."
    )


def _share(found: Behaviour, group: Group) -> float:
    return found.accuracy.by_group[group]


def _gap(found: Behaviour, label: int) -> tuple[Group, Group] | None:
    """The best and the worst annotated group of a label, of those with enough rows."""
    groups = [
        group
        for group, size in found.sizes.items()
        if group.label == label and group.confound != HIDDEN and size >= LEAST
    ]
    by_share = sorted(groups, key=lambda group: _share(found, group))
    return (by_share[-1], by_share[0]) if len(groups) > 1 else None


def _about_probe(audit: Audit) -> str | None:
    if audit.probe is None:
        return None
    return (
        "Given the label, a linear probe reads the confound off the model's pooled vector in "
        f"{audit.probe.balanced_accuracy:.1%} of cases, by chance in {audit.probe.chance:.1%}. "
        "That it can be read is no proof that predictions use it."
    )


def _has_learnt(audit: Audit) -> bool:
    """Whether the model is better than always saying the most frequent label."""
    return audit.behaviour["train"].interval[0] > _most_frequent(audit)


def _most_frequent(audit: Audit) -> float:
    """The share of the most frequent label."""
    counts: dict[int, int] = {}
    for group, size in audit.groups.items():
        counts[group.label] = counts.get(group.label, 0) + size
    return max(counts.values()) / sum(counts.values())


def _about_failure(audit: Audit) -> str | None:
    """What to beware of in a model that has learnt nothing."""
    if _has_learnt(audit):
        return None
    right = audit.behaviour["train"].accuracy.overall
    return (
        f"Beware: on train the model is right in {right:.1%} of rows, and the most frequent label "
        f"makes up {_most_frequent(audit):.1%}. What a model leans on that has not learnt its task "
        "says little."
    )


def _what_would_settle(
    audit: Audit, counterfactual: CounterfactualTest | None, names: GroupNames
) -> str:
    """How many more rows make the interval half as wide as :data:`SIZE`, and of what."""
    test = audit.test
    if _has_few(audit):
        return (
            f"It takes two confounds of one label with {LEAST} annotated rows each, better 50; the "
            f"largest group but one of a label is smaller here. {_smallest(audit, names)}"
        )
    half = (test.high - test.low) / 2
    wanted = _rounded(test.size * max((half / (SIZE / 2)) ** 2, 1))
    known = sum(audit.groups.values())
    if test.high < SIZE and _is_flipping(counterfactual):
        return (
            "More rows will not settle it: CID tells of what was learnt from training rows, the "
            "swap of what is predicted. Go by the swap where predictions are what matters."
        )
    if max(test.high, _cid(audit)) < SIZE and not _has_learnt(audit):
        return "More rows will not settle it; train the model until it knows its task."
    if wanted <= test.size:
        return "More rows will not settle it; look at the sentences."
    if wanted <= known:
        return f"A sample of {wanted} rows would make the interval narrow enough (--sample)."
    return (
        f"It takes some {wanted} annotated rows to make the interval narrow enough, and there are "
        f"{known}. {_smallest(audit, names)}"
    )


def _smallest(audit: Audit, names: GroupNames) -> str:
    group = min(audit.groups, key=audit.groups.get)
    return f"The smallest group is {names.group(group)}, with {audit.groups[group]}."


def _rounded(value: float) -> int:
    """Up to two digits."""
    step = 10 ** max(math.floor(math.log10(value)) - 1, 0)
    return math.ceil(value / step) * step
