"""A study: who has which point, and whose study it is."""

import contextlib
import importlib.util
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import uuid

import pytest

from itune import UserError
from itune.search import storage as storage_module
from itune.search import study as study_module
from itune.search.study import ATTEMPTS
from tests.helpers.small_search import GRID, make_plan, open_small

SIZE = 6


@pytest.fixture(autouse=True)
def in_order(monkeypatch):
    """Points are claimed in order, so that workers meet where they can."""
    monkeypatch.setattr(study_module, "_choose", lambda left: left[0])


@pytest.fixture(params=["journal", "database"])
def where(request, tmp_path):
    name = tmp_path / "deep" / "study.journal"
    return str(name) if request.param == "journal" else f"sqlite:///{tmp_path}/study.db"


@pytest.fixture
def opened(where, tmp_path):
    """Opens the study, as one more worker."""
    return lambda **options: open_small(where, make_plan(tmp_path), tmp_path, **options)


@pytest.fixture
def journal(tmp_path):
    return tmp_path / "study.journal", make_plan(tmp_path), tmp_path


@pytest.fixture
def database(tmp_path):
    """Opens a study in a database, as a machine that has a folder of its own."""

    def database(folder):
        url = f"sqlite:///{tmp_path}/study.db"
        return open_small(url, make_plan(tmp_path), tmp_path / folder)

    return database


def states(study):
    return [status.state for status in study.statuses()]


def count_states(study, state):
    return states(study).count(state)


def done(point):
    return 0.5, {"seconds": 1.0}


def failing(error):
    def objective(point):
        raise error

    return objective


@contextlib.contextmanager
def at_work(study, accuracy=0.5):
    """A worker that is at work on a point, and done with it when the context ends."""
    points, started, over = [], threading.Event(), threading.Event()

    def objective(point):
        points.append(point)
        started.set()
        assert over.wait(60)
        return accuracy, {}

    thread = threading.Thread(target=study.run, args=[objective])
    thread.start()
    try:
        assert started.wait(60)
        yield points[0]
    finally:
        over.set()
        thread.join()


def die(study):
    """A worker claims a point and is killed: its lock stays behind, held by nobody."""
    name = uuid.uuid4().hex
    study._locks.mkdir(parents=True, exist_ok=True)
    (study._locks / name).touch()
    return study._start(name).user_attrs["point"]


def test_every_point_once(opened):
    studies = [opened(), opened()]
    with contextlib.ExitStack() as stack:
        points = [stack.enter_context(at_work(studies[i % 2])) for i in range(SIZE)]
        assert points == list(range(SIZE))
        assert [study.run(pytest.fail) for study in studies] == [None, None]
        assert states(studies[1]) == ["running"] * SIZE
    third = opened()
    assert states(third) == ["done"] * SIZE
    assert third.run(pytest.fail) is None


def test_notes(opened):
    study = opened()
    point = study.run(done)
    status = study.statuses()[point]
    assert (status.accuracy, status.notes["seconds"]) == (0.5, 1.0)
    assert status.started <= status.ended


def test_no_lock_stays_behind(opened):
    study = opened()
    study.run(done)
    study.run(failing(UserError("no luck")))
    with pytest.raises(ZeroDivisionError):
        study.run(failing(ZeroDivisionError()))
    assert list(study._locks.iterdir()) == []


def test_an_interrupt_just_after_a_claim(opened, monkeypatch):
    """Nobody has the point, though its trial was never ended."""
    study, look = opened(), []

    def interrupted():
        look.append(trials())
        if len(look) == 3:  # to find its own trial
            raise KeyboardInterrupt
        return look[-1]

    trials = study._trials
    monkeypatch.setattr(study, "_trials", interrupted)
    with pytest.raises(KeyboardInterrupt):
        study.run(pytest.fail)
    other = opened()
    assert [trial.state.name for trial in other._trials()] == ["RUNNING"]
    assert states(other) == ["left"] * SIZE and other.run(done) == 0


