"""What was found out about candidates, and its order."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from itune.auditing.significance import CIDTest
from itune.discovery.config import DiscoverConfig
from itune.discovery.confirmation import Deletion, ErrorGap
from itune.discovery.features.base import Feature
from itune.metrics.corrections import LEVEL
from itune.utils.notebook import html_of


@dataclass(frozen=True, eq=False)
class Finding:
    """What was found out about one candidate.

    Attributes:
      feature: The feature.
      aliases: Names of further features of the same rows.
      count: Number of the rows looked at that have the feature.
      usual: Number of the label that it speaks for.
      rate: Share of that label among the rows with the feature.
      association: The z statistic of that share.
      pmi: Pointwise mutual information of feature and label, in nats.
      z: CID in the screened rows, in standard deviations of a feature that rows have at random.
      explained: Estimated share of the variance of unit gradients within labels that the feature
        explains in the screened rows.
      test: CID of rows that it was not found by, from sketches, with interval and p value; None if
        no label has rows of both kinds among them.
      p: The p value of the test, corrected for the number of candidates that were tested.
      errors: Errors on rows against the usual label, and elsewhere.
      deletion: What predictions do when the feature is deleted; None if it cannot be.
      is_core: Whether it is meant to count.
      examples: Some rows that have it against its usual label, or else any: number of the row, from
        0 in the table, its text, and the number of its label.
      exact: CID of a sample of these rows by exact influences; None if it was not measured.
    """

    feature: Feature
    aliases: tuple[str, ...]
    count: int
    usual: int
    rate: float
    association: float
    pmi: float
    z: float
    explained: float
    test: CIDTest | None
    p: float
    errors: ErrorGap
    deletion: Deletion | None
    is_core: bool
    examples: tuple[tuple[int, str, int], ...]
    exact: CIDTest | None = None

    @property
    def is_confirmed(self) -> bool:
        """Whether the model demonstrably uses it: CID above 0 on rows it was not found by."""
        return self.test is not None and self.p <= LEVEL and self.test.low > 0

    @property
    def is_harmful(self) -> bool:
        """Whether it is confirmed, not meant to count, and errors are more frequent against it."""
        return self.is_confirmed and not self.is_core and self.errors.low > 0

    @property
    def rank(self) -> tuple[int, float, float]:
        """Key of their order: those that are used, by the least likely gap; core; others."""
        low = self.errors.low if math.isfinite(self.errors.low) else -1.0
        if self.is_confirmed and not self.is_core:
            return 0, -low, -self.z
        return 2 - self.is_confirmed, 0.0, -self.z


@dataclass(frozen=True, eq=False)
class Discovery:
    """What a model leans on, as far as candidates that were made show it.

    Attributes:
      model: Folder of the model.
      label_names: Names of the labels, by number.
      findings: Candidates that were tested, the most harmful of those that the model uses first.
      candidates: Number of candidates that were screened.
      screened: Number of training rows that candidates were found by.
      confirming: Number of training rows that candidates were tested on.
      judged_on: Rows that errors and deletions were counted on, such as ``dev and test``.
      judged: Number of these rows.
      accuracy: Accuracy on them.
      config: Settings of the search.
      digest: SHA-256 of the data, in hexadecimal.
      notes: Further remarks, one sentence each.
      table: Settings of the table that are not the defaults, without its confound, by name; None in
        place of rows that were given in Python. The whole is None if only the model's run knows it.
      encoder: Encoder of the model's run; None if that is the default, or not known.
    """

    model: str
    label_names: tuple[str, ...]
    findings: tuple[Finding, ...]
    candidates: int
    screened: int
    confirming: int
    judged_on: str
    judged: int
    accuracy: float
    config: DiscoverConfig
    digest: str
    notes: tuple[str, ...] = ()
    table: Mapping[str, Any] | None = None
    encoder: str | None = None

    @property
    def confirmed(self) -> tuple[Finding, ...]:
        """Findings that the model demonstrably uses."""
        return tuple(finding for finding in self.findings if finding.is_confirmed)

    @property
    def first(self) -> Finding | None:
        """The most harmful finding; None if none is confirmed to harm."""
        return next((finding for finding in self.findings if finding.is_harmful), None)

    def to_rows(self) -> list[dict[str, Any]]:
        """Return one dict a finding, as ``pandas.DataFrame`` takes it."""
        return [
            {
                "feature": one.feature.name,
                "kind": one.feature.kind,
                "rows": one.count,
                "label": self.label_names[one.usual],
                "rate": one.rate,
                "association_z": one.association,
                "pmi": one.pmi,
                "screening_z": one.z,
                "explained": one.explained,
                "cid": one.test.cid if one.test else math.nan,
                "cid_low": one.test.low if one.test else math.nan,
                "cid_high": one.test.high if one.test else math.nan,
                "p": one.p,
                "cid_exact": one.exact.cid if one.exact else math.nan,
                "cid_exact_low": one.exact.low if one.exact else math.nan,
                "cid_exact_high": one.exact.high if one.exact else math.nan,
                "confirmed": one.is_confirmed,
                "harmful": one.is_harmful,
                "core": one.is_core,
                "against": one.errors.size,
                "error_against": one.errors.error,
                "error_elsewhere": one.errors.elsewhere,
                "gap": one.errors.gap,
                "gap_low": one.errors.low,
                "gap_high": one.errors.high,
                "worst_group": one.errors.worst_group,
                "deleted": one.deletion.size if one.deletion else 0,
                "changed": one.deletion.share if one.deletion else math.nan,
                "aliases": list(one.aliases),
                "settings": dict(one.feature.settings),
            }
            for one in self.findings
        ]

    def _repr_html_(self) -> str:
        return html_of(self)
