"""Reports: what an audit, a run or a comparison came to, as one page to look at."""

from itune.report.audit import audit_numbers, audit_page
from itune.report.comparison import comparison_page
from itune.report.discover import discover_numbers, discover_page
from itune.report.linear import linear_numbers, linear_page
from itune.report.origin import Origin
from itune.report.run import run_page
from itune.report.write import PAGE, write_report

__all__ = [
    "PAGE",
    "Origin",
    "audit_numbers",
    "audit_page",
    "comparison_page",
    "discover_numbers",
    "discover_page",
    "linear_numbers",
    "linear_page",
    "run_page",
    "write_report",
]
