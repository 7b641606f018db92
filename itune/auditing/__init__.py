"""Audit a classifier: whether the confound sways it, and how certain that is."""

from itune.auditing.behaviour import Behaviour, measure_behaviour
from itune.auditing.cid_breakdown import CIDBreakdown, PairCID, break_down_cid
from itune.auditing.classifier import Audit, audit_classifier
from itune.auditing.config import AuditConfig
from itune.auditing.counterfactual import ChangedPrediction, CounterfactualTest, SwapCount
from itune.auditing.explanations import Explanation, InfluentialRow, TrainingRow
from itune.auditing.linear_probe import LinearProbe, run_linear_probe
from itune.auditing.model import ModelAudit, audit_model
from itune.auditing.plan import AuditPlan
from itune.auditing.quick_verdict import run_verdict, verdict_sentence
from itune.auditing.samples import draw_sample
from itune.auditing.significance import CIDTest, cid_test
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
    "Explanation",
    "InfluentialRow",
    "LinearProbe",
    "ModelAudit",
    "PairCID",
    "SwapCount",
    "TrainingRow",
    "Verdict",
    "audit_classifier",
    "audit_model",
    "break_down_cid",
    "cid_test",
    "draw_sample",
    "measure_behaviour",
    "run_linear_probe",
    "run_verdict",
    "verdict_sentence",
]
