"""Workers: every setting once, errors noted, and test not looked at."""

import threading

import pytest

from itune import UserError
from itune.search import plan_search, work
from itune.search import worker as worker_module
from itune.search.grids import points
from itune.training import RunOptions
from tests.helpers.small_run import make_config
from tests.helpers.small_search import GRID, TEST_ACCURACY, FakeRun, make_plan, open_small


@pytest.fixture
def fake(monkeypatch):
    def fake(**options):
        run = FakeRun(**options)
        monkeypatch.setattr(worker_module, "run_task_seeds", run)
        return run

    return fake


@pytest.fixture
def path(tmp_path):
    return tmp_path / "study.journal"


def test_all_settings_with_all_seeds(fake, path, tmp_path):
    run, lines = fake(collapsed=[25]), []
    plan = make_plan(tmp_path, seeds=(1, 3))
    study = open_small(path, plan, tmp_path)
    work(study, tmp_path, checkpoint_seconds=7.0, on_message=lines.append)
    expected = [(*point.values(), seed) for point in points(GRID) for seed in (1, 3)]
    assert sorted(run.calls) == sorted(expected)
    for status in study.statuses():
        assert status.state == "done" and status.notes["seconds"] == 120.0
    first, last = study.statuses()[0], study.statuses()[-1]
    assert first.accuracy == pytest.approx((25 + 2) / 200 + 3e-5)
    assert last.accuracy == pytest.approx((100 + 2) / 200 + 1e-5)
    assert first.notes["collapsed"] == [1, 3] and last.notes["collapsed"] == []
    method, folder, options = run.options[0]
    assert method == "influence_tuning" and options == RunOptions(
        resume=True, checkpoint_seconds=7.0
    )
    assert len({folder for _, folder, _ in run.options}) == len(expected)
    assert len(lines) == 6 and lines[-1].startswith("6 of 6: influence.interval ")
    assert sum(line.endswith(", collapsed") for line in lines) == 2


def test_test_is_not_looked_at(fake, path, tmp_path):
    """Results are sealed in all these tests; and the study does not hold it."""
    fake()
    plan = make_plan(tmp_path)
    study = open_small(path, plan, tmp_path)
    work(study, tmp_path)
    assert str(TEST_ACCURACY) not in path.read_text()
    noted = {"accuracies", "collapsed", "seconds"}
    assert study.statuses()[0].notes.keys() == noted | {"point", "lock"}


def test_errors_are_noted_and_the_search_goes_on(fake, path, tmp_path):
    run, lines = fake(broken=[50]), []
    plan = make_plan(tmp_path, seeds=(1, 2))
    study = open_small(path, plan, tmp_path)
    work(study, tmp_path, on_message=lines.append)
    failed = [s for s in study.statuses() if s.state == "failed"]
    assert [points(GRID)[s.point]["influence.interval"] for s in failed] == [50, 50]
    assert failed[0].notes["error"] == "the loss of step 3 is | not finite with seed 1"
    assert len(run.calls) == 4 * 2 + 2
    assert sum("failed (the loss of step 3" in line for line in lines) == 2
    work(open_small(path, plan, tmp_path), tmp_path)
    assert len(run.calls) == 4 * 2 + 2  # neither again
    run = fake()
    work(open_small(path, plan, tmp_path, retry=True), tmp_path)
    assert len(run.calls) == 2 * 2


def test_bugs_are_not_noted(path, tmp_path, monkeypatch):
    def run(*args, **options):
        raise ZeroDivisionError

    monkeypatch.setattr(worker_module, "run_task_seeds", run)
    plan = make_plan(tmp_path)
    study = open_small(path, plan, tmp_path)
    with pytest.raises(ZeroDivisionError):
        work(study, tmp_path)
    assert {status.state for status in study.statuses()} == {"left"}


def test_some_trials_and_the_rest_later(fake, path, tmp_path):
    run, plan = fake(), make_plan(tmp_path)
    work(open_small(path, plan, tmp_path), tmp_path, trials=2)
    assert len(run.calls) == 2
    work(open_small(path, plan, tmp_path), tmp_path)
    assert len(run.calls) == len(set(run.calls)) == 6


@pytest.mark.parametrize(("kind", "size"), [("journal", 24), ("database", 8)])
def test_workers_at_once(fake, path, tmp_path, kind, size):
    """Four of them, with nothing to do but to claim: each setting is run once all the same."""
    run = fake()
    grid = {"influence.interval": tuple(range(1, size + 1))}
    plan, errors = make_plan(tmp_path, grid=grid), []
    where = path if kind == "journal" else f"sqlite:///{path}"
    studies = [open_small(where, plan, tmp_path) for _ in range(4)]
    start = threading.Barrier(4)

    def worker(study):
        try:
            start.wait()
            work(study, tmp_path)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=worker, args=(study,)) for study in studies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert sorted(call[0] for call in run.calls) == list(range(1, size + 1))
    assert {status.state for status in studies[0].statuses()} == {"done"}


def test_bad_plans(tmp_path):
    config = make_config(tmp_path)
    with pytest.raises(UserError, match="method must be one of finetuning, .*, got 'tuning'"):
        plan_search(config, "tuning", (1,), GRID)
    plan = make_plan("./nowhere")
    with pytest.raises(UserError, match="encoder folder ./nowhere does not exist"):
        work(open_small(tmp_path / "study", plan, tmp_path), tmp_path)
