"""Progress: a bar with the time left on a terminal, a line now and then elsewhere."""

import os
import sys
import time
from collections.abc import Callable
from typing import Any, Self

from tqdm import tqdm

from itune.utils.visible import one_line

OnProgress = Callable[[str, int, int], None]
"""Called with the part of the work that is under way, how many units of it are done, and their
total, which may be an estimate."""


def no_progress(part: str, done: int, total: int) -> None:
    """Ignore progress: the default of functions that take an :data:`OnProgress`."""


_is_silent = False


def silence_progress() -> None:
    """Show no progress of this process any more, since another one shows it."""
    global _is_silent
    _is_silent = True


def say(sentence: str) -> None:
    """Print a sentence on a line of standard error, unless another process shows progress."""
    if not _is_silent:
        print(one_line(sentence), file=sys.stderr, flush=True)


def _terminal_size() -> dict[str, Any]:
    """Return a size for terminals that do not know theirs, on which tqdm would hide the bar."""
    columns, lines = os.get_terminal_size(sys.stderr.fileno())
    return ({} if columns else {"ncols": 80}) | ({} if lines else {"nrows": 24})


class Progress:
    """Progress of work with a known total, on standard error.

    On a terminal it is a bar; elsewhere it is a line for each message, and a line every ``every``
    seconds. The estimate of the time left ignores the first piece of work, since compilation slows
    it.
    """

    def __init__(self, name: str, total: float, done: float = 0.0, *, every: float = 30.0):
        """Begin to show progress; ``total`` and ``done`` are costs in any unit."""
        self._name, self._total, self._done, self._every = name, total, done, every
        self._start: float | None = None  # when the first piece of work was finished
        self._before = done
        self._last = time.monotonic()
        self._status = ""
        self._bar: tqdm[Any] | None = None
        if sys.stderr.isatty() and not _is_silent:
            self._bar = tqdm(
                total=round(total),
                initial=round(done),
                desc=name,
                bar_format="{desc} {percentage:3.0f}%|{bar}| {elapsed}<{remaining}{postfix}",
                smoothing=0,  # the mean rate so far: kinds of work alternate, and differ
                **_terminal_size(),
            )

    def advance(self, cost: float, status: str = "") -> None:
        """Add finished work, by its cost, and change the status unless it is empty."""
        self._done += cost
        if self._start is None:
            self._measure_from_now()
        self._status = status or self._status
        if self._bar is not None:
            self._bar.set_postfix_str(self._status, refresh=False)
            self._bar.update(round(self._done) - self._bar.n)
        elif time.monotonic() - self._last > self._every:
            self.write(self._status or "running")

    def _measure_from_now(self) -> None:
        self._start, self._before = time.monotonic(), self._done
        if self._bar is not None:
            self._bar.unpause()
            self._bar.initial = round(self._done)

    def write(self, message: str) -> None:
        """Show a message."""
        if self._bar is not None:
            self._bar.write(one_line(f"{self._name}: {message}"), file=sys.stderr)
            return
        self._last = time.monotonic()
        share = 100 * self._done / max(self._total, 1)
        say(f"{self._name} {share:3.0f}%{self._time_left()}: {message}")

    def _time_left(self) -> str:
        done = self._done - self._before
        if self._start is None or done <= 0:
            return ""
        left = (time.monotonic() - self._start) * (self._total - self._done) / done
        return f", {left / 60:.1f} min left"

    def close(self) -> None:
        """End the bar."""
        if self._bar is not None:
            self._bar.close()


class ProgressDisplay:
    """Progress of one part of some work after another.

    Its method :meth:`on_progress` is an :data:`OnProgress`. What precedes the first call for a
    part, such as compilation, does not count for the time left.

    >>> with ProgressDisplay() as display:
    ...     display.on_progress("rows", 1, 2)
    ...     display.on_progress("words", 5, 9)
    """

    def __init__(self) -> None:
        self._part, self._done = "", 0
        self._bar: Progress | None = None

    def __enter__(self) -> Self:
        """Return the display."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the bar of the last part."""
        self._close()

    def on_progress(self, part: str, done: int, total: int) -> None:
        """Show how much of a part is done."""
        if self._bar is None or part != self._part:
            self._close()
            self._part, self._bar = part, Progress(part, total, done)
        else:
            self._bar.advance(done - self._done)
        self._done = done

    def on_message(self, sentence: str) -> None:
        """Show a sentence between two parts."""
        self._close()
        say(sentence)

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()
        self._part, self._bar = "", None
