"""Loops over much data that resume where they were cut off: their states are saved in a folder."""

import contextlib
import json
import time
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self, TypeVar

import numpy as np

from itune.errors import UserError
from itune.utils.files import UNFINISHED, save_arrays, write_atomically

ABOUT, DONE = "kept-by-itune.json", "done"
OURS = (ABOUT, "*.npz", f"*{UNFINISHED}")
"""Patterns of the files in a folder; no others are ever deleted."""

Item = TypeVar("Item")
State = dict[str, Any]
"""Arrays by name."""


class Resumable:
    """The states of some loops, saved on disk while its context is open.

    Nothing is written before `seconds` have passed, so that short work leaves no trace; after that,
    what is new is written every `seconds`, and when Ctrl-C ends the context. Call :meth:`forget`
    when the work is done. If a state cannot be written, as on a full disk, the work goes on and
    nothing is saved any more.
    """

    def __init__(
        self,
        folder: Path | None = None,
        about: Mapping[str, Any] | None = None,
        *,
        seconds: float = 60.0,
    ):
        """Name the folder, which must be for these states alone; None saves nothing.

        ``about`` decides the states, and so does the number of devices, on which chunks depend:
        those saved with anything else are deleted on entering.
        """
        self._folder, self._every = folder, seconds
        self._about = json.dumps({**(about or {}), **_devices(folder)}, sort_keys=True)
        self._new: dict[str, tuple[State, int]] = {}
        self._written = time.monotonic()

    def __enter__(self) -> Self:
        """Delete states saved with anything else; a UserError if the folder holds other files."""
        if self._folder is not None and not self._is_of_this(self._folder):
            _require_ours(self._folder)
            self.forget()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Write what is new if Ctrl-C ends the context."""
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
        """Return ``step(... step(state, items[0]) ..., items[-1])``, resumed where it was cut off.

        The name is that of the file. A step may write to the arrays of the state if doing so twice
        does no harm. ``on_progress`` gets the number of steps done, also that of those saved.
        """
        state, done = self._read(name) or (state, 0)
        if done:
            on_progress(done)
        for number, item in enumerate(items[done:], done + 1):
            state = step(state, item)
            self._save(name, state, number)
            on_progress(number)
        return state

    def once(self, name: str, make: Callable[[], State]) -> State:
        """Return what ``make()`` returned the first time."""
        return self.fold(name, {}, [None], lambda *_: make())

    def forget(self) -> None:
        """Delete what was saved, and the folder if it holds nothing else."""
        self._new.clear()
        if self._folder is None:
            return
        with contextlib.suppress(OSError):
            for pattern in OURS:
                for path in self._folder.glob(pattern):
                    path.unlink()
            self._folder.rmdir()

    def _is_of_this(self, folder: Path) -> bool:
        try:
            return (folder / ABOUT).read_text() == self._about
        except (OSError, ValueError):
            return False

    def _read(self, name: str) -> tuple[State, int] | None:
        if self._folder is None:
            return None
        try:
            path = _state_file(self._folder, name)
            with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                state = dict(arrays)
            return state, int(state.pop(DONE))
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            return None

    def _save(self, name: str, state: State, done: int) -> None:
        """Note a state, and write what is new if it is time to."""
        if self._folder is None:
            return
        self._new[name] = state, done
        if time.monotonic() - self._written >= self._every:
            self._write()

    def _write(self) -> None:
        if self._folder is None or not self._new:
            return
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with write_atomically(self._folder / ABOUT) as (temporary,):
                temporary.write_text(self._about)
            for name, (state, done) in self._new.items():
                save_arrays(_state_file(self._folder, name), **{DONE: done}, **state)
        except OSError:
            self.forget()
            self._folder = None
        self._new.clear()
        self._written = time.monotonic()


def _devices(folder: Path | None) -> dict[str, int]:
    if folder is None:
        return {}
    from itune.utils.devices import device_count

    return {} if device_count() == 1 else {"devices": device_count()}


def _require_ours(folder: Path) -> None:
    """Check that the folder holds states, or nothing, or does not exist yet."""
    if (folder / ABOUT).is_file() or not folder.exists():
        return
    if not folder.is_dir() or any(folder.iterdir()):
        raise UserError(f"{folder} holds something else; name a folder that is for this work alone")


def _state_file(folder: Path, name: str) -> Path:
    return folder / f"{name}.npz"


NEVER_SAVED = Resumable()
"""Saves nothing: the default of functions whose loops can be resumed."""