def test_the_later_of_two_claims_yields(opened, monkeypatch):
    """Between a look at the study and the claim, another worker takes the same point."""
    first, second, taken = opened(), opened(), []
    look = second.statuses
    with contextlib.ExitStack() as stack:

        def late():
            statuses = look()
            taken.append(None if taken else stack.enter_context(at_work(first)))
            return statuses

        monkeypatch.setattr(second, "statuses", late)
        with at_work(second) as mine:
            assert taken[0] == 0 and mine == 1
            assert count_states(first, "running") == 2 and count_states(first, "left") == SIZE - 2
    assert count_states(first, "done") == 2


def test_the_point_of_a_dead_process_is_free_again(opened):
    lost, study = die(opened()), opened()
    assert states(study)[lost] == "left"
    assert study.run(done) == lost
    assert states(study)[lost] == "done"


WORKER = """
import sys, time
from pathlib import Path
from tests.helpers.small_search import make_plan, open_small
where, folder = sys.argv[1], Path(sys.argv[2])
def objective(point):
    print(point, flush=True)
    time.sleep(600)
open_small(where, make_plan(folder), folder).run(objective)
"""


def test_a_process_that_is_killed(opened, where, tmp_path):
    """Its point is its own as long as it lives, and the next worker's from then on."""
    study = opened()
    command = [sys.executable, "-c", WORKER, where, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            point = int(process.stdout.readline())
            assert states(study)[point] == "running"
            with at_work(study) as other:
                assert other != point
        finally:
            process.send_signal(signal.SIGKILL)
    points = [study.run(done) for _ in range(SIZE - 1)]
    assert point in points and states(study) == ["done"] * SIZE


def beats(tmp_path, sql="SELECT heartbeat FROM trial_heartbeats"):
    with contextlib.closing(sqlite3.connect(tmp_path / "study.db", timeout=30)) as connection:
        rows = connection.execute(sql).fetchall()
        connection.commit()
    return rows


AGE = "UPDATE trial_heartbeats SET heartbeat = '2020-01-01 00:00:00'"


def test_the_point_of_a_silent_machine_is_free_after_a_while(database, tmp_path):
    """It shares the database, not the locks; when it comes back, its point is done."""
    here, elsewhere = database("here"), database("elsewhere")
    with at_work(elsewhere, accuracy=0.7) as point:
        with at_work(here) as other:
            assert point != other
        beats(tmp_path, AGE)
        assert here.run(done) == point
    assert here.statuses()[point].accuracy == 0.5
    assert count_states(here, "done") == 2


def test_workers_beat(database, tmp_path, monkeypatch):
    monkeypatch.setattr(storage_module, "BEAT_SECONDS", 1)
    threads = threading.active_count()
    with at_work(database("here")):
        while not beats(tmp_path):
            time.sleep(0.01)
        beats(tmp_path, AGE)
        (aged,) = beats(tmp_path)
        end = time.monotonic() + 30
        while beats(tmp_path) == [aged]:
            assert time.monotonic() < end, "no beat"
            time.sleep(0.1)
    assert threading.active_count() == threads


def test_a_database_that_is_away_for_a_moment(database, tmp_path, monkeypatch):
    """A beat that fails is not the end of the work."""
    from optuna.storages import RDBStorage

    tried = threading.Event()

    def away(*_):
        tried.set()
        raise sqlite3.OperationalError("away")

    monkeypatch.setattr(RDBStorage, "record_heartbeat", away)
    study = database("here")
    assert study.run(lambda point: done(tried.wait(60))) == 0
    assert states(study)[0] == "done"


def test_a_point_that_kills_its_workers_has_failed(opened):
    study = opened()
    assert [die(study) for _ in range(ATTEMPTS)] == [0] * ATTEMPTS
    assert study.run(done) == 1
    status = study.statuses()[0]
    assert (status.state, status.notes["error"]) == ("failed", "its worker died 3 times")
    assert opened(retry=True).run(done) == 0


def test_an_interrupted_point_is_free_at_once_as_often_as_one_likes(opened):
    study = opened()
    for _ in range(ATTEMPTS + 1):
        with pytest.raises(KeyboardInterrupt):
            study.run(failing(KeyboardInterrupt()))
    assert states(study) == ["left"] * SIZE
    assert study.run(done) == 0


def test_a_failed_point_waits_until_it_is_to_be_retried(opened):
    study = opened()
    assert study.run(failing(UserError("no\n luck"))) == 0
    assert study.run(done) == 1
    assert study.statuses()[0].notes["error"] == "no luck"
    retrying = opened(retry=True)
    assert states(retrying)[0] == "left"
    assert retrying.run(failing(UserError("again"))) == 0
    assert states(retrying)[0] == "failed"  # once
    assert retrying.run(done) == 2


# Whose study it is


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"method": "finetuning"}, "its method is 'influence_tuning', not 'finetuning'; search as"),
        ({"seeds": (1, 2)}, r"its seeds is \[1\], not \[1, 2\]"),
        ({"data_sha256": "1" * 64}, "its data_sha256 is '000"),
        ({"grid": {**GRID, "influence.k": (5,)}}, r"its grid.influence.k is None, not \[5\]"),
    ],
)
def test_another_search(opened, where, tmp_path, changes, message):
    opened()
    with pytest.raises(UserError, match=message) as caught:
        open_small(where, make_plan(tmp_path)._replace(**changes), tmp_path)
    assert str(caught.value).startswith(f"the study {where} is another search: ")


