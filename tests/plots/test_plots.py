"""Plots, on a machine without a screen: what they show, say, and leave behind."""

import re
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from itune.auditing.significance import cid_test
from itune.errors import UserError
from itune.groups import Group
from itune.metrics.probe_influences import ProbeInfluence
from itune.plots import Plot, accuracy_plot, cid_plot, influence_plot, influences_on_probe
from itune.plots.dev import dev_plot
from itune.plots.drawing import FIRST
from itune.plots.findings import Mark, findings_plot
from itune.plots.influences import Influences, influences_by_label
from itune.results import CIDEvaluation, DevEvaluation, SplitAccuracy
from tests.helpers.html_walk import Walk
from tests.helpers.report_cases import make_audit

HISTORY = (
    CIDEvaluation(4, "before round 1", 0.3),
    CIDEvaluation(4, "after round 1", 0.01),
    CIDEvaluation(9, "end", -0.1),
)
SHIFTED = tuple(replace(found, cid=found.cid + 0.2) for found in HISTORY)
UNKNOWN = tuple(
    replace(found, cid=cid) for found, cid in zip(HISTORY, (None, np.nan, None), strict=True)
)


@pytest.fixture(autouse=True)
def no_screen(monkeypatch):
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "MPLBACKEND"):
        monkeypatch.delenv(name, raising=False)


def texts(plot):
    return Walk(plot.to_svg()).text("text")


def cid(**methods):
    """The plot of CID on one task."""
    return cid_plot({"textlen": methods})


# Files and pages


def histogram(axes):
    axes[0].hist([1, 2, 2], color=FIRST, hatch="//", histtype="step")
    axes[0].set_title("\N{GRINNING FACE} <b> $x$")


def test_files(tmp_path):
    from matplotlib import pyplot

    paths = [tmp_path / "new" / name for name in ("a.svg", "b.svg", "c.png", "d.pdf", "e.pdf")]
    Plot(histogram, height=1).save(*paths)
    svg, again, png, pdf, pdf_again = (path.read_bytes() for path in paths)
    assert svg == again and pdf == pdf_again  # nothing random, no date
    assert png.startswith(b"\x89PNG") and pdf.startswith(b"%PDF")
    assert b"$x$" in svg  # no mathematics
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == [p.name for p in paths]
    assert not pyplot.get_fignums()  # closed again


