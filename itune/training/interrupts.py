"""Ctrl-C while something is under way: first that is finished, and saved."""

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator

TOLD = b"\nsaving after this step; Ctrl-C once more leaves at once\n"


@contextlib.contextmanager
def noted() -> Iterator[Callable[[], bool]]:
    """Within it the first interrupt is only noted, and told of; the second is raised as ever.

    Where there is another handler than Python's own it stays, and in other threads, which cannot
    have any, there is none: then no interrupt is noted.

    Yields:
      Whether there was an interrupt.
    """
    is_ours = (
        threading.current_thread() is threading.main_thread()
        and signal.getsignal(signal.SIGINT) is signal.default_int_handler
    )
    if not is_ours:
        yield lambda: False
        return
    interrupts = []

    def note(*_):
        if interrupts:
            raise KeyboardInterrupt
        interrupts.append(True)
        os.write(2, TOLD)  # what is being printed just now may not be interrupted by print

    signal.signal(signal.SIGINT, note)
    try:
        yield lambda: bool(interrupts)
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
