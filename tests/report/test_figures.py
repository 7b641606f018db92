"""Figures of reports."""

import re
from dataclasses import replace

import numpy as np
import pytest

from itune.auditing import cid_test
from itune.groups import Group, GroupNames
from itune.report.cid import cid_figure
from itune.report.drawing import FIRST, draw
from itune.report.influences import LabelInfluences, influences_by_label, influences_figure
from itune.results import CIDEvaluation
from tests.helpers.html_walk import Walk
from tests.helpers.report_cases import LABELS, make_audit

RUN = (
    CIDEvaluation(4, "before round 1", 0.3, None),
    CIDEvaluation(4, "after round 1", 0.01, None),
    CIDEvaluation(9, "end", -0.1, None),
)


def test_distance_of_the_means_is_cid():
    audit = make_audit().audit
    groups = influences_by_label(audit.matrix, audit.label, audit.confound, audit.share)
    parts = (audit.matrix, audit.label, audit.confound, audit.share)
    test = cid_test(*parts, np.random.default_rng(0), draws=1)
    spreads = {y: group.spreads() for y, group in groups.items()}
    means = {y: same.mean - different.mean for y, (same, different) in spreads.items()}
    weights = {y: group.share for y, group in groups.items()}
    assert sum(weights.values()) == pytest.approx(1)
    assert sum(means[y] * weights[y] for y in means) == pytest.approx(test.cid, abs=1e-12)
    assert all(
        group.same.sum() == pytest.approx(group.different.sum()) for group in groups.values()
    )


def test_groups_without_partners_have_no_part():
    label, confound = np.array([0, 0, 0, 1, 1]), np.array([0, 0, 1, 0, 0])
    groups = influences_by_label(
        np.eye(5), label, confound, {Group(0, 0): 0.5, Group(0, 1): 0.2, Group(1, 0): 0.3}
    )
    assert list(groups) == [0] and groups[0].share == pytest.approx(0.5)
    assert [spread.mean for spread in groups[0].spreads()] == [0, 0]


def test_influences():
    names = GroupNames((*LABELS[:2], "50 $ to\0 100 $"), ("a", "b", "c"))
    audit = make_audit().audit
    groups = influences_by_label(audit.matrix, audit.label, audit.confound, audit.share)
    figure = influences_figure(groups, names)
    walk = Walk(figure.svg)
    texts = walk.text("text")
    assert "label 50 $ to‹U+0000› 100 $" in texts
    same, different = (spread.mean for spread in groups[0].spreads())
    assert {f"same confound: {same:.2f}", f"different confound: {different:.2f}"} <= set(texts)
    assert "fill: url(#" in figure.svg  # hatched
    assert f"they differ by {same - different:+.2f}" in figure.alt


def test_small_labels_are_counted():
    groups = influences_by_label(
        *(getattr(make_audit().audit, f) for f in ("matrix", "label", "confound", "share"))
    )
    many = {y: groups[y % 3]._replace(share=1 / (y + 1)) for y in range(8)}
    names = GroupNames(tuple(f"label {y}" for y in range(8)), ())
    figure = influences_figure(many, names)
    assert "2 smaller labels are not drawn" in figure.caption and "label 6" not in figure.alt


def test_cid_of_one_method():
    figure = cid_figure({"influence tuning": [RUN]})
    assert figure.alt == (
        "influence tuning: CID is +0.300 at step 4 (before round 1), +0.010 at step 4 (after round "
        "1), -0.100 at step 9 (end)."
    )
    assert "-0.100 at the end" in Walk(figure.svg).text("text")
    marks = [e.attributes["style"] for e in Walk(figure.svg).all("use")]
    assert marks.count("fill-opacity: 0; stroke: var(--first)") == 1  # before the round
    assert marks.count("fill: var(--first); stroke: var(--first)") == 2
    assert "hollow mark" in figure.caption and "seed" not in figure.caption


def test_cid_of_methods():
    shifted = [replace(moment, cid=moment.cid + 0.2) for moment in RUN]
    unknown = [
        replace(moment, cid=cid) for moment, cid in zip(RUN, (None, np.nan, None), strict=True)
    ]
    methods = {"a": [RUN, shifted], "b": [RUN[2:]], "c": [unknown], "d": []}
    figure = cid_figure(methods)
    texts = Walk(figure.svg).text("text")
    assert "a" in texts and "b" in texts and "c" not in texts
    assert "0.000 at the end" in texts
    assert "a: CID ends at -0.100, +0.100, in the mean at 0.000." in figure.alt
    assert cid_figure({"c": [unknown]}) is None


def test_cid_that_rounds_to_nothing_looks_like_nothing():
    """Not like a curve over a scale of millionths, whose factor stands in the title's way."""
    run = [CIDEvaluation(n, "", n * 1e-7, None) for n in range(4)]
    texts = Walk(cid_figure({"a": [run]}).svg).text("text")
    assert "0.01" in " ".join(texts) and not any("1e" in text for text in texts)


def test_long_runs_are_told_in_short():
    run = [CIDEvaluation(n, "", 0.5 if n == 7 else 0.1, None) for n in range(40)]
    assert cid_figure({"a": [run]}).alt == (
        "a: CID is +0.100 at step 0, +0.500 at step 7, +0.100 at step 39."
    )


def test_drawings_are_fit_for_a_page():
    def fill(axes):
        axes[0].hist([1, 2, 2], color=FIRST, hatch="//", histtype="step")
        axes[0].set_title("\N{GRINNING FACE} <b> $x$", parse_math=False)

    svg = draw(fill, height=1)
    walk = Walk(svg)
    assert svg == draw(fill, height=1) and "\n" not in svg
    assert not walk.all("style") and not walk.all("metadata") and not walk.declarations
    assert "<b>" in "".join(walk.text("text")) and "var(--first)" in svg
    assert set(walk.all("svg")[0].attributes) == {"viewbox"}
    ids = {e.attributes["id"] for e in walk.elements if "id" in e.attributes}
    assert {e.attributes["href"][1:] for e in walk.all("use")} <= ids
    assert set(re.findall(r"url\(#([^)]*)\)", svg)) <= ids and "font-family" not in svg
    other = draw(lambda axes: fill(axes) or axes[0].plot([1], [1], "o"), height=1)
    assert not ids & {e.attributes.get("id") for e in Walk(other).elements}


def test_influences_that_are_all_the_same_look_it():
    """They are in one bar, on an axis that is 0.1 wide, not in units of rounding."""
    values = 1 + 1e-7 * np.array([-1.0, 0.0, 1.0, 2.0])
    weights = np.full(4, 0.25)
    groups = {0: LabelInfluences(values, weights, weights, 1.0)}
    walk = Walk(influences_figure(groups, GroupNames(("a",), ("b", "c"))).svg)
    ticks = [float(text) for text in walk.text("text") if re.fullmatch(r"[\d.]+", text)]
    assert 0.95 <= min(ticks) < max(ticks) <= 1.05 and len(ticks) > 2
