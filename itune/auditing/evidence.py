"""The evidence that a verdict weighs, its thresholds, and the kinds of verdict there are."""

import math
from typing import Final, Literal, NamedTuple

from itune.auditing.classifier import Audit
from itune.auditing.counterfactual import CounterfactualTest

Kind = Literal["leans", "no_sign", "inconclusive"]
LEANS: Final = "leans"
NO_SIGN: Final = "no_sign"
INCONCLUSIVE: Final = "inconclusive"

MEANINGFUL_CID = 0.05
"""Smallest CID that matters. Classifiers that never saw a confound have a CID below 0.01."""

SIGNIFICANCE = 0.05
"""Largest p value that counts as significant."""

MIN_ROWS = 8
"""Rows that each of two groups of a label must have; the interval of fewer says little."""

CHANGED_SHARE = 0.05
"""Share of predictions that change with the confound, from which on it is a sign."""


class Evidence(NamedTuple):
    """The measures that a verdict is based on.

    Attributes:
      audit: Measures of the model on its data.
      counterfactual: Counterfactual test; None if the confound cannot be swapped.
    """

    audit: Audit
    counterfactual: CounterfactualTest | None

    @property
    def cid(self) -> float:
        """CID of all training rows if it was computed, or else of the sample."""
        audit = self.audit
        return audit.test.cid if audit.influence is None else audit.influence.cid

    @property
    def is_significant(self) -> bool:
        """Whether the CID of the sample differs from 0, by its interval and by its p value."""
        test = self.audit.test
        return test.p <= SIGNIFICANCE and (test.low > 0 or test.high < 0)

    @property
    def has_few_rows(self) -> bool:
        """Whether no label has two groups that are large enough for an interval."""
        large = [group.label for group, size in self.audit.groups.items() if size >= MIN_ROWS]
        return len(large) == len(set(large)) or math.isnan(self.audit.test.low)

    @property
    def changed_share(self) -> float | None:
        """Share of predictions that change with the confound; None if they may be only a few."""
        test = self.counterfactual
        return test.share if test is not None and test.low > CHANGED_SHARE else None

    @property
    def has_learnt(self) -> bool:
        """Whether the model is clearly better than always predicting the most frequent label."""
        return self.audit.behaviour["train"].interval[0] > self.most_frequent_share

    @property
    def most_frequent_share(self) -> float:
        """Share of the most frequent label among annotated training rows."""
        counts: dict[int, int] = {}
        for group, size in self.audit.groups.items():
            counts[group.label] = counts.get(group.label, 0) + size
        return max(counts.values()) / sum(counts.values())
