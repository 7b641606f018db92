"""The evidence that a verdict weighs, its thresholds, and the kinds of verdict there are."""

import math
from typing import Final, Literal, NamedTuple

import numpy as np

from itune.auditing.classifier import Audit
from itune.auditing.counterfactual import CounterfactualTest
from itune.auditing.truncation import Truncation
from itune.groups import Group, count_groups

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


UNSEEN_SHARE = 0.1
"""Share of rows in which a measure sees nothing, from which on it is no sign that nothing is there:
rows without gradient, and rows whose confound the model does not read."""

SMALL, SKEWED = 20, 10
"""The interval may be too narrow if the sample has fewer rows of a group than the first number, and
so many times as many of another as the second."""


class Evidence(NamedTuple):
    """The measures that a verdict is based on.

    Attributes:
      audit: Measures of the model on its data.
      counterfactual: Counterfactual test; None if the confound cannot be swapped.
      truncation: What the model does not read of its training rows; None if that is not known.
    """

    audit: Audit
    counterfactual: CounterfactualTest | None
    truncation: Truncation | None = None

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
    def unread_share(self) -> float:
        """Share of rows whose confound the model does not read, in train or in swapped texts."""
        swaps = self.counterfactual.unread_share if self.counterfactual else 0.0
        return max(swaps, self.truncation.beyond_share if self.truncation else 0.0)

    @property
    def small_group(self) -> Group | None:
        """A small group of the sample beside one many times as large; None if there is none."""
        sample = count_groups(self.audit.label, self.audit.confound)
        for label in np.unique(sample.label):
            of_label = sample.label == label
            sizes, confounds = sample.size[of_label], sample.confound[of_label]
            least = np.argmin(sizes)
            if sizes[least] < SMALL and sizes.max() >= SKEWED * sizes[least]:
                return Group(int(label), int(confounds[least]))
        return None

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
