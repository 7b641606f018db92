"""A page as a terminal shows it."""

from itune.commands.page_text import page_text
from itune.report import run_page
from itune.report.accuracies import INTERVALS
from itune.report.blocks import Bar, Page, Section, Table
from itune.utils.visible import isolated
from tests.helpers.report_cases import ORIGIN, make_run


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
