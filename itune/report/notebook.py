"""What a notebook shows of a result: the lead of its page, key tables and figures."""

from collections.abc import Callable
from typing import Any

from itune.auditing import LinearAudit, ModelAudit
from itune.discovery import Discovery
from itune.report.audit import audit_page
from itune.report.blocks import Page
from itune.report.comparison import comparison_page
from itune.report.describe import describe_page
from itune.report.discover import discover_page
from itune.report.linear import linear_page
from itune.report.render import render_fragment
from itune.report.run import run_page
from itune.results import Comparison, RunResult
from itune.tables.description import Description

PAGES: dict[type, Callable[[Any], Page]] = {
    Comparison: comparison_page,
    Description: describe_page,
    Discovery: discover_page,
    LinearAudit: linear_page,
    ModelAudit: audit_page,
    RunResult: run_page,
}
"""What makes the page of each kind of result."""


def fragment(result: Any) -> str:
    """Return a result of a kind in :data:`PAGES` as HTML for a notebook's cell."""
    return render_fragment(PAGES[type(result)](result))
