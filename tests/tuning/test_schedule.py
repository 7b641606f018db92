"""Settings scaled to the data: the paper's at its size, and rounds that fit at any."""

import pytest

from itune.config import to_dict
from itune.methods.rounds import starts_round
from itune.models.registry import ARCHITECTURES
from itune.training.settings import TrainingConfig
from itune.tuning.schedule import SCALED, schedule


def flat(config):
    rows = {}
    for name, value in to_dict(config).items():
        if isinstance(value, dict):
            rows |= {f"{name}.{key}": inner for key, inner in value.items()}
        else:
            rows[name] = value
    return rows


def test_the_papers_settings_at_its_size():
    """But for pools, balanced label steps, and what is measured, they are the defaults."""
    plain, scaled = flat(TrainingConfig()), flat(schedule(1500))
    changed = {name for name in plain if scaled[name] != plain[name]}
    phases = ("influence", "embedding")
    assert changed == {
        *("cid_probes", "cid_rows", "selection"),
        *(f"{phase}.{name}" for phase in phases for name in ("partners", "lone")),
        *("influence.labels", "influence.batches", "influence.pool_chunk"),
    }
    assert (scaled["influence.labels"], scaled["influence.batches"]) == ("all", "balanced")


@pytest.mark.parametrize("size", [16, 20, 50, 100, 480, 1500, 10_000, 10**5, 10**6])
def test_rounds_fit(size):
    s = schedule(size)
    steps = s.label.epochs * (size // s.label.batch)
    rounds = sum(starts_round(step, steps, s.influence) for step in range(steps))
    assert 4 <= rounds <= 46
    updates = -(-min(s.influence.probes, size) * s.influence.epochs // s.influence.batch)
    assert 5 <= updates <= 6
    assert s.label.batch <= size


@pytest.mark.parametrize(("size", "epochs"), [(20, 20), (1500, 10), (10_000, 3), (10**6, 1)])
def test_epochs(size, epochs):
    """10 for TextLen and 3 for MSGS, as the paper has."""
    assert schedule(size).label.epochs == epochs


@pytest.mark.parametrize(
    ("groups", "shape", "labels"),
    [
        (4, {}, "all"),
        (6, {}, "own"),
        (9, {"width": 384, "layers": 6}, "all"),
        (60, {"width": 384, "layers": 6}, "own"),
        (4, {"vocabulary": 250_000}, "own"),
    ],
)
def test_all_labels_where_memory_allows_it(groups, shape, labels):
    assert schedule(1500, groups=groups, **shape).influence.labels == labels


@pytest.mark.parametrize(
    ("size", "dev", "every"),
    [(1200, 300, 8), (1200, 100, 4), (1200, 600, 16), (1200, 700, None), (200, 50, 6)],
)
def test_dev_takes_a_fifth_of_the_time(size, dev, every):
    """No more often than the steps are worth, and no less than once an epoch."""
    assert schedule(size, dev=dev).accuracy_every == every
    assert schedule(size).accuracy_every is None


def test_many_groups_long_texts_and_wide_encoders():
    assert schedule(10_000, groups=60).influence.batch == 240
    assert (schedule(120, groups=8).label.batch, schedule(120, groups=9).label.batch) == (8, 16)
    assert schedule(10_000, groups=100).label.batch == 128
    assert schedule(40, groups=99).label.batch == 40
    assert schedule(10_000, length=256).influence.batch == 16
    assert schedule(1500, width=1024).influence.learning_rate == pytest.approx(2.25e-5)
    assert schedule(1500, width=1024).label.learning_rate == pytest.approx(1.5e-5)
    assert schedule(1500, width=16).label.learning_rate == 1e-4


def test_rates_of_families():
    assert ARCHITECTURES["electra"].label_rate == ARCHITECTURES["modernbert"].label_rate == 2.5
    assert ARCHITECTURES["bert"].label_rate == ARCHITECTURES["gpt2"].label_rate == 1
    assert schedule(1500, label_rate=2.5).label.learning_rate == pytest.approx(5e-5)
    assert schedule(1500, label_rate=2.5, width=256).label.learning_rate == 1e-4


@pytest.mark.parametrize(
    ("size", "rows", "tuples"),
    [
        ({}, 8, 2),
        ({"width": 384, "layers": 6, "length": 256}, 8, 2),
        ({"length": 256}, 4, 1),
        ({"width": 1024, "layers": 24, "length": 128}, 3, 1),
        ({"width": 4096, "layers": 32, "length": 256}, 1, 1),
    ],
)
def test_what_is_computed_at_once_shrinks_with_models_and_texts(size, rows, tuples):
    s = schedule(1500, **size)
    assert (s.label.chunk, s.influence.chunk) == (rows, tuples)


def test_what_is_decided_already_counts():
    s = schedule(1500, batch=32, epochs=2)
    assert (s.label.batch, s.label.epochs, s.influence.interval) == (32, 2, 20)


def test_scaled_settings_are_named():
    plain = flat(TrainingConfig())
    changed = set()
    small = {"size": 40, "width": 1024, "layers": 96, "length": 16, "dev": 1}
    for arguments in (small, {"size": 1500}, {"size": 90_000, "groups": 99}):
        scaled = flat(schedule(**arguments))
        changed |= {name for name in plain if scaled[name] != plain[name]}
    assert changed == set(SCALED)
