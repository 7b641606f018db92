"""Runs of several seeds in one program come to what each comes to alone."""

from collections import Counter, defaultdict
from dataclasses import replace
from functools import partial

import jax
import numpy as np
import pytest

from itune.data.access import AccessConfig
from itune.errors import UserError
from itune.methods import LabelConfig, Work
from itune.training import loop, states
from itune.training.run import _prepared_together, load_data, run_order, run_seeds, run_task
from itune.training.run_folder import RunOptions
from itune.training.states import States, runs_at_once, runs_that_fit
from itune.utils.devices import use_devices
from tests.helpers.killing import kill_before
from tests.helpers.many_devices import on_devices
from tests.helpers.small_run import make_config
from tests.helpers.tiny_method import EVEN, initial_params
from tests.helpers.tiny_runs import assert_same, method_of
from tests.helpers.tiny_runs import run_together as run_tiny

SEEDS = (1, 2, 3)
run_together = partial(run_tiny, padding=(4, 6, 8))  # by which the seeds part now and then


@pytest.fixture
def at_once():
    """Set how many runs may advance together; as it was, in the end."""
    yield lambda count: use_devices(1, together=count)
    use_devices(1)


def seeds_in(folder, seeds=SEEDS):
    return {seed: folder / str(seed) for seed in seeds}


def assert_all_same(found, expected):
    assert all(rows for _, rows in expected)
    for one, other in zip(found, expected, strict=True):
        assert_same(one, other)


# Steps with loops, conditions, drawn rows, and states of their own; the others are sums of losses.
@pytest.mark.parametrize(
    ("name", "padding"),
    [("drawn", (4, 6, 8)), ("guarded", 8), ("auto_d3m", 8), ("cnc", 8), ("fish", 8)],
)
def test_as_alone(name, padding, tmp_path):
    """With dropout; whether lengths part the seeds is no matter of the method."""
    train = partial(run_tiny, name, padding=padding)
    alone = [train({seed: tmp_path / f"{seed} alone"})[0] for seed in SEEDS]
    assert_all_same(train(seeds_in(tmp_path)), alone)


@pytest.fixture(scope="module")
def pooled(tmp_path_factory):
    """Each seed alone."""
    folder = tmp_path_factory.mktemp("alone")
    return [run_together("pooled", {seed: folder / str(seed)})[0] for seed in SEEDS]


def test_what_has_one_shape_is_one_program(pooled, tmp_path, monkeypatch):
    """Every update is one of all runs; chunks are too, but where their lengths differ."""
    calls, step = [], States.step

    def counted(self, kind, batches):
        calls.append((kind, len(batches)))
        return step(self, kind, batches)

    monkeypatch.setattr(States, "step", counted)
    assert_all_same(run_together("pooled", seeds_in(tmp_path)), pooled)
    plans = [method_of("pooled", seed).plan() for seed in SEEDS]
    for kind in ("label_update", "influence_update", "end_round"):
        each = sum(work.kind == kind for work in plans[0])
        assert Counter(calls)[kind, 3] == each > 0
    done = sum(count for _, count in calls)
    work = [work for plan in plans for work in plan if work.kind not in ("cid", "accuracy")]
    assert done == len(work) and len(calls) < 0.5 * done
    assert {1, 2, 3} <= {count for kind, count in calls if kind == "label"}


def test_runs_meet_at_updates():
    """Whatever number of chunks each has before."""
    plans = [
        [Work("label", 0, examples=np.arange(2))] * chunks + [Work("label_update", 0)]
        for chunks in (1, 3)
    ]
    one, other = (loop._places(plan * 2) for plan in plans)
    assert one == [(0, 0), (0, 1), (1, 0), (1, 1)]
    assert other == [(0, 0), (0, 1), (0, 2), (0, 3), (1, 0), (1, 1), (1, 2), (1, 3)]


