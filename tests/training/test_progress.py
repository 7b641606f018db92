"""Progress where nobody looks at a terminal."""

import pytest

from itune.training import progress


@pytest.fixture
def clock(monkeypatch):
    """Seconds that pass when they are told to."""
    seconds = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: seconds[0])
    return seconds


def notify_all(clock, seconds, total):
    with progress.Watch() as watch:
        for done in range(1, total + 1):
            clock[0] += seconds
            watch.notify("work", done, total)


def test_quiet_for_half_a_minute(clock, capsys):
    notify_all(clock, 4.0, 8)
    assert capsys.readouterr() == ("", "")


def test_a_line_now_and_then(clock, capsys):
    """The first of the parts is not counted: it comes with compiling."""
    notify_all(clock, 20.0, 5)
    lines = capsys.readouterr().err.splitlines()
    assert lines == ["work  60%, 0.7 min left: under way", "work 100%, 0.0 min left: under way"]
