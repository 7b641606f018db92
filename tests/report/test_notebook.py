"""What a notebook shows of results: whole, without scripts, and of its own style only."""

import pytest

import itune
from tests.helpers.html_walk import Walk
from tests.helpers.report_cases import make_audit, make_comparison, make_run


def make_description():
    rows = [{"text": f"{n} it is", "label": n % 2, "confound": n // 3 % 2} for n in range(100)]
    return itune.describe(rows)


@pytest.mark.parametrize("make", [make_audit, make_comparison, make_run, make_description])
def test_results_show_themselves(make):
    html = make()._repr_html_()
    walk = Walk(html)  # every element is closed
    assert walk.elements[0].tag == "div" and walk.elements[0].attributes["class"] == "itune"
    (style,) = walk.text("style")
    assert style.strip().startswith(".itune {") and ":root {" not in style and "body {" not in style
    assert len(walk.all("h1")) == 1 and walk.all("table") and not walk.all("script")
    assert "How to make this again" not in html and len(html) < 100_000
