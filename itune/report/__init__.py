"""Reports: what an audit, a tuned classifier or a comparison came to, as one page to look at."""

from itune.report.audit import audit_page
from itune.report.origin import Origin
from itune.report.render import render, require_jinja
from itune.report.write import write_report

__all__ = ["Origin", "audit_page", "render", "require_jinja", "write_report"]
