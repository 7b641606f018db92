"""Progress where nobody looks at a terminal."""

import pytest

from itune.utils import progress


@pytest.fixture
def clock(monkeypatch):
    """Seconds that pass when they are told to."""
    seconds = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: seconds[0])
    return seconds


def notify_all(clock, seconds, total):
    with progress.ProgressDisplay() as display:
        for done in range(1, total + 1):
            clock[0] += seconds
            display.on_progress("work", done, total)


def test_compiling_does_not_count_for_the_time_left(clock, capsys):
    """The first piece takes 90 seconds, each other of four 10."""
    told = progress.Progress("run", 5.0, every=15.0)
    clock[0] += 90
    told.advance(1.0)
    for _ in range(2):
        clock[0] += 10
        told.advance(1.0)
    assert capsys.readouterr().err.splitlines()[-1] == "run  60%, 0.3 min left: running"


def test_nor_does_it_for_that_of_a_bar(clock, monkeypatch):
    monkeypatch.setattr(progress.sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(progress, "_terminal_size", lambda: {"ncols": 80, "nrows": 24})
    monkeypatch.setattr("tqdm.std.time", lambda: clock[0])
    told = progress.Progress("run", 5.0)
    for seconds in (90, 10, 10):
        clock[0] += seconds
        told.advance(1.0)
    shown = told._bar.format_dict
    told.close()
    assert (shown["n"] - shown["initial"], shown["elapsed"]) == (2, 20)


def test_quiet_for_half_a_minute(clock, capsys):
    notify_all(clock, 4.0, 8)
    assert capsys.readouterr() == ("", "")


def test_a_line_now_and_then(clock, capsys):
    """The first of the parts is not counted: it comes with compiling."""
    notify_all(clock, 20.0, 5)
    lines = capsys.readouterr().err.splitlines()
    assert lines == ["work  60%, 0.7 min left: running", "work 100%, 0.0 min left: running"]
