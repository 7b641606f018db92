"""Search spaces."""

import pytest

from itune import UserError
from itune.config import to_dict
from itune.methods import METHODS
from itune.search import load_grid
from itune.search.grids import grid_methods, points, settings
from itune.training.settings import RunConfig


@pytest.mark.parametrize(
    ("name", "method", "size"),
    [
        ("paper", "influence_tuning", 3 * 3 * 3 * 4),
        ("paper", "embedding_tuning", 3 * 3 * 3 * 4),
        ("paper", "adversarial", 2 * 3 * 4),
        ("paper-msgs", "influence_tuning", 3 * 1 * 3 * 4),
        ("paper-msgs", "adversarial", 2 * 3 * 4),
        ("small", "finetuning", 4),
        ("small", "group_dro", 4 * 3),
        ("small", "last_layer_retraining", 4 * 3),
    ],
)
def test_sizes(name, method, size):
    assert len(points(load_grid(name, method))) == size


def test_the_best_of_the_paper_are_in_its_grids():
    """Han & Tsvetkov (2021), appendix."""

    def has(name, method, *values):
        return values in [tuple(point.values()) for point in points(load_grid(name, method))]

    assert has("paper", "influence_tuning", 50, 5, 64, 3e-5)
    assert has("paper-msgs", "influence_tuning", 50, 3, 16, 3e-5)
    assert has("paper", "embedding_tuning", 50, 10, 64, 3e-5)
    assert has("paper-msgs", "embedding_tuning", 25, 3, 4, 1e-5)
    assert has("paper", "adversarial", 5e-5, 20, 0.3)
    assert has("paper-msgs", "adversarial", 5e-5, 12, 0.3)


@pytest.mark.parametrize(
    ("name", "method"), [(n, m) for n, methods in grid_methods().items() for m in methods]
)
def test_grids_fit_a_run(name, method):
    """Every setting is accepted, and none is another's twin."""
    assert method in METHODS
    found = settings(RunConfig(), load_grid(name, method))
    assert len(set(found)) == len(found)
    others = to_dict(RunConfig()).keys() - {
        key.partition(".")[0] for key in load_grid(name, method)
    }
    assert all(getattr(found[-1], key) == getattr(RunConfig(), key) for key in others)


def test_settings_change_what_the_grid_names():
    base = RunConfig(max_length=32)
    grid = {"label.learning_rate": (1e-5, 2e-5), "influence.k": (2,)}
    first, second = settings(base, grid)
    assert (first.label.learning_rate, second.label.learning_rate) == (1e-5, 2e-5)
    assert first.influence.k == 2 and first.max_length == 32
    assert to_dict(first)["data"] == to_dict(base)["data"]


def test_files(tmp_path):
    path = tmp_path / "grid.toml"
    path.write_text('precision = ["high", "highest"]\n[data.textlen]\ntrain_size = [40, 80]\n')
    grid = load_grid(str(path), "any")
    assert grid == {"precision": ("high", "highest"), "data.textlen.train_size": (40, 80)}
    assert len(settings(RunConfig(), grid)) == 4


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "label.batch = 4",
            "label.batch must be a list of different numbers, strings or booleans, got 4",
        ),
        ("label.batch = []", r"label.batch must be a list .*, got \[\]"),
        ("label.batch = [4, 4]", r"label.batch must be a list of different .*, got \[4, 4\]"),
        ("label.batch = [[4]]", r"label.batch must be a list .*, got \[\[4\]\]"),
        ("", "names no key; give one a list of values to try"),
        ("label.batch = [", "^cannot read .*grid.toml: "),
    ],
)
def test_bad_files(tmp_path, text, message):
    path = tmp_path / "grid.toml"
    path.write_text(text)
    with pytest.raises(UserError, match=message):
        load_grid(str(path), "any")


@pytest.mark.parametrize(
    ("grid", "message"),
    [
        ({"label.bach": (4,)}, "grid: label.bach is not a key; did you mean label.batch?"),
        ({"label.batch": (4.5,)}, "grid: label.batch must be an integer, got 4.5"),
        ({"label.batch": (4, 0)}, "grid: label.batch must be a positive integer, got 0"),
        ({"label": (4,)}, "grid: label is a section, not a value"),
    ],
)
def test_refused_settings(grid, message):
    with pytest.raises(UserError) as caught:
        settings(RunConfig(), grid)
    assert str(caught.value).startswith(message)


def test_unknown_grids():
    with pytest.raises(
        UserError, match="grid must be paper, paper-msgs, small or a file ….toml, got 'papr'"
    ):
        load_grid("papr", "influence_tuning")
    with pytest.raises(UserError, match="grid 'paper' has nothing for finetuning; name a file"):
        load_grid("paper", "finetuning")
    with pytest.raises(UserError, match="^cannot read nowhere.toml: "):
        load_grid("nowhere.toml", "finetuning")
