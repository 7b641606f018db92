"""What was found out about candidates, and its order."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from itune.auditing.significance import CIDTest
from itune.discovery.association import Association
from itune.discovery.config import DiscoverConfig
from itune.discovery.confirmation import Counterfactual, ErrorGap
from itune.discovery.features.base import Feature
from itune.discovery.screening import Screening
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
      swap: What predictions do when its counterpart is put in its place; None if it has none.
      by_label: CID of each label on all rows that it was not found by, from sketches; NaN for
        labels with fewer than two rows that have it or lack it.
      is_core: Whether it is meant to count.
      examples: Some rows that have it against its usual label, or else any: number of the row, from
        0 in the table, its text, and the number of its label.
      exact: CID of a sample of these rows by exact influences; None if it was not measured, as of
        what is not confirmed.
      exact_p: Its p value, corrected for the number of findings that were confirmed; NaN if it was
        not measured.
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
    deletion: Counterfactual | None
    swap: Counterfactual | None
    by_label: tuple[float, ...]
    is_core: bool
    examples: tuple[tuple[int, str, int], ...]
    exact: CIDTest | None = None
    exact_p: float = math.nan

    @property
    def is_confirmed(self) -> bool:
        """Whether the model demonstrably uses it: CID above 0 on rows it was not found by."""
        return self.test is not None and self.p <= LEVEL and self.test.low > 0

    @property
    def is_harmful(self) -> bool:
        """Whether it is confirmed, not meant to count, and errors are more frequent against it."""
        return self.is_confirmed and not self.is_core and self.errors.low > 0

    def is_counterpart_of(self, other: "Finding") -> bool:
        """Return whether either of two findings is what the other one is swapped for."""
        one, two = self.feature, other.feature
        return (one.kind, one.text, one.slot) == (two.kind, two.text, two.slot) and (
            one.counterpart == f'"{two.surface}"' or two.counterpart == f'"{one.surface}"'
        )

    @property
    def rank(self) -> tuple[int, float, float]:
        """Key of their order: those that are used, by the least likely gap; core; others."""
        low = self.errors.low if math.isfinite(self.errors.low) else -1.0
        if self.is_confirmed and not self.is_core:
            return 0, -low, -self.z
        return 2 - self.is_confirmed, 0.0, -self.z


@dataclass(frozen=True, eq=False)
class Screened:
    """All C candidates, as they were screened.

    Attributes:
      features: The features.
      counts: Number of the rows looked at that have each, ``(C,)``.
      association: Association with the label in these rows.
      screening: Their CID in the rows that candidates were found by.
    """

    features: Sequence[Feature]
    counts: np.ndarray
    association: Association
    screening: Screening

    def to_rows(self, label_names: Sequence[str]) -> list[dict[str, Any]]:
        """Return one dict a candidate, the strongest first, as ``pandas.DataFrame`` takes it."""
        of, screening = self.association, self.screening
        return [
            {
                "feature": self.features[n].name,
                "kind": self.features[n].kind,
                "rows": int(self.counts[n]),
                "label": label_names[of.usual[n]],
                "rate": float(of.rate[n]),
                "association_z": float(of.z[n]),
                "pmi": float(of.pmi[n]),
                "screening_z": float(screening.z[n]),
                "explained": float(screening.explained[n]),
                **{
                    f"screened_cid {name}": float(value)
                    for name, value in zip(label_names, screening.cid[n], strict=False)
                },
                "settings": dict(self.features[n].settings),
            }
            for n in np.argsort(-screening.z, kind="stable").tolist()
        ]


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
      every: All candidates, as they were screened; None if that was not kept.
      is_constant: Whether the model predicts one label for all rows that errors were counted on,
        though they have several, so that no candidate moves its predictions.
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
    every: Screened | None = None
    is_constant: bool = False

    @property
    def confirmed(self) -> tuple[Finding, ...]:
        """Findings that the model demonstrably uses."""
        return tuple(finding for finding in self.findings if finding.is_confirmed)

    @property
    def groups(self) -> tuple[tuple[Finding, ...], ...]:
        """Findings that the model uses, but for those meant to count, in groups.

        One is in the group of another that is its counterpart, as brands are of a brand. A model
        that is tuned against one of them alone would go by the others.
        """
        groups: list[list[Finding]] = []
        for one in self.confirmed:
            if not one.is_core:
                joined = [group for group in groups if any(map(one.is_counterpart_of, group))]
                groups = [group for group in groups if group not in joined]
                groups.append([*(of for group in joined for of in group), one])
        order = {id(one): place for place, one in enumerate(self.findings)}
        groups = [sorted(group, key=lambda one: order[id(one)]) for group in groups]
        return tuple(map(tuple, sorted(groups, key=lambda group: order[id(group[0])])))

    @property
    def first(self) -> Finding | None:
        """The most harmful finding; None if none is confirmed to harm."""
        return next(filter(self.harms, self.findings), None)

    def harms(self, one: Finding) -> bool:
        """Return whether a finding is harmful, which none is to a model of constant predictions."""
        return one.is_harmful and not self.is_constant

    def to_rows(self) -> list[dict[str, Any]]:
        """Return one dict a finding, as ``pandas.DataFrame`` takes it."""
        together = {id(one): settings_of(group) for group in self.groups for one in group}
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
                "cid_by_label": dict(zip(self.label_names, one.by_label, strict=True)),
                "cid_exact": one.exact.cid if one.exact else math.nan,
                "cid_exact_low": one.exact.low if one.exact else math.nan,
                "cid_exact_high": one.exact.high if one.exact else math.nan,
                "exact_p": one.exact_p,
                "exact_rows": one.exact.size if one.exact else 0,
                "confirmed": one.is_confirmed,
                "harmful": self.harms(one),
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
                "changed_to": self._towards(one.deletion),
                "swapped": one.swap.size if one.swap else 0,
                "swapped_for": one.feature.counterpart or None,
                "swap_changed": one.swap.share if one.swap else math.nan,
                "swap_changed_to": self._towards(one.swap),
                "aliases": list(one.aliases),
                "settings": dict(one.feature.settings),
                "together": together.get(id(one), dict(one.feature.settings)),
            }
            for one in self.findings
        ]

    def candidates_to_rows(self) -> list[dict[str, Any]]:
        """Return one dict for each candidate that was screened, the strongest first.

        Besides association with the label it has the CID of each label, of the rows that candidates
        were found by, where the strongest look stronger than they are.
        """
        return self.every.to_rows(self.label_names) if self.every else []

    def _towards(self, change: Counterfactual | None) -> dict[str, int]:
        counts = change.towards if change else (0,) * len(self.label_names)
        return dict(zip(self.label_names, counts, strict=True))

    def _repr_html_(self) -> str:
        return html_of(self)


def settings_of(group: Sequence[Finding]) -> dict[str, str]:
    """Return settings of a table that make a confound of findings in one another's place."""
    first = dict(group[0].feature.settings)
    rules = [one.feature.settings["rule"] for one in group] if len(group) > 1 else []
    return first | ({"rule": " || ".join(rules)} if rules else {})
