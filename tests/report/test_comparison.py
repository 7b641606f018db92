"""The page of a comparison."""

from dataclasses import replace

import numpy as np
import pytest

from itune.report import comparison_page
from itune.report.render import render
from tests.helpers.html_walk import Walk
from tests.helpers.report_cases import ORIGIN, make_comparison


@pytest.fixture(scope="module")
def html():
    return render(comparison_page(make_comparison(), ORIGIN))


@pytest.fixture(scope="module")
def walk(html):
    return Walk(html)


def test_answer(walk):
    (answer,) = walk.text("div", class_="answer plain")
    assert answer.split("\n")[1].startswith("● Group dro is the best")
    assert "Better than finetuning: influence tuning, group dro." in answer


def test_seeds_do_not_tell():
    walk = Walk(render(comparison_page(make_comparison(seeds=(1, 2)), ORIGIN)))
    (answer,) = walk.text("div", class_="answer open")
    assert "? 2 seeds do not tell any method from finetuning" in answer
    assert walk.text("h2")[0] == "Accuracy on test"


def test_table(walk):
    rows = [e for e in walk.elements if e.tag == "tr" and "tbody" in e.parents][:3]
    groups = ["".join(row.text) for row in rows]
    means = [0.63 + 0.1 * place + 0.2 / 9 for place in range(3)]
    assert all(f"{mean:.3f} ± 0.016" in group for mean, group in zip(means, groups, strict=True))
    assert groups[0].endswith("0 of 5––") and groups[1].endswith("0 of 5+0.1000.016")
    assert "+0.330 ± 0.000" in groups[0] and "2.0 ± 0.0" in groups[0]


def test_figures(walk):
    seeds, cid = (e.attributes["aria-label"] for e in walk.all("div", role="img"))
    marks = ", ".join(f"{0.61 + 0.01 * n + 0.2 / 9:.3f}" for n in range(5))
    assert seeds.startswith(
        f"finetuning: group-balanced accuracy {0.63 + 0.2 / 9:.3f} ({marks}), worst group"
    )
    assert "group dro: CID ends at +0.030, +0.030" in cid and "in the mean at +0.030." in cid
    texts = walk.text("text")
    assert {"+0.330 at the end", "+0.030 at the end", f"{0.63 + 0.2 / 9:.3f}"} <= {*texts}


def test_groups_by_method(walk):
    heads = walk.text("th", scope="col")
    place = heads.index("label / confound")
    assert heads[place : place + 5] == [
        *("label / confound", "finetuning", "influence tuning", "group dro", "rows")
    ]
    found = [e for e in walk.elements if e.tag == "tr" and "tbody" in e.parents][3:12]
    expected = np.array([0.43, 0.53, 0.63])
    assert (
        "".join(found[1].text)
        == "bad / Borealis" + "".join(f"{value:.3f}" for value in expected) + "20"
    )


def test_collapsed_runs_are_told():
    found = make_comparison(methods=("finetuning",), seeds=(1,))
    (method,) = found.methods
    page = comparison_page(replace(found, methods=(replace(method, collapsed=1),)), ORIGIN)
    text = "".join(Walk(render(page)).text("main"))
    assert "1 run is no better than chance on the training data (collapsed)" in text
    assert "There is one method only" in text


def test_same_bytes(html):
    assert render(comparison_page(make_comparison(), ORIGIN)) == html
