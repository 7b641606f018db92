"""Figures, on a machine without a screen."""

import pytest

from itune.analysis.figures import STYLES, plot_cid

ROWS = [
    {"kind": "cid", "step": 0, "cid": 0.3},
    {"kind": "label_update", "step": 0, "loss": 0.7},
    {"kind": "cid", "step": 0, "cid": 0.01},
    {"kind": "accuracy", "step": 5, "dev_accuracy": 0.5},
    {"kind": "cid", "step": 9, "cid": 0.1},
]


@pytest.fixture(autouse=True)
def no_screen(monkeypatch):
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "MPLBACKEND"):
        monkeypatch.delenv(name, raising=False)


def test_plot_cid(tmp_path):
    pyplot = pytest.importorskip("matplotlib.pyplot")
    plot_cid({"finetuning": ROWS, "influence tuning": ROWS[::-1]}, tmp_path / "cid.png")
    assert (tmp_path / "cid.png").read_bytes().startswith(b"\x89PNG")
    plot_cid({"finetuning": ROWS, "a < b": ROWS}, tmp_path / "cid.svg")
    text = (tmp_path / "cid.svg").read_text()
    for label in ("finetuning", "a &lt; b", "0.100", "label steps"):
        assert f"<!-- {label} -->" in text
    assert not pyplot.get_fignums()  # closed again


def test_more_runs_than_styles(tmp_path):
    pytest.importorskip("matplotlib")
    runs = {f"run {i}": ROWS[:1] for i in range(len(STYLES) + 2)}
    plot_cid(runs, tmp_path / "cid.svg")
    text = (tmp_path / "cid.svg").read_text()
    assert all(f"<!-- {name} -->" in text for name in runs)
