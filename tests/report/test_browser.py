"""Reports in a real browser, where there is one."""

import shutil
import subprocess
from html import escape

import pytest

from itune.report import audit_page, comparison_page, render, run_page
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

WHY = "no Chromium here to look at reports with; the tests beside this read their HTML"
pytestmark = pytest.mark.skipif(BROWSER is None, reason=WHY)


@pytest.fixture(scope="module")
def pages():
    found = (
        audit_page(make_audit(), ORIGIN),
        run_page(make_run(), ORIGIN),
        comparison_page(make_comparison(), ORIGIN),
    )
    return list(map(render, found))


def opened(html, folder):
    """A page's elements as the browser has them, and what it says on its console."""
    path = folder / "page.html"
    path.write_text(html, encoding="utf-8")
    command = [BROWSER, *FLAGS, f"--user-data-dir={folder / 'profile'}", path.as_uri()]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stderr
    return Walk(run.stdout), [line for line in run.stderr.splitlines() if "CONSOLE" in line]


def test_it_renders_without_a_word_on_the_console(pages, tmp_path):
    shown, messages = opened(pages[0], tmp_path)
    assert messages == []
    written = Walk(pages[0])
    assert [e.tag for e in shown.elements] == [e.tag for e in written.elements]  # nothing to mend
    assert shown.text("h2") == written.text("h2")


def test_they_fit_a_phone(pages, tmp_path):
    """In frames, since no window is that narrow; tall ones, so that no scroll bar takes room."""
    frame = '<iframe width="360" height="20000" style="border: 0" srcdoc="{}"></iframe>'
    frames = "".join(frame.format(escape(page)) for page in pages)
    shown, messages = opened(f"<!DOCTYPE html>{frames}{FRAMES}", tmp_path)
    assert messages == []
    assert shown.all("body")[0].attributes["data-widths"] == ",".join(["360,360"] * 3)
