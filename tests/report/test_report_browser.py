"""The page of an audit in a real browser, where there is one."""

import re
import shutil
import subprocess
from html import escape

import pytest
from html_walk import Walk
from report_cases import ORIGIN, make_audit

from itune.report import audit_page, render, write_report

pytest.importorskip("jinja2")
pytest.importorskip("matplotlib")

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
BROWSER = next(filter(None, map(shutil.which, NAMES)), None)
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--enable-logging=stderr", "--dump-dom"),
)

pytestmark = pytest.mark.skipif(BROWSER is None, reason="no Chromium")


def opened(path, width):
    """The page's elements as the browser has them, and what it says on its console."""
    profile = path.with_suffix(".profile")
    command = [BROWSER, *FLAGS, f"--window-size={width},800", f"--user-data-dir={profile}"]
    run = subprocess.run([*command, path.as_uri()], capture_output=True, text=True, timeout=120)
    return run.stdout, [line for line in run.stderr.splitlines() if "CONSOLE" in line]


def test_it_renders_without_a_word_on_the_console(tmp_path):
    path = tmp_path / "report.html"
    write_report(audit_page(make_audit(), ORIGIN), path)
    html, messages = opened(path, 1280)
    assert messages == []
    walk, written = Walk(html), Walk(path.read_text())
    assert [e.tag for e in walk.elements] == [e.tag for e in written.elements]  # nothing to mend
    assert walk.text("h2") == written.text("h2")


def test_it_fits_a_phone(tmp_path):
    """In a frame, since the narrowest window is wider; no scroll bar takes of its width."""
    page = escape(render(audit_page(make_audit(), ORIGIN)))
    path = tmp_path / "frame.html"
    path.write_text(
        f'''<iframe width="360" height="9000" style="border: 0" srcdoc="{page}"></iframe>
        <script>
          const frame = document.querySelector("iframe")
          frame.onload = () => document.body.dataset.widths = [
            frame.contentWindow.innerWidth, frame.contentDocument.documentElement.scrollWidth
          ]
        </script>''',
        encoding="utf-8",
    )
    html, _ = opened(path, 1280)
    assert re.search('data-widths="([^"]*)"', html)[1] == "360,360"
