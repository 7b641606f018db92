"""Ctrl-C is noted until what is under way is saved; a run that was interrupted loses nothing."""

import signal
import threading

import pytest

from itune.training import batches
from itune.training.interrupts import deferred_interrupt
from itune.training.run import run_task
from itune.training.run_folder import RunOptions
from tests.helpers.small_run import make_config


@pytest.fixture(autouse=True)
def pythons_own_handler():
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def interrupt():
    signal.raise_signal(signal.SIGINT)


def test_the_first_is_noted_and_the_second_raised(capfd):
    with deferred_interrupt() as is_interrupted:
        assert not is_interrupted()
        interrupt()
        assert is_interrupted() and "once more" in capfd.readouterr().err
        with pytest.raises(KeyboardInterrupt):
            interrupt()
    with pytest.raises(KeyboardInterrupt):
        interrupt()


def test_other_handlers_stay():
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with deferred_interrupt() as is_interrupted:
        interrupt()
        assert not is_interrupted() and signal.getsignal(signal.SIGINT) is signal.SIG_IGN


def test_other_threads_have_none():
    def work():
        with deferred_interrupt() as is_interrupted:
            found.append(is_interrupted())

    found = []
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [False]


@pytest.mark.parametrize("interrupt_at", [1, 8])
def test_a_run_goes_on_from_there(small_encoder, tmp_path, monkeypatch, interrupt_at):
    config = make_config(small_encoder)
    calls, collate = [], batches.collate_shared

    def collate_and_interrupt(*args, **options):
        calls.append(args)
        if len(calls) == interrupt_at:
            interrupt()
        return collate(*args, **options)

    monkeypatch.setattr(batches, "collate_shared", collate_and_interrupt)
    with pytest.raises(KeyboardInterrupt):
        run_task(config, "influence_tuning", 1, tmp_path / "run")
    assert len(calls) == interrupt_at
    run_task(config, "influence_tuning", 1, tmp_path / "run", RunOptions(resume=True))
    done = len(calls)
    run_task(config, "influence_tuning", 1, tmp_path / "whole")
    assert len(calls) == 2 * done  # none was gone through twice
    metrics = [(tmp_path / name / "metrics.jsonl").read_bytes() for name in ("run", "whole")]
    assert metrics[0] == metrics[1]