def test_another_base(opened, where, tmp_path):
    opened()
    (tmp_path / "other").mkdir()
    with pytest.raises(UserError, match="its config.encoder is '.*', not '.*other'"):
        open_small(where, make_plan(tmp_path / "other"), tmp_path)


def test_a_report_needs_a_study(opened):
    with pytest.raises(UserError, match="^there is no study .*; start the search"):
        opened(create=False)


def test_a_report_on_a_study(opened):
    with at_work(opened()):
        assert count_states(opened(create=False), "running") == 1


@pytest.mark.parametrize(
    "content", [b"mine\n", b"{}\n", b"[]\n[]\n", b"\xff\n", b'{"op_code": 99}\n', b"{\n{}\n"]
)
def test_damaged_journals(journal, content):
    path, plan, folder = journal
    path.write_bytes(content)
    with pytest.raises(UserError, match=f"^cannot use the study {path} ") as caught:
        open_small(path, plan, folder)
    assert "\n" not in str(caught.value)


def test_a_journal_damaged_on_the_way(journal):
    path, plan, folder = journal
    study = open_small(path, plan, folder)
    path.unlink()
    with pytest.raises(UserError, match=f"^cannot use the study {path} "):
        study.run(pytest.fail)


def test_a_folder_is_no_journal(tmp_path):
    with pytest.raises(UserError, match=r"^cannot use the study .* \(IsADirectoryError: "):
        open_small(tmp_path, make_plan(tmp_path), tmp_path)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("sqlite:///nowhere/at/all/study.db", "OperationalError: .*unable to open database file"),
        ("sqlite://", "study sqlite:// is in memory, where no other worker finds it; name a file"),
        ("sqlite+pysqlite:///:memory:", "is in memory"),
        ("mysqll://ann:secret@host/base", "NoSuchModuleError: "),
        ("http://", "ArgumentError|NoSuchModuleError"),
        ("postgresql://ann:secret@host/base", "ImportError|ModuleNotFoundError"),
    ],
)
def test_bad_urls(tmp_path, monkeypatch, url, message):
    monkeypatch.setattr(storage_module.time, "sleep", lambda seconds: None)
    with pytest.raises(UserError, match=message) as caught:
        open_small(url, make_plan(tmp_path), tmp_path)
    assert "\n" not in str(caught.value) and "secret" not in str(caught.value)


def test_without_optuna(journal, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"a search needs optuna: pip install 'itune\[search\]'"):
        open_small(*journal)
