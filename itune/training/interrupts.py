"""Ctrl-C during training: the piece of work under way is finished and saved first."""

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator

MESSAGE = b"\nsaving after this step; Ctrl-C once more leaves at once\n"


@contextlib.contextmanager
def deferred_interrupt() -> Iterator[Callable[[], bool]]:
    """Yield whether there was a Ctrl-C, as a function; the second one raises KeyboardInterrupt.

    Nothing is noted in other threads than the main one, or where Python's handler is replaced.
    """
    is_replaceable = (
        threading.current_thread() is threading.main_thread()
        and signal.getsignal(signal.SIGINT) is signal.default_int_handler
    )
    if not is_replaceable:
        yield lambda: False
        return
    interrupts = []

    def note(*_: object) -> None:
        if interrupts:
            raise KeyboardInterrupt
        interrupts.append(True)
        os.write(2, MESSAGE)  # print may not be called while it is interrupted itself

    signal.signal(signal.SIGINT, note)
    try:
        yield lambda: bool(interrupts)
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
