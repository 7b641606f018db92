"""Progress says nothing of short work, and how much is left of long work."""

from itune.training import progress
from itune.training.progress import Watch


def test_quiet_when_short(capsys):
    with Watch() as watch:
        for done in (1, 2):
            watch.notify("rows", done, 2)
    assert capsys.readouterr() == ("", "")


def test_what_is_left_of_each_part(capsys, monkeypatch):
    clock = iter(range(0, 10_000, 60))
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))
    with Watch() as watch:
        watch.notify("rows", 1, 4)
        watch.notify("rows", 3, 4)
        watch.say("half of it")
        watch.notify("words", 5, 10)
    out, errors = capsys.readouterr()
    first, second, said, third = errors.splitlines()
    assert not out and said == "half of it"
    assert first.startswith("rows  25%") and second.startswith("rows  75%")
    assert third.startswith("words  50%") and all("min left" in line for line in (first, third))
