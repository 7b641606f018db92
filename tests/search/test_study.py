"""A study: who has which point, and whose study it is."""

import importlib.util
import subprocess
import sys
import time

import pytest

from itune import UserError
from itune.search import study as study_module
from itune.search.study import ATTEMPTS
from tests.helpers.small_search import GRID, make_plan, open_small

SIZE = 6


@pytest.fixture(autouse=True)
def in_order(monkeypatch):
    """Points are claimed in order, so that workers meet where they can."""
    monkeypatch.setattr(study_module, "_choose", lambda free: free[0])


@pytest.fixture(params=["journal", "database"])
def where(request, tmp_path):
    name = tmp_path / "deep" / "study.journal"
    return str(name) if request.param == "journal" else f"sqlite:///{tmp_path}/study.db"


@pytest.fixture
def opened(where, tmp_path):
    """Opens the study, as one more worker."""
    return lambda **options: open_small(where, make_plan(tmp_path), **options)


@pytest.fixture
def journal(tmp_path):
    return tmp_path / "study.journal", make_plan(tmp_path)


def states(study):
    return [standing.state for standing in study.standings()]


def as_worker(monkeypatch, host=None, pid=None):
    """Claims are made by another process."""
    mine = study_module._worker()
    worker = [host or mine[0], pid or mine[1], "other"]
    monkeypatch.setattr(study_module, "_worker", lambda: worker)


@pytest.fixture
def dead_pid():
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_every_point_once(opened):
    studies = [opened(), opened()]
    claims = [studies[i % 2].claim() for i in range(SIZE)]
    assert [claim.point for claim in claims] == list(range(SIZE))
    assert studies[0].claim() is None and studies[1].claim() is None
    assert states(studies[1]) == ["running"] * SIZE
    for claim in claims:
        with claim:
            claim.finish(0.5, seconds=1.0)
    assert states(opened()) == ["done"] * SIZE
    assert opened().standings()[0].notes["seconds"] == 1.0
    assert opened().claim() is None


def test_the_later_of_two_claims_yields(opened, monkeypatch):
    """Between a look at the study and the claim, another worker takes the same point."""
    first, second, taken = opened(), opened(), []
    monkeypatch.setattr(second, "_bury", lambda trials: taken or taken.append(first.claim()))
    mine = second.claim()
    assert mine.point != taken[0].point
    assert states(second).count("running") == 2 and states(second).count("left") == SIZE - 2


def test_the_claim_of_a_dead_process_is_free_again(opened, monkeypatch, dead_pid):
    study = opened()
    with monkeypatch.context() as patch:
        as_worker(patch, pid=dead_pid)
        lost = study.claim()
    again = opened().claim()
    assert again.point == lost.point
    again.finish(0.5)
    assert states(study)[lost.point] == "done"


def test_a_namesake_of_this_process_is_dead(opened, monkeypatch):
    """Containers give the same numbers to one process after the other."""
    study = opened()
    with monkeypatch.context() as patch:
        as_worker(patch)
        lost = study.claim()
    assert study.claim().point == lost.point


def test_the_claim_of_a_silent_machine_is_free_after_a_while(opened, monkeypatch):
    study = opened()
    with monkeypatch.context() as patch:
        as_worker(patch, host="elsewhere")
        lost = study.claim()
    claim = study.claim()
    assert claim.point != lost.point
    claim.finish(0.5)
    monkeypatch.setattr(study_module, "GRACE_SECONDS", -1.0)
    assert study.claim().point == lost.point


def test_a_worker_that_comes_back_finds_its_point_done(opened, monkeypatch):
    study = opened()
    late = study.claim()
    monkeypatch.setattr(study_module, "GRACE_SECONDS", -1.0)
    again = study.claim()
    assert again.point == late.point
    again.finish(0.5)
    with late:
        late.finish(0.7, seconds=1.0)
    assert study.standings()[late.point].accuracy == 0.5


