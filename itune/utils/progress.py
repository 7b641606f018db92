"""Progress: a bar with the time left on a terminal, a line now and then elsewhere."""

import os
import sys
import time
from collections.abc import Callable

from tqdm import tqdm


def _size() -> dict[str, int]:
    """A size for terminals that do not know their own; tqdm would hide the bar."""
    columns, lines = os.get_terminal_size(sys.stderr.fileno())
    return ({} if columns else {"ncols": 80}) | ({} if lines else {"nrows": 24})


OnProgress = Callable[[str, int, int], None]
"""Called with the part of the work under way, and how much of it is done, out of about what."""


def no_progress(part: str, done: int, total: int) -> None:
    """Tells nobody."""


class Progress:
    """Counts work done out of a total.

    On a terminal a tqdm bar; piped, a line for each event and one every ``every`` seconds. The
    first piece of work, which is compiled first, does not count for the time left.
    """

    def __init__(self, name: str, total: float, done: float = 0.0, *, every: float = 30.0):
        self._name, self._total, self._done, self._every = name, total, done, every
        self._start, self._before = None, done
        self._last = time.monotonic()
        self._status = ""
        self._bar = None
        if sys.stderr.isatty():
            self._bar = tqdm(
                total=round(total),
                initial=round(done),
                desc=name,
                bar_format="{desc} {percentage:3.0f}%|{bar}| {elapsed}<{remaining}{postfix}",
                smoothing=0,  # the mean rate so far: kinds of work alternate, and differ
                **_size(),
            )

    def advance(self, cost: float, status: str = "") -> None:
        """Adds finished work; ``status`` is what to show beside it."""
        self._done += cost
        if self._start is None:
            self._begin()
        self._status = status or self._status
        if self._bar is not None:
            self._bar.set_postfix_str(self._status, refresh=False)
            self._bar.update(round(self._done) - self._bar.n)
        elif time.monotonic() - self._last > self._every:
            self.say(self._status or "under way")

    def _begin(self) -> None:
        """Measures how fast the work is from now on."""
        self._start, self._before = time.monotonic(), self._done
        if self._bar is not None:
            self._bar.unpause()
            self._bar.initial = round(self._done)

    def say(self, text: str) -> None:
        """Shows an event."""
        if self._bar is not None:
            self._bar.write(f"{self._name}: {text}", file=sys.stderr)
            return
        self._last = time.monotonic()
        share = 100 * self._done / max(self._total, 1)
        print(f"{self._name} {share:3.0f}%{self._left()}: {text}", file=sys.stderr, flush=True)

    def _left(self) -> str:
        done = self._done - self._before
        if done <= 0:
            return ""
        left = (time.monotonic() - self._start) * (self._total - self._done) / done
        return f", {left / 60:.1f} min left"

    def close(self) -> None:
        """Ends the bar."""
        if self._bar is not None:
            self._bar.close()


class ProgressDisplay:
    """Show the progress of one part of some work after another.

    Its method ``on_progress`` is a :data:`~itune.utils.progress.OnProgress`. What comes before a
    part's first call, such as compiling, does not count for the time left.

    >>> with ProgressDisplay() as display:
    ...     display.on_progress("rows", 1, 2)
    ...     display.on_progress("words", 5, 9)
    """

    def __init__(self):
        self._part, self._done, self._bar = "", 0, None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._close()

    def on_progress(self, part: str, done: int, total: int) -> None:
        """Shows that so much of a part is done."""
        if part != self._part:
            self._close()
            self._part, self._bar = part, Progress(part, total, done)
        else:
            self._bar.advance(done - self._done)
        self._done = done

    def on_message(self, sentence: str) -> None:
        """Shows a sentence between two parts."""
        self._close()
        print(sentence, file=sys.stderr, flush=True)

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()
        self._part, self._bar = "", None