def test_seconds_are_shared_out(tmp_path, monkeypatch):
    """A clock that goes from 0 to 60 at the first step."""
    clock, step = [0.0], States.step

    def timed(self, kind, batches):
        clock[0] = 60.0
        return step(self, kind, batches)

    monkeypatch.setattr(States, "step", timed)
    monkeypatch.setattr(loop.time, "monotonic", lambda: clock[0])
    infos, save = [], loop.Checkpoints.save
    monkeypatch.setattr(
        loop.Checkpoints, "save", lambda self, *a: infos.append(a[0]) or save(self, *a)
    )
    run_together("pooled", seeds_in(tmp_path), 1e9)
    assert [info.seconds for info in infos] == [20.0] * 3


def test_killed_together(pooled, tmp_path):
    """Runs that are gone on with may be others at once than those that were killed."""
    kill_before(25, partial(run_together, "pooled", seeds_in(tmp_path), 0))
    kill_before(35, partial(run_together, "pooled", seeds_in(tmp_path, (2, 3)), 0), first=25)
    again = [run_together("pooled", {seed: tmp_path / str(seed)})[0] for seed in SEEDS]
    assert_all_same(again, pooled)


def test_a_run_that_has_collapsed_leaves_the_others_alone(pooled, tmp_path):
    def has_collapsed(seed, accuracies):
        return seed == 2 and len(accuracies) >= 4

    found = run_together("pooled", seeds_in(tmp_path), has_collapsed=has_collapsed)
    assert_all_same([found[0], found[2]], [pooled[0], pooled[2]])
    assert label_steps(found[1]) == [0, 1, 2, 3]


def label_steps(found):
    return [row["step"] for row in found[1] if row["kind"] == "label_update"]


def test_a_run_with_an_error_leaves_the_others_alone(pooled, tmp_path, capsys):
    def has_collapsed(seed, accuracies):
        if seed == 3 and len(accuracies) >= 2:
            raise UserError("something is wrong")
        return False

    found = run_together("pooled", seeds_in(tmp_path), has_collapsed=has_collapsed)
    assert_all_same(found[:2], pooled[:2])
    assert str(found[2][0]) == "something is wrong"
    assert "seed 3, stopped (something is wrong)" in capsys.readouterr().err
    with pytest.raises(UserError, match="something is wrong"):
        run_together("pooled", {3: tmp_path / "3"}, has_collapsed=has_collapsed)


def test_nothing_is_kept_behind_a_loss_that_is_not_finite(pooled, tmp_path, monkeypatch):
    """The third label update of seed 2 logs one, and states are saved after each piece."""
    plan = method_of("pooled", 2).plan()
    place = [n for n, work in enumerate(plan) if work.kind == "label_update"][2]

    def finish(self, real=loop._Session._finish_first):
        first = self._under_way[0]
        if self._name == "seed 2" and first.work.kind == "label_update" and first.work.step == 2:
            self._under_way[0] = first._replace(info={"loss": np.full(3, np.nan)})
        real(self)

    saved = defaultdict(list)
    monkeypatch.setattr(loop._Session, "_finish_first", finish)
    monkeypatch.setattr(loop.Checkpoints, "save", lambda to, info, _: saved[to].append(info.work))
    found = run_together("pooled", seeds_in(tmp_path), 0)
    assert_all_same([found[0], found[2]], [pooled[0], pooled[2]])
    assert str(found[1][0]).startswith("loss is nan at label step 2 (label_update)")
    assert label_steps(found[1]) == [0, 1]
    assert [max(works) for works in saved.values()] == [len(plan), place, len(plan)]


@pytest.fixture(scope="module")
def config(small_encoder):
    label = LabelConfig(epochs=1, batch=8, chunk=4, learning_rate=1e-2)
    changes = {"selection": "balanced", "cid_when": "end", "pad_to_multiple_of": 16}
    return make_config(small_encoder, label=label, **changes)


