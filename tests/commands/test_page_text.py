"""A page as a terminal shows it."""

from itune.commands.page_text import page_text
from itune.report import audit_page, run_page
from itune.report.accuracies import INTERVALS
from itune.report.audit import SECTIONS
from itune.report.blocks import Bar, Page, Section, Table
from itune.utils.visible import isolated
from tests.helpers.report_cases import ORIGIN, make_audit, make_run


def test_a_run():
    text = page_text(run_page(make_run(), ORIGIN), "Accuracy by group")
    lines = text.splitlines()
    assert "- CID is +0.030 ± 0.020 (+0.410 before round 1)." in lines
    assert "bad / Borealis                        0.400 worst  20" in lines
    assert "test   0.600     0.622                    0.400        bad / Borealis  180" in lines
    assert "Lines across" not in text and "How to make this again" not in text
    assert max(map(len, lines)) <= 100


def test_names_cannot_touch_the_terminal():
    rows = ((isolated("\u05d0"), Bar(0.5, "0.5")), ("\x1b[1m\n", None))
    table = Table("\x1b", ("name", "share"), rows, f"{INTERVALS} 3 more.")
    page = Page("a\x07", "", (), (Section("of", (table,)), Section("not", (table,))), "")
    assert page_text(page, "of").splitlines() == [
        *("a\ufffd", "", "", "\ufffd"),
        *("name  share", "\u05d0     0.5", "\ufffd[1m  –", "3 more."),
    ]


def test_an_audit():
    """Bars have their intervals, and sentences the confound in brackets, on one line each."""
    text = page_text(audit_page(make_audit()), *SECTIONS, with_intervals=True)
    lines = text.splitlines()
    assert lines[3] == "The model leans on the confound." and lines[4].startswith("- CID is +0.400")
    (worst,) = (line.split() for line in lines if "worst  20" in line)
    assert " ".join(worst) == "bad / Borealis 0.500 (0.299 to 0.701) worst 20"
    assert "Acme to Borealis  33.3% (22.7% to 45.9%)  60" in text
    assert "Row 4 of train: I love my [Acme]." in lines
    assert (
        "    +0.610  [Acme] again: five stars, [Acme]!  "
        "(row 18 of train, label good, confound Acme)"
    ) in lines
    assert "  Swapped: predicted bad\n    The [Borealis] is fine." in text
    assert "\x1b" not in text and "\x00" not in text
