"""Loops over much data that go on where they were cut off: their states are kept in a folder."""

import contextlib
import json
import time
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from itune.errors import UserError
from itune.utils.files import UNFINISHED, save_arrays, write_atomically

ABOUT, DONE = "kept-by-itune.json", "done"
OURS = (ABOUT, "*.npz", f"*{UNFINISHED}")
"""The files of a folder; no others are ever deleted."""

Item = TypeVar("Item")
State = dict[str, Any]
"""Arrays by name."""


class Resumable:
    """The states of some loops, kept on disk while a context of it is open.

    Nothing is written before ``seconds`` have passed, so that short work leaves no trace; after
    that, what is new every so often, and when Ctrl-C ends the context. :meth:`forget` it when the
    work is done. Where a state cannot be written, as on a full disk, nothing more is kept, and the
    work goes on.

    Args:
      folder: for these states alone; made when there is something to keep. None keeps nothing.
      about: what decides the states, JSON-ready; what was kept of anything else is forgotten.
      seconds: between writes.
    """

    def __init__(
        self,
        folder: Path | None = None,
        about: Mapping[str, Any] | None = None,
        *,
        seconds: float = 60.0,
    ):
        self._folder, self._every = folder, seconds
        self._about = json.dumps(about or {}, sort_keys=True)
        self._new: dict[str, tuple[State, int]] = {}
        self._written = time.monotonic()

    def __enter__(self):
        """Forgets what was kept of anything else.

        Raises:
          UserError: the folder holds something else.
        """
        if self._folder is not None and not self._is_of_this():
            self._require_ours()
            self.forget()
        return self

    def __exit__(self, kind, *_):
        if kind is not None and issubclass(kind, KeyboardInterrupt):
            self._write()

    def fold(
        self,
        name: str,
        state: State,
        items: Sequence[Item],
        step: Callable[[State, Item], State],
        on_progress: Callable[[int], None] = lambda done: None,
    ) -> State:
        """``step(... step(state, items[0]) ..., items[-1])``, from where it was cut off.

        Args:
          name: of this loop, a file's name; different from that of any other.
          state: before the first step.
          items: the same as when it was cut off.
          step: may write to the arrays of the state, if to do so twice does no harm.
          on_progress: called with the number of steps that are done, at once where some were kept.
        """
        state, done = self._read(name) or (state, 0)
        if done:
            on_progress(done)
        for number, item in enumerate(items[done:], done + 1):
            state = step(state, item)
            self._keep(name, state, number)
            on_progress(number)
        return state

    def once(self, name: str, make: Callable[[], State]) -> State:
        """What ``make()`` gave, the first time."""
        return self.fold(name, {}, [None], lambda *_: make())

    def forget(self) -> None:
        """Deletes what was kept, and its folder if nothing else is in there."""
        self._new.clear()
        if self._folder is None:
            return
        with contextlib.suppress(OSError):
            for pattern in OURS:
                for path in self._folder.glob(pattern):
                    path.unlink()
            self._folder.rmdir()

    def _is_of_this(self) -> bool:
        try:
            return (self._folder / ABOUT).read_text() == self._about
        except (OSError, ValueError):
            return False

    def _require_ours(self) -> None:
        """Checks that the folder is of another work, empty or not there yet."""
        if (self._folder / ABOUT).is_file() or not self._folder.exists():
            return
        if not self._folder.is_dir() or any(self._folder.iterdir()):
            raise UserError(
                f"{self._folder} holds something else; name a folder of its own for what is done"
            )

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.npz"

    def _read(self, name: str) -> tuple[State, int] | None:
        if self._folder is None:
            return None
        try:
            with self._path(name).open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                state = dict(arrays)
            return state, int(state.pop(DONE))
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            return None

    def _keep(self, name: str, state: State, done: int) -> None:
        if self._folder is None:
            return
        self._new[name] = state, done
        if time.monotonic() - self._written >= self._every:
            self._write()

    def _write(self) -> None:
        if not self._new:
            return
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with write_atomically(self._folder / ABOUT) as (temporary,):
                temporary.write_text(self._about)
            for name, (state, done) in self._new.items():
                save_arrays(self._path(name), **{DONE: done}, **state)
        except OSError:
            self.forget()
            self._folder = None
        self._new.clear()
        self._written = time.monotonic()


NEVER_SAVED = Resumable()
"""Keeps nothing."""
