"""Auditing a classifier: whether the confound sways it, and how sure that is."""

from itune.audit.audit import Audit, AuditConfig, audit
from itune.audit.behaviour import Behaviour, behaviour
from itune.audit.influence import InfluenceAudit, PairCID, influence_audit
from itune.audit.linear_probe import LinearProbe, linear_probe
from itune.audit.uncertainty import CIDTest, cid_test, draw_sample

__all__ = [
    "Audit",
    "AuditConfig",
    "Behaviour",
    "CIDTest",
    "InfluenceAudit",
    "LinearProbe",
    "PairCID",
    "audit",
    "behaviour",
    "cid_test",
    "draw_sample",
    "influence_audit",
    "linear_probe",
]
