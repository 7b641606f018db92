"""The page of a search: its answers, and its table in any order."""

import re

from itune.report.blocks import Page, Section, Table
from itune.report.render import render
from tests.helpers.html_walk import Walk

ROWS = (("b", "+0.5 (0.1 to 0.9)", 3), ("a", "–", 1200), ("c", "+1.5", None))


def test_rows_have_a_place_for_each_order():
    table = Table("Candidates", ("name", "CID", "rows"), ROWS, is_sortable=True)
    html = render(Page("t", "s", (), (Section("one", (table,)),), ""))
    styles = re.findall(r"<tr style=\"([^\"]*)\">", html)
    assert styles == [
        "--by-0: 1; --by-1: 1; --by-2: 1",
        "--by-0: 0; --by-1: 2; --by-2: 0",
        "--by-0: 2; --by-1: 0; --by-2: 2",
    ]
    assert len(Walk(html).all("input", type="radio")) == 4


def test_other_tables_have_none():
    html = render(Page("t", "s", (), (Section("one", (Table("x", ("a", "b"), (("1", 2),)),)),), ""))
    assert "--by-" not in html.partition("</style>")[2] and "<input" not in html
