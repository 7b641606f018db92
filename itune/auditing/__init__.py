"""Auditing a classifier: whether the confound sways it, and how sure that is."""

from itune.auditing.audit import Audit, audit
from itune.auditing.behaviour import Behaviour, behaviour
from itune.auditing.config import AuditConfig
from itune.auditing.counterfactual import ChangedPrediction, CounterfactualTest
from itune.auditing.explanations import Explanation, Influential
from itune.auditing.influence import InfluenceAudit, PairCID, influence_audit
from itune.auditing.linear_probe import LinearProbe, linear_probe
from itune.auditing.model import ModelAudit, audit_model
from itune.auditing.uncertainty import CIDTest, cid_test, draw_sample
from itune.auditing.verdict import Verdict

__all__ = [
    "Audit",
    "AuditConfig",
    "Behaviour",
    "CIDTest",
    "ChangedPrediction",
    "CounterfactualTest",
    "Influential",
    "InfluenceAudit",
    "LinearProbe",
    "ModelAudit",
    "PairCID",
    "Explanation",
    "Verdict",
    "audit",
    "audit_model",
    "behaviour",
    "cid_test",
    "draw_sample",
    "influence_audit",
    "linear_probe",
]
