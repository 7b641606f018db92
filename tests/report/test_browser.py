"""Reports in a real browser, where one is installed."""

import shutil
import subprocess
from dataclasses import replace
from html import escape

import pytest

from itune.discovery.confirmation import Counterfactual
from itune.report import audit_page, comparison_page, discover_page, run_page
from itune.report.render import render
from tests.discovery.test_findings import finding, search, word
from tests.helpers.html_walk import Walk
from tests.helpers.report_cases import ORIGIN, make_audit, make_comparison, make_run

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
BROWSER = next(filter(None, map(shutil.which, NAMES)), None)
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--enable-logging=stderr", "--dump-dom", "--window-size=1280,900"),
)
FRAMES = """
<script>
  onload = () => {
    const frames = [...document.querySelectorAll("iframe")]
    document.body.dataset.widths = frames.map(frame =>
      [frame.contentWindow.innerWidth, frame.contentDocument.documentElement.scrollWidth])
  }
</script>
"""

pytestmark = pytest.mark.skipif(BROWSER is None, reason="needs Chromium, no package of Python")


@pytest.fixture(scope="module")
def pages():
    built = (
        audit_page(make_audit(), ORIGIN),
        run_page(make_run(), ORIGIN),
        comparison_page(make_comparison(), ORIGIN),
        discover_page(make_search(), ORIGIN),
    )
    return list(map(render, built))


def make_search():
    """A search whose names and labels are long, with every table."""
    labels = tuple(f"{name} {'x' * 20}" for name in ("no", "yes"))
    one = word("supercalifragilistic", "and another phrase", slot="2")
    change = Counterfactual(1000, 300, 0.27, 0.33, 200, (100, 200))
    one = replace(one, deletion=change, swap=change)
    return search(findings=(one, finding("b")), label_names=labels, table={"train": "t.csv"})


def opened(html, folder):
    """Return a page as the browser parses it, and the lines of the browser's console."""
    path = folder / "page.html"
    path.write_text(html, encoding="utf-8")
    command = [BROWSER, *FLAGS, f"--user-data-dir={folder / 'profile'}", path.as_uri()]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stderr
    return Walk(run.stdout), [line for line in run.stderr.splitlines() if "CONSOLE" in line]


def test_a_page_needs_no_mending_and_no_console_message(pages, tmp_path):
    shown, messages = opened(pages[0], tmp_path)
    assert messages == []
    written = Walk(pages[0])
    assert [e.tag for e in shown.elements] == [e.tag for e in written.elements]
    assert shown.text("h2") == written.text("h2")


def test_pages_fit_a_phone(pages, tmp_path):
    """Pages are shown in frames as wide as a phone, and so tall that they need no scroll bar."""
    frame = '<iframe width="360" height="20000" style="border: 0" srcdoc="{}"></iframe>'
    frames = "".join(frame.format(escape(page)) for page in pages)
    shown, messages = opened(f"<!DOCTYPE html>{frames}{FRAMES}", tmp_path)
    assert messages == []
    assert shown.all("body")[0].attributes["data-widths"] == ",".join(["360,360"] * 4)
