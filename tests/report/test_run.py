"""The page of a run."""

from dataclasses import replace

import pytest

from itune.report import run_page
from itune.report.render import render
from tests.helpers.html_walk import Walk
from tests.helpers.report_cases import ORIGIN, make_run


@pytest.fixture(scope="module")
def html():
    return render(run_page(make_run(), ORIGIN))


@pytest.fixture(scope="module")
def walk(html):
    return Walk(html)


def test_answer_and_numbers(walk):
    (answer,) = walk.text("div", class_="answer open")
    assert "Influence tuning with seed 3 is inconclusive: CID is near 0, but" in answer
    assert "CID is +0.030 ± 0.020 (+0.410 before round 1)." in answer
    assert "Of test, 60.0% are classified correctly, and 40.0% in the worst group, bad / " in answer
    assert "Only 2 influence rounds fitted into the label steps." in answer
    assert walk.text("strong", dir="auto") == ["+0.030", "0.600", "0.400", "12 min"]
    assert (
        "the confounds of 450 training examples were visible"
        in walk.text("p", class_="subtitle")[0]
    )


def test_figures(walk):
    cid, dev = (e.attributes["aria-label"] for e in walk.all("div", role="img"))
    assert "+0.410 at step 50 (before round 1), +0.020 at step 50 (after round 1)" in cid
    assert dev == (
        "Accuracy of all rows on dev: 0.400 at step 30, 0.700 at step 120. Accuracy of worst group "
        "on dev: 0.200 at step 30, 0.500 at step 120. The model is from step 90 (epoch 3)."
    )
    assert "best checkpoint" in walk.text("text")


def test_settings_that_decide(walk):
    assert {"encoder", "label.epochs", "influence.k"} <= {*walk.text("th", scope="row")}


def test_collapsed():
    walk = Walk(render(run_page(make_run(has_collapsed=True), ORIGIN)))
    (answer,) = walk.text("div", class_="answer alarm")
    assert "Influence tuning with seed 3 has collapsed: it is no better than chance" in answer


def test_less_is_left_out():
    bare = {name: replace(split, groups=()) for name, split in make_run().accuracies.items()}
    found = make_run(best_checkpoint=None, dev_history=(), accuracies=bare, notes=())
    walk = Walk(render(run_page(found, ORIGIN)))
    assert len(walk.all("figure")) == 1 and len(walk.text("strong", dir="auto")) == 3
    (answer,) = walk.text("div", class_="answer calm")
    assert "Influence tuning with seed 3 shows no sign of leaning on the confound." in answer
    assert not walk.all("span", class_="bar")


def test_same_bytes(html):
    assert render(run_page(make_run(), ORIGIN)) == html
