"""Figures, on a machine without a screen."""

from dataclasses import replace

import numpy as np
import pytest

from itune.errors import UserError
from itune.groups import Group
from itune.metrics.probe_influences import ProbeInfluence
from itune.plots import STYLES, plot_accuracies, plot_cid, plot_cid_over_seeds, plot_influences
from itune.results import CIDEvaluation

HISTORY = (
    CIDEvaluation(0, "", 0.3),
    CIDEvaluation(0, "", 0.01),
    CIDEvaluation(9, "", 0.1),
)


@pytest.fixture(autouse=True)
def no_screen(monkeypatch):
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "MPLBACKEND"):
        monkeypatch.delenv(name, raising=False)


def test_plot_cid(tmp_path):
    from matplotlib import pyplot

    plot_cid({"finetuning": HISTORY, "influence tuning": HISTORY[::-1]}, tmp_path / "cid.png")
    assert (tmp_path / "cid.png").read_bytes().startswith(b"\x89PNG")
    plot_cid({"finetuning": HISTORY, "a < b": HISTORY}, tmp_path / "cid.svg")
    text = (tmp_path / "cid.svg").read_text()
    for label in ("finetuning", "a &lt; b", "0.100", "label steps"):
        assert f"<!-- {label} -->" in text
    assert not pyplot.get_fignums()  # closed again


def test_more_runs_than_styles(tmp_path):
    runs = {f"run {i}": HISTORY[:1] for i in range(len(STYLES) + 2)}
    plot_cid(runs, tmp_path / "cid.svg")
    text = (tmp_path / "cid.svg").read_text()
    assert all(f"<!-- {name} -->" in text for name in runs)


def test_cid_over_seeds(tmp_path):
    from matplotlib import pyplot

    shifted = [replace(found, cid=found.cid + 0.2) for found in HISTORY]
    tasks = {"textlen": {"finetuning": [HISTORY, shifted]}, "msgs": {"influence_tuning": [HISTORY]}}
    paths = [tmp_path / "new" / name for name in ("a.svg", "b.svg", "c.png")]
    plot_cid_over_seeds(tasks, paths, published={"textlen": {"finetuning": 0.093}})
    assert paths[2].read_bytes().startswith(b"\x89PNG")
    assert paths[0].read_bytes() == paths[1].read_bytes()  # nothing random, no date
    text = paths[0].read_text()
    for label in (
        "finetuning: 0.200 (paper 0.093)",
        "influence tuning: 0.100",
        "msgs: CID at the end",
    ):
        assert f"<!-- {label} -->" in text
    assert not pyplot.get_fignums()


def test_cid_at_different_steps(tmp_path):
    from matplotlib import pyplot

    with pytest.raises(UserError, match="runs of a were measured at different steps"):
        plot_cid_over_seeds(
            {"t": {"a": [HISTORY, HISTORY[:1]]}}, [tmp_path / "a.svg"], published={}
        )
    assert not pyplot.get_fignums() and not any(tmp_path.iterdir())


def test_accuracies(tmp_path):
    tasks = {
        "textlen": {"finetuning": {"here": [70, 72], "paper": [77.6]}, "no_spurious": {"here": []}},
        "msgs": {"finetuning": {"here": [80.0], "paper": []}},
    }
    plot_accuracies(tasks, [tmp_path / "a.svg"], label="accuracy (%)")
    text = (tmp_path / "a.svg").read_text()
    for label in ("here", "paper", "no spurious", "textlen", "msgs", "accuracy (%)"):
        assert f"<!-- {label} -->" in text


def test_influences(tmp_path):
    same, different = np.array([0.5, 0.4, 0.6]), np.array([0.1, 0.2])
    influence = ProbeInfluence(3, Group(0, 1), same, different)
    plot_influences([influence, influence._replace(probe=4)], [tmp_path / "a.svg"])
    text = (tmp_path / "a.svg").read_text()
    t = (0.5 - 0.15) / np.sqrt(0.01 / 3 + 0.005 / 2)
    title = f"means differ by 0.350, Welch t = {t:.1f}, p = 0.0"
    for label in (f"probe 3 (y=0 c=1): {title}", f"probe 4 (y=0 c=1): {title}"):
        assert label in text
    assert "<!-- different confound: mean 0.150, n = 2 -->" in text


def test_a_folder_that_cannot_be(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot write .*a.svg: File exists; choose another"):
        plot_cid_over_seeds({"t": {"a": [HISTORY]}}, [tmp_path / "file" / "a.svg"], published={})
