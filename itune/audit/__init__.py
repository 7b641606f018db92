"""Auditing a classifier: whether the confound sways it, and how sure that is."""

from itune.audit.audit import Audit, audit
from itune.audit.behaviour import Behaviour, behaviour
from itune.audit.config import AuditConfig
from itune.audit.flips import Flip, Flips
from itune.audit.influence import InfluenceAudit, PairCID, influence_audit
from itune.audit.linear_probe import LinearProbe, linear_probe
from itune.audit.model import ModelAudit, audit_model
from itune.audit.sentences import Influential, Reading
from itune.audit.uncertainty import CIDTest, cid_test, draw_sample
from itune.audit.verdict import Verdict

__all__ = [
    "Audit",
    "AuditConfig",
    "Behaviour",
    "CIDTest",
    "Flip",
    "Flips",
    "Influential",
    "InfluenceAudit",
    "LinearProbe",
    "ModelAudit",
    "PairCID",
    "Reading",
    "Verdict",
    "audit",
    "audit_model",
    "behaviour",
    "cid_test",
    "draw_sample",
    "influence_audit",
    "linear_probe",
]