def test_runs_of_a_task(config, at_once, tmp_path, capsys):
    """Three at once and then the fourth; each folder is as of a run by itself."""
    at_once(3)
    tables, seeds = load_data(config, "finetuning"), (*SEEDS, 4)
    found = run_seeds(tables, config, "finetuning", seeds_in(tmp_path, seeds))
    said = capsys.readouterr().err
    assert "finetuning, seeds 1, 2, 3 " in said and "finetuning, seed 4 " in said
    assert "seed 2, step 5, epoch 1: dev_accuracy" in said
    assert [found[seed].result.get("together") for seed in seeds] == [3, 3, 3, None]
    alone = run_task(config, "finetuning", 2, tmp_path / "alone")
    for name in ("train", "dev", "test", "selected", "cid", "names", "rows"):
        found_value, value = found[2].result[name], alone.result[name]
        jax.tree.map(partial(_assert_near, 1e-3), found_value, value)
    for row, other in zip(found[2].metrics, alone.metrics, strict=True):
        jax.tree.map(partial(_assert_near, 1e-3), row, other)
    files = [sorted(path.name for path in run.folder.iterdir()) for run in (found[2], alone)]
    assert files[0] == files[1] and "model" in files[0]
    folders = seeds_in(tmp_path, seeds)
    again = run_seeds(tables, config, "finetuning", folders, RunOptions(resume=True))
    assert {seed: run.result for seed, run in again.items()} == {
        seed: run.result for seed, run in found.items()
    }


def test_what_others_come_to_is_kept(config, at_once, tmp_path, monkeypatch):
    """The others are tested and written before the error of one is raised."""
    at_once(3)

    def fails(self, work, real=loop._Session._evaluate):
        if self._name != "seed 2":
            raise UserError("something is wrong")
        real(self, work)

    monkeypatch.setattr(loop._Session, "_evaluate", fails)
    tables = load_data(config, "finetuning")
    with pytest.raises(UserError, match="^seed 1: something is wrong; seed 3: something is wrong$"):
        run_seeds(tables, config, "finetuning", seeds_in(tmp_path))
    finished = [(tmp_path / str(seed) / "result.json").exists() for seed in SEEDS]
    assert finished == [False, True, False]


def _assert_near(tolerance, value, other):
    """In float32, of a CID near 0."""
    if isinstance(other, float):
        np.testing.assert_allclose(value, other, tolerance, tolerance)
    else:
        assert value == other


@pytest.mark.parametrize(
    ("method", "rate", "count"),
    [("influence_tuning", 0.6, 3), ("adversarial", 1.0, 3), ("adversarial", 0.6, 1)],
)
def test_steps_that_depend_on_what_is_hidden_keep_runs_apart(method, rate, count, config, at_once):
    at_once(3)
    config = replace(config, access=AccessConfig(rate=rate))
    tables = load_data(config, method)
    assert list(_prepared_together(tables, config, method, SEEDS)) == list(SEEDS)[:count]


def test_memory_decides_how_many(monkeypatch):
    method, params = method_of("pooled"), initial_params()
    asked = method, params, EVEN, method.plan(), 10
    assert runs_that_fit(*asked) == 10  # since a CPU does not tell
    room = iter([10**9, 10**5, 0])
    monkeypatch.setattr(states, "free_device_memory", lambda: next(room))
    every, some, none = (runs_that_fit(*asked) for _ in range(3))
    assert every == 10 and 1 < some < 10 and none == 1
    state = jax.eval_shape(method.init, params)
    size = sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(state))
    assert some * size < 10**5


def test_how_many_at_once(at_once, monkeypatch):
    assert runs_at_once() == 1
    assert run_order(["a", "b"], [1, 2]) == [("a", [1]), ("b", [1]), ("a", [2]), ("b", [2])]
    with pytest.raises(UserError, match="together must be a positive integer, got 0"):
        at_once(0)
    at_once(7)
    assert runs_at_once() == 7
    assert run_order(["a", "b"], [1, 2]) == [("a", [1, 2]), ("b", [1, 2])]
    at_once(None)
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    assert runs_at_once() == 64


def test_several_devices_work_at_one_run():
    with on_devices(2):
        assert runs_at_once() == 1
        use_devices(2, together=3)
        with pytest.raises(UserError, match="together is 3 but 2 devices are used"):
            runs_at_once()