def test_a_folder_that_cannot_be(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot write .*a.svg: File exists; choose another"):
        Plot(histogram, height=1).save(tmp_path / "file" / "a.svg")


def test_a_drawing_that_fails_leaves_no_figure_open(tmp_path):
    from matplotlib import pyplot

    with pytest.raises(ZeroDivisionError):
        Plot(lambda axes: 1 / 0, height=1).save(tmp_path / "a.svg")
    assert not pyplot.get_fignums() and not any(tmp_path.iterdir())


def test_svg_is_fit_for_a_page():
    plot = Plot(histogram, height=1)
    svg = plot.to_svg()
    walk = Walk(svg)
    assert svg == plot.to_svg() and "\n" not in svg
    assert not walk.all("style") and not walk.all("metadata") and not walk.declarations
    assert "<b> $x$" in "".join(walk.text("text")) and "var(--first)" in svg
    assert set(walk.all("svg")[0].attributes) == {"viewbox"}
    ids = {e.attributes["id"] for e in walk.elements if "id" in e.attributes}
    assert {e.attributes["href"][1:] for e in walk.all("use")} <= ids
    assert set(re.findall(r"url\(#([^)]*)\)", svg)) <= ids and "font-family" not in svg
    other = Plot(lambda axes: histogram(axes) or axes[0].plot([1], [1], "o"), height=1)
    assert not ids & {e.attributes.get("id") for e in Walk(other.to_svg()).elements}


# CID over training


def test_cid_of_one_method():
    plot = cid(influence_tuning=[HISTORY])
    assert plot.alt == (
        "influence tuning: CID is +0.300 at step 4 (before round 1), +0.010 at step 4 (after round "
        "1), -0.100 at step 9 (end)."
    )
    assert "-0.100 at the end" in texts(plot)
    marks = [e.attributes["style"] for e in Walk(plot.to_svg()).all("use")]
    assert marks.count("fill-opacity: 0; stroke: var(--first)") == 1  # before the round
    assert marks.count("fill: var(--first); stroke: var(--first)") == 2
    assert "hollow mark" in plot.caption and "seed" not in plot.caption


def test_cid_of_methods():
    plot = cid(a=[HISTORY, SHIFTED], b=[HISTORY[2:]], c=[UNKNOWN], d=[])
    shown = texts(plot)
    assert "a" in shown and "b" in shown and "c" not in shown
    assert "0.000 at the end" in shown and "seeds" in plot.caption
    assert "a: CID ends at -0.100, +0.100, in the mean at 0.000." in plot.alt
    assert cid(c=[UNKNOWN]) is None


def test_runs_evaluated_at_different_steps_have_no_mean_line():
    def marks(*runs):
        styles = [e.attributes["style"] for e in Walk(cid(a=runs).to_svg()).all("use")]
        return sum("var(--first)" in style for style in styles)

    assert marks(HISTORY, SHIFTED) == marks(HISTORY) == len(HISTORY)  # the mean's
    assert marks(HISTORY, SHIFTED[1:]) == len(HISTORY) + len(SHIFTED[1:])


def test_cid_of_tasks():
    tasks = {"textlen": {"finetuning": [HISTORY, SHIFTED]}, "msgs": {"group_dro": [HISTORY]}}
    plot = cid_plot(tasks, published={"textlen": {"finetuning": 0.093}}, columns=3, width=8)
    assert (plot.rows, plot.columns) == (2, 1)
    assert {"textlen: finetuning", "0.000 at the end (◇ paper +0.093)"} <= {*texts(plot)}
    assert {"msgs: group dro", "-0.100 at the end"} <= {*texts(plot)}
    assert "published" in plot.caption


def test_cid_that_rounds_to_nothing_looks_like_nothing():
    """Not like a curve over a scale of millionths, whose factor stands in the title's way."""
    shown = texts(cid(a=[[CIDEvaluation(n, "", n * 1e-7) for n in range(4)]]))
    assert "0.01" in " ".join(shown) and not any("1e" in text for text in shown)


def test_panels_share_an_axis_that_holds_all():
    low, high = (tuple(replace(found, cid=cid) for found in HISTORY) for cid in (0.02, 5.0))
    plot = cid_plot({"first": {"a": [low]}, "second": {"a": [high]}})
    limits = []

    def fill(axes):
        plot.fill(axes)
        limits.extend(ax.get_ylim() for ax in axes)

    replace(plot, fill=fill).to_svg()
    assert len(set(limits)) == 1 and limits[0][1] > 5


def test_long_runs_are_told_in_short():
    run = [CIDEvaluation(n, "", 0.5 if n == 7 else 0.1) for n in range(40)]
    assert cid(a=[run]).alt == "a: CID is +0.100 at step 0, +0.500 at step 7, +0.100 at step 39."


# Accuracies


def test_accuracies():
    tasks = {
        "textlen": {"finetuning": {"here": [70, 72], "paper": [77.6]}, "no_spurious": {"here": []}},
        "msgs": {"finetuning": {"here": [80.0], "paper": []}},
    }
    plot = accuracy_plot(tasks, label="accuracy (%)", digits=1)
    shown = texts(plot)
    expected = {"here", "paper", "no spurious", "textlen", "msgs", "accuracy (%)", "71.0", "77.6"}
    assert expected <= {*shown}
    assert "textlen, finetuning: here 71.0 (70.0, 72.0), paper 77.6 (77.6)." in plot.alt


def test_accuracies_of_one_task_need_no_title():
    plot = accuracy_plot({"reviews.csv": {"a": {"worst group": [0.5]}}}, label="accuracy")
    assert "reviews.csv" not in texts(plot) and plot.alt == "a: worst group 0.500 (0.500)."


def test_dev_needs_two_evaluations():
    evaluations = [DevEvaluation(n, f"epoch {n}", SplitAccuracy(n / 10, ())) for n in (1, 2)]
    assert dev_plot(evaluations[:1], None) is None
    plot = dev_plot(evaluations, None)
    assert plot.alt == "Accuracy of all rows on dev: 0.100 at step 1, 0.200 at step 2."
    assert "worst group" not in " ".join(texts(plot))


# Influences


def made_up_influences():
    audit = make_audit().audit
    return influences_by_label(audit.matrix, audit.label, audit.confound, audit.share)


def test_distance_of_the_means_is_cid():
    audit, by_label = make_audit().audit, made_up_influences()
    parts = (audit.matrix, audit.label, audit.confound, audit.share)
    test = cid_test(*parts, np.random.default_rng(0), draws=1)
    spreads = {y: panel.spreads() for y, panel in by_label.items()}
    means = {y: same.mean - different.mean for y, (same, different) in spreads.items()}
    weights = {y: panel.share for y, panel in by_label.items()}
    assert sum(weights.values()) == pytest.approx(1)
    assert sum(means[y] * weights[y] for y in means) == pytest.approx(test.cid, abs=1e-12)
    for panel in by_label.values():
        assert panel.same.sum() == pytest.approx(panel.different.sum())


def test_groups_without_partners_have_no_part():
    label, confound = np.array([0, 0, 0, 1, 1]), np.array([0, 0, 1, 0, 0])
    shares = {Group(0, 0): 0.5, Group(0, 1): 0.2, Group(1, 0): 0.3}
    by_label = influences_by_label(np.eye(5), label, confound, shares)
    assert list(by_label) == [0] and by_label[0].share == pytest.approx(0.5)
    assert [spread.mean for spread in by_label[0].spreads()] == [0, 0]


def test_influences():
    panel = made_up_influences()[0]
    plot = influence_plot({"label 50 $ to\0 100 $": panel})
    same, different = (spread.mean for spread in panel.spreads())
    expected = {f"same confound: {same:.2f}", f"different confound: {different:.2f}"}
    assert {"label 50 $ to‹U+0000› 100 $"} | expected <= {*texts(plot)}
    assert "fill: url(#" in plot.to_svg()  # hatched
    assert f"they differ by {same - different:+.2f}" in plot.alt


def test_influences_on_a_probe():
    same, different = np.array([0.5, 0.4, 0.6]), np.array([0.1, 0.2])
    panel = influences_on_probe(ProbeInfluence(3, Group(0, 1), same, different))
    assert [spread.mean for spread in panel.spreads()] == pytest.approx([0.5, 0.15])
    t = (0.5 - 0.15) / np.sqrt(0.01 / 3 + 0.005 / 2)
    assert panel.note.startswith(
        f"3 and 2 examples; means differ by 0.350, Welch t = {t:.1f}, p = 0.0"
    )
    assert panel.note in texts(influence_plot({"probe 3": panel}, what="the probe"))


def test_influences_that_are_all_alike_look_it():
    """They are in one bar, on an axis that is 0.1 wide, not in units of rounding."""
    values = 1 + 1e-7 * np.array([-1.0, 0.0, 1.0, 2.0])
    weights = np.full(4, 0.25)
    shown = texts(influence_plot({"label a": Influences(values, weights, weights)}))
    ticks = [float(text) for text in shown if re.fullmatch(r"[\d.]+", text)]
    assert 0.95 <= min(ticks) < max(ticks) <= 1.05 and len(ticks) > 2


def test_names_of_candidates_are_upon_no_other():
    """Three near each other have a place each; of six at one place two have none."""

    def plot(step):
        return findings_plot([Mark(f"word {n}", step * n, 0.1, 9, "used") for n in range(6)])

    from matplotlib import pyplot

    figure, ax = pyplot.subplots(figsize=(4.2, 3.0), layout="constrained")
    plot(1e-3).fill([ax])
    figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in ax.texts]
    pyplot.close(figure)
    assert len(boxes) == 6 and not any(a.overlaps(b) for a, b in combinations(boxes, 2))
    assert sum("word" in text for text in texts(plot(0.0))) == 4
