"""The page of a tuned classifier."""

import pytest

from itune.report import render, tune_page
from tests.helpers.html_walk import Walk
from tests.helpers.report_cases import ORIGIN, make_tuned


@pytest.fixture(scope="module")
def html():
    return render(tune_page(make_tuned(), ORIGIN))


@pytest.fixture(scope="module")
def walk(html):
    return Walk(html)


def test_answer_and_numbers(walk):
    (answer,) = walk.text("div", class_="answer plain")
    assert "After influence tuning, CID is +0.030 (+0.410 before round 1)." in answer
    assert "Of test, 60.0% are classified rightly, and 40.0% in the worst group, bad / " in answer
    assert "Only 2 influence rounds fitted into the label steps." in answer
    assert walk.text("strong", dir="auto") == ["+0.030", "0.600", "0.400", "12 min"]
    assert "the confounds of 450 were seen" in walk.text("p", class_="subtitle")[0]


def test_figures(walk):
    cid, dev = (e.attributes["aria-label"] for e in walk.all("div", role="img"))
    assert "+0.410 at step 50 (before round 1), +0.020 at step 50 (after round 1)" in cid
    assert dev == (
        "Accuracy of all rows on dev: 0.400 at step 30, 0.700 at step 120. Accuracy of worst group "
        "on dev: 0.200 at step 30, 0.500 at step 120. The model is from step 90 (epoch 3)."
    )
    assert "selected" in walk.text("text")


def test_settings_that_decide(walk):
    assert {"encoder", "label.epochs", "influence.k"} <= {*walk.text("th", scope="row")}


def test_collapsed():
    walk = Walk(render(tune_page(make_tuned(has_collapsed=True), ORIGIN)))
    (answer,) = walk.text("div", class_="answer alarm")
    assert "The run has collapsed: it is no better than chance." in answer


def test_less_is_left_out():
    bare = {name: split._replace(groups=()) for name, split in make_tuned().accuracies.items()}
    found = make_tuned(before=None, selected=None, dev_course=(), accuracies=bare, notes=())
    walk = Walk(render(tune_page(found, ORIGIN)))
    assert len(walk.all("figure")) == 1 and len(walk.text("strong", dir="auto")) == 3
    assert "After influence tuning, CID is +0.030." in walk.text("div", class_="answer plain")[0]
    assert not walk.all("span", class_="bar")


def test_same_bytes(html):
    assert render(tune_page(make_tuned(), ORIGIN)) == html
