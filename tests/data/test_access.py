import numpy as np
import pytest

from itune.data.access import AccessConfig, draw_visible, hide_confounds, hide_lone
from itune.data.dataset import HIDDEN, Dataset
from itune.errors import UserError

LABEL = np.repeat([0, 0, 1, 1], [90, 10, 88, 12]).astype(np.int32)
CONFOUND = np.repeat([0, 1, 1, 0], [90, 10, 88, 12]).astype(np.int32)
TRAIN = Dataset([np.ones(3, np.int32)] * 200, LABEL, CONFOUND)
MINORITY = LABEL != CONFOUND


def draw(rule, rate, seed=0):
    return draw_visible(LABEL, CONFOUND, AccessConfig(rate, rule), np.random.default_rng(seed))


@pytest.mark.parametrize("rule", ["random", "released"])
@pytest.mark.parametrize(("rate", "size"), [(0.1, 20), (0.204, 41), (0.5, 100), (1.0, 200)])
def test_size(rule, rate, size):
    visible = draw(rule, rate)
    assert len(np.unique(visible)) == len(visible) == size
    assert np.all(np.diff(visible) > 0)


def test_released_rule():
    """5 of each minority group, whatever else is drawn: at 5 % that is all there is."""
    for seed in range(20):
        visible = draw("released", 0.05, seed)
        assert len(visible) == 10 and np.all(MINORITY[visible])
        assert np.sum(LABEL[visible] == 0) == 5
        groups = LABEL[draw("released", 0.2, seed)] != CONFOUND[draw("released", 0.2, seed)]
        assert groups.sum() >= 10
    counts = [np.sum(MINORITY[draw("released", 0.5, seed)]) for seed in range(200)]
    assert np.mean(counts) == pytest.approx(10 + 90 * 12 / 190, abs=0.5)  # the rest is random


@pytest.mark.parametrize("rule", ["random", "released"])
def test_what_is_not_annotated_counts_but_is_not_drawn(rule):
    confound = np.where(np.arange(200) % 4 == 0, HIDDEN, CONFOUND)
    for rate, size in ((0.25, 50), (0.7, 140), (0.8, 150), (1.0, 150)):
        config = AccessConfig(rate, rule)
        visible = draw_visible(LABEL, confound, config, np.random.default_rng(1))
        assert len(np.unique(visible)) == size and HIDDEN not in confound[visible]
    seen = hide_confounds(
        Dataset(TRAIN.input_ids, LABEL, confound), config, np.random.default_rng(1)
    )
    np.testing.assert_array_equal(seen.confound, confound)


def test_who_is_alone_is_hidden():
    label, confound = np.array([0, 0, 0, 1, 1]), np.array([0, 0, 1, 0, 0])
    with pytest.raises(UserError, match="no label occurs with two confounds of 2 or more training"):
        hide_lone(Dataset([[]] * 5, label, confound))


def test_random_rule():
    counts = [np.sum(MINORITY[draw("random", 0.2, seed)]) for seed in range(300)]
    assert np.mean(counts) == pytest.approx(40 * 22 / 200, abs=0.4)


def test_small_minority_group_is_taken_whole():
    label, confound = LABEL.copy(), CONFOUND.copy()
    confound[92:100] = 0
    visible = draw_visible(
        label, confound, AccessConfig(0.05, "released"), np.random.default_rng(0)
    )
    assert {90, 91} <= set(visible) and len(visible) == 10


def test_three_labels_and_confounds():
    rng = np.random.default_rng(0)
    label, confound = rng.integers(0, 3, (2, 600))
    visible = draw_visible(label, confound, AccessConfig(0.1), rng)
    assert len(visible) == 60
    sizes = np.bincount(3 * label[visible] + confound[visible], minlength=9)
    assert np.sum(sizes >= 5) >= 6


def test_hide_confounds():
    hidden = hide_confounds(TRAIN, AccessConfig(0.2), np.random.default_rng(3))
    visible = draw("released", 0.2, 3)
    np.testing.assert_array_equal(hidden.visible, visible)
    np.testing.assert_array_equal(hidden.confound[visible], CONFOUND[visible])
    assert np.all(np.delete(hidden.confound, visible) == HIDDEN)
    np.testing.assert_array_equal(hidden.label, LABEL)
    assert np.all(hide_confounds(TRAIN, AccessConfig(), None).confound == CONFOUND)


@pytest.mark.parametrize(
    ("rate", "rule", "message"),
    [
        (
            0.01,
            "random",
            r"^access.rate 0.01 leaves [01] of the \d+ .* y=. c=. visible, and 2 are ",
        ),
        (0.05, "released", r"leaves 0 of the 90 examples of group y=0 c=0 visible"),
    ],
)
def test_empty_group(rate, rule, message):
    with pytest.raises(UserError, match=message):
        hide_confounds(TRAIN, AccessConfig(rate, rule), np.random.default_rng(0))


@pytest.mark.parametrize(("name", "value"), [("rate", 0.0), ("rate", 1.1), ("rule", "all")])
def test_config(name, value):
    with pytest.raises(UserError, match=f"^{name} must be .*, got {value!r}$"):
        AccessConfig(**{name: value})
