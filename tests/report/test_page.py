"""The page of an audit: whole, harmless, legible without colour and without eyes."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest

from itune.auditing import PairCID
from itune.errors import UserError
from itune.groups import GroupNames
from itune.plots.influences import Influences
from itune.report import audit_numbers, audit_page, write_report
from itune.report.accuracies import group_table
from itune.report.audit import influence_figure
from itune.report.render import render
from itune.utils.visible import visible
from tests.helpers.html_walk import Walk
from tests.helpers.report_cases import BRANDS, HEBREW, LONG, MEAN, ORIGIN, make_audit


@pytest.fixture(scope="module")
def html():
    return render(audit_page(make_audit(), ORIGIN))


@pytest.fixture(scope="module")
def walk(html):
    return Walk(html)


def test_structure(walk):
    assert walk.declarations == ["DOCTYPE html"]
    assert walk.all("html")[0].attributes == {"lang": "en"}
    assert walk.all("meta", charset="utf-8") and walk.all("meta", name="viewport")
    assert [len(walk.all(tag)) for tag in ("html", "head", "body", "main", "h1", "title")] == [
        1
    ] * 6
    levels = [int(e.tag[1]) for e in walk.elements if re.fullmatch("h[1-6]", e.tag)]
    assert levels[0] == 1 and all(b <= a + 1 for a, b in zip(levels, levels[1:], strict=False))
    ids = [e.attributes["id"] for e in walk.elements if "id" in e.attributes]
    assert len(ids) == len(set(ids))


def test_verdict_comes_first(walk):
    main = [e for e in walk.elements if e.parents == ("html", "body", "main")]
    assert [e.tag for e in main[:3]] == ["div", "p", "dl"] and main[3].tag == "nav"
    assert "The model leans on the confound." in "".join(main[0].text)
    titles = walk.text("h2")
    assert titles[0] == "What influences what" and titles[-1] == "How to make this again"
    assert walk.text("a") == titles


def test_nothing_from_elsewhere_and_nothing_that_runs(walk, html):
    names = {name for e in walk.elements for name in e.attributes}
    assert not names & {"src", "srcset", "action", "data", "background", "poster"}
    assert not [name for name in names if name.startswith("on") or ":" in name]
    assert not {e.tag for e in walk.elements} & {
        "script",
        "iframe",
        "object",
        "link",
        "img",
        "base",
    }
    ids = {e.attributes.get("id") for e in walk.elements}
    references = [e.attributes["href"] for e in walk.elements if "href" in e.attributes]
    assert references and all(href[0] == "#" and href[1:] in ids for href in references)
    assert all(name[1:] in ids for name in re.findall(r"url\(([^)]*)\)", html))
    assert not re.search("http|//|@import", "".join(walk.text("style")))
    policy = walk.all("meta", **{"http-equiv": "Content-Security-Policy"})[0].attributes["content"]
    assert "default-src 'none'" in policy and "script" not in policy


def test_every_text_is_shown_and_escaped(walk, html):
    assert "<script" not in html and "<img" not in html and "\x00" not in html
    texts = walk.text("p", class_="text")
    assert texts.count(visible(MEAN)) == 2 and HEBREW in texts
    assert all(e.attributes["dir"] == "auto" for e in walk.all("p", class_="text"))
    assert any(BRANDS[2] in text for text in walk.text("th"))


def test_confounds_are_marked_and_long_texts_cut(walk):
    assert walk.text("mark")[:2] == ["Acme", "Borealis"]  # of a flip
    assert walk.text("mark").count("Acme") == 7
    (long,) = (text for text in walk.text("p", class_="text") if "rattles" in text)
    assert "My Acme broke." in long and len(long) < 600
    assert f"shortened from {len(LONG):,} characters" in "".join(walk.text("p", class_="facts"))


def test_figures_say_what_they_show(walk):
    figures = walk.all("figure")
    images = walk.all("div", role="img")
    assert len(figures) == len(images) == len(walk.all("figcaption")) == len(walk.all("svg")) == 1
    assert (
        "Label bad: with the same confound the mean influence is 0.7"
        in (images[0].attributes["aria-label"])
    )
    assert len(re.findall(r"-?\d\.\d\d", images[0].attributes["aria-label"])) == 3 * 7


def test_tables_have_captions_and_heads(walk):
    tables = walk.all("table")
    assert len(tables) == len(walk.all("caption")) == 5
    assert all(e.attributes.get("scope") in ("row", "col") for e in walk.all("th"))
    rows = [e for e in walk.elements if e.tag == "tr" and "tbody" in e.parents]
    assert len(walk.all("th", scope="row")) == len(rows)


def test_bars(walk):
    fills = walk.all("span", class_="fill") + walk.all("span", class_="fill marked")
    assert {e.attributes["style"] for e in fills} >= {"width: 50%", "width: 97%", "width: 33.33%"}
    assert walk.text("strong", class_="tag") == ["worst"]  # one group of four that are equal


def test_numbers_are_those_of_the_file(tmp_path, walk):
    found = make_audit()
    write_report(audit_page(found, ORIGIN), audit_numbers(found), tmp_path, ORIGIN)

    def refuse(constant):
        raise AssertionError(constant)

    told = json.loads((tmp_path / "report.json").read_text(), parse_constant=refuse)
    test, counterfactual = told["audit"]["test"], told["counterfactual"]
    tiles, texts = walk.text("strong", dir="auto"), {*walk.text("text")}
    assert tiles[0] == f"{told['audit']['influence']['cid']:+.3f}"
    notes = walk.text("dd")[0]
    assert all(f"{test[key]:+.3f}" in notes for key in ("cid", "low", "high"))
    assert tiles[2] == f"{counterfactual['share']:.1%}"
    groups = told["audit"]["behaviour"]["test"]["accuracy"]["by_group"]
    assert tiles[1] == f"{min(groups.values()):.3f}"
    assert "accuracy of the worst group of test" in walk.text("dt")
    assert tiles[3] == f"{told['audit']['probe']['balanced_accuracy']:.3f}"
    assert told["audit"]["influence"]["pairs"][0]["cid"] is None  # not a number
    for label, groups in told["influences"].items():
        same, different = groups["same"]["mean"], groups["different"]["mean"]
        assert {f"same confound: {same:.2f}", f"different confound: {different:.2f}"} <= texts
        assert f"label {label}" in texts
    assert told["audit"]["matrix"] is None and len(told["audit"]["sample"]) == 60


def test_same_bytes(html):
    assert render(audit_page(make_audit(), ORIGIN)) == html


def test_command_can_be_copied(walk):
    import shlex

    (command,) = walk.text("code")
    assert tuple(shlex.split(command.replace("\\\n", " "))) == ORIGIN.command


def test_less_is_left_out():
    found = make_audit(explanations=(), counterfactual=None, notes=())
    audit = replace(found.audit, influence=None, probe=None)
    verdict = found.verdict._replace(kind="inconclusive", reasons=())
    walk = Walk(render(audit_page(replace(found, audit=audit, verdict=verdict), ORIGIN)))
    assert len(walk.text("h2")) == 4 and not walk.all("article")
    left_out = "CID of all training examples was left out; it is estimated to take 1.5 min."
    assert left_out in "".join(walk.text("section"))
    assert walk.all("div", class_="answer open")


def test_rows_without_partners_are_not_counted():
    found = make_audit(explanations=(), counterfactual=None)
    influence = replace(found.audit.influence, probes=880)
    few = replace(found, audit=replace(found.audit, influence=influence))
    for of, words in ((found, "all 900 training examples"), (few, "the 880 of 900 training exam")):
        walk = Walk(render(audit_page(of, ORIGIN)))
        assert walk.text("dt")[0].startswith(f"CID of {words}")
        assert any(note.startswith(f"CID is of {words}") for note in walk.text("p", class_="note"))


@pytest.mark.parametrize("kind", ["leans", "no_sign", "inconclusive"])
def test_kinds_differ_without_colour(kind):
    found = make_audit(explanations=(), counterfactual=None)
    page = audit_page(replace(found, verdict=found.verdict._replace(kind=kind)), ORIGIN)
    sign = Walk(render(page)).text("span", class_="sign")
    assert sign == [{"leans": "▲", "no_sign": "○", "inconclusive": "?"}[kind]]


def test_long_tables_are_cut():
    found = make_audit(explanations=(), counterfactual=None)
    pairs = tuple(PairCID(0, 0, 1, n / 1000, (2, 3)) for n in range(1500))
    influence = replace(found.audit.influence, pairs=pairs)
    page = audit_page(replace(found, audit=replace(found.audit, influence=influence)), ORIGIN)
    walk = Walk(render(page))
    assert "1,460 more rows are in report.json." in walk.text("p", class_="note")
    text = "".join(walk.text("table"))
    assert "+1.499" in text and "+1.460" in text and "+1.459" not in text
    rows = [(f"group {n}", 1 - n / 1000, 10) for n in range(100)]
    table = group_table("many", rows, "group 99")
    assert len(table.rows) == 40 and table.rows[0][0] == "group 99"


def test_written_whole_or_not_at_all(tmp_path, html):
    page = audit_page(make_audit(), ORIGIN)
    path = tmp_path / "new" / "report.html"
    write_report(page, {}, path.parent, ORIGIN)
    assert path.read_text(encoding="utf-8") == html and len(list(path.parent.iterdir())) == 2
    with pytest.raises(UserError, match="^cannot write .*: File exists; choose another folder$"):
        write_report(page, {}, path, ORIGIN)


def test_small_labels_are_counted():
    found = make_audit()
    panel = Influences(np.arange(4.0), np.full(4, 0.25), np.full(4, 0.25))
    by_label = {y: replace(panel, share=1 / (y + 1)) for y in range(8)}
    names = GroupNames(tuple(f"kind {y}" for y in range(8)), found.confound_names)
    figure = influence_figure(by_label, names)
    assert "2 smaller labels are not drawn" in figure.caption and "kind 6" not in figure.alt