def test_claims_beat(opened, monkeypatch):
    monkeypatch.setattr(study_module, "BEAT_SECONDS", 0.01)
    study = opened()
    with study.claim() as claim:
        first = study.standings()[claim.point].notes["beat"]
        end = time.monotonic() + 30
        while study.standings()[claim.point].notes["beat"] == first:
            assert time.monotonic() < end, "no beat"
            time.sleep(0.01)
        claim.finish(0.5)
    assert not claim._thread.is_alive()


def test_a_point_that_kills_its_workers_has_failed(opened, monkeypatch, dead_pid):
    study = opened()
    with monkeypatch.context() as patch:
        as_worker(patch, pid=dead_pid)
        first = study.claim().point
        assert [study.claim().point for _ in range(ATTEMPTS - 1)] == [first] * (ATTEMPTS - 1)
    assert study.claim().point != first
    standing = study.standings()[first]
    assert (standing.state, standing.notes["error"]) == ("failed", "its worker died, 3 times")


def test_an_interrupted_point_is_free_at_once_as_often_as_one_likes(opened):
    study, found = opened(), set()
    for _ in range(ATTEMPTS + 1):
        with pytest.raises(KeyboardInterrupt), study.claim() as claim:
            found.add(claim.point)
            raise KeyboardInterrupt
    assert len(found) == 1 and states(study) == ["left"] * SIZE


def test_a_failed_point_waits_until_it_is_to_be_retried(opened):
    study = opened()
    claim = study.claim()
    claim.fail("no luck")
    assert study.claim().point != claim.point
    assert study.standings()[claim.point].notes["error"] == "no luck"
    retrying = opened(retry=True)
    assert states(retrying)[claim.point] == "left"
    again = retrying.claim()
    assert again.point == claim.point
    again.fail("again")
    assert states(retrying)[claim.point] == "failed"  # once


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
        open_small(where, make_plan(tmp_path)._replace(**changes))
    assert str(caught.value).startswith(f"the study {where} is another search: ")


def test_another_base(opened, where, tmp_path):
    opened()
    (tmp_path / "other").mkdir()
    with pytest.raises(UserError, match="its config.encoder is '.*', not '.*other'"):
        open_small(where, make_plan(tmp_path / "other"))


def test_a_report_needs_a_study(opened):
    with pytest.raises(UserError, match="^there is no study .*; start the search"):
        opened(create=False)


def test_a_report_on_a_study(opened):
    opened().claim()
    assert states(opened(create=False)).count("running") == 1


@pytest.mark.parametrize(
    "content", [b"mine\n", b"{}\n", b"[]\n[]\n", b"\xff\n", b'{"op_code": 99}\n', b"{\n{}\n"]
)
def test_damaged_journals(journal, content):
    path, plan = journal
    path.write_bytes(content)
    with pytest.raises(UserError, match=f"^cannot use the study {path} ") as caught:
        open_small(path, plan)
    assert "\n" not in str(caught.value)


def test_a_journal_damaged_on_the_way(journal):
    path, plan = journal
    study = open_small(path, plan)
    path.unlink()
    with pytest.raises(UserError, match=f"^cannot use the study {path} "):
        study.claim()


def test_a_folder_is_no_journal(tmp_path):
    with pytest.raises(UserError, match=r"^cannot use the study .* \(IsADirectoryError: "):
        open_small(tmp_path, make_plan(tmp_path))


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("sqlite:///nowhere/at/all/study.db", "OperationalError: .*unable to open database file"),
        ("mysqll://ann:secret@host/base", "NoSuchModuleError: "),
        ("http://", "ArgumentError|NoSuchModuleError"),
        ("postgresql://ann:secret@host/base", "ImportError|ModuleNotFoundError"),
    ],
)
def test_bad_urls(tmp_path, monkeypatch, url, message):
    monkeypatch.setattr(study_module.time, "sleep", lambda seconds: None)
    with pytest.raises(UserError, match=message) as caught:
        open_small(url, make_plan(tmp_path))
    assert "\n" not in str(caught.value) and "secret" not in str(caught.value)


def test_without_optuna(journal, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"a search needs optuna: pip install 'itune\[search\]'"):
        open_small(*journal)
