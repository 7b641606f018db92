"""Audit a classifier: whether the confound sways it, and how certain that is."""

from itune.auditing.behaviour import Behaviour
from itune.auditing.cid_breakdown import CIDBreakdown, PairCID
from itune.auditing.classifier import Audit, audit_classifier
from itune.auditing.config import AuditConfig
from itune.auditing.counterfactual import ChangedPrediction, CounterfactualTest, SwapCount
from itune.auditing.explanations import Explanation, InfluentialRow, TrainingRow
from itune.auditing.linear import ErrorTrend, LinearAudit
from itune.auditing.linear_probe import LinearProbe
from itune.auditing.model import ModelAudit
from itune.auditing.plan import AuditPlan
from itune.auditing.quick_verdict import verdict_sentence
from itune.auditing.significance import CIDTest, cid_test
from itune.auditing.truncation import Truncation
from itune.auditing.verdict import Verdict

__all__ = [
    "Audit",
    "AuditConfig",
    "AuditPlan",
    "Behaviour",
    "CIDBreakdown",
    "CIDTest",
    "ChangedPrediction",
    "CounterfactualTest",
    "ErrorTrend",
    "Explanation",
    "InfluentialRow",
    "LinearAudit",
    "LinearProbe",
    "ModelAudit",
    "PairCID",
    "SwapCount",
    "TrainingRow",
    "Truncation",
    "Verdict",
    "audit_classifier",
    "cid_test",
    "verdict_sentence",
]
