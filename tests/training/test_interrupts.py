"""Ctrl-C is noted until what is under way is saved; a run that was interrupted loses nothing."""

import contextlib
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


@pytest.fixture(scope="module")
def config(small_encoder):
    return make_config(small_encoder)


@contextlib.contextmanager
def counted(interrupt_at=0):
    """Collect the batches that are made, and interrupt as the one of this number is."""
    made, collate = [], batches.collate_shared

    def collate_and_interrupt(*args, **options):
        made.append(args)
        if len(made) == interrupt_at:
            interrupt()
        return collate(*args, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batches, "collate_shared", collate_and_interrupt)
        yield made


@pytest.fixture(scope="module")
def whole(config, tmp_path_factory):
    """What a run that nothing interrupts logs, and how many batches it makes."""
    folder = tmp_path_factory.mktemp("whole")
    with counted() as made:
        run_task(config, "influence_tuning", 1, folder)
    return (folder / "metrics.jsonl").read_bytes(), len(made)


@pytest.mark.parametrize("interrupt_at", [1, 8])
def test_a_run_goes_on_from_there(config, whole, tmp_path, interrupt_at):
    metrics, count = whole
    with counted(interrupt_at) as made:
        with pytest.raises(KeyboardInterrupt):
            run_task(config, "influence_tuning", 1, tmp_path)
        assert len(made) == interrupt_at
        run_task(config, "influence_tuning", 1, tmp_path, RunOptions(resume=True))
    assert len(made) == count  # none was gone through twice
    assert (tmp_path / "metrics.jsonl").read_bytes() == metrics
