"""A study that many workers share: which settings are done, failed, under way or left.

It is kept by optuna: for its storages, which number trials without a gap whoever asks (a journal
file that works on network file systems, too, and any database SQLAlchemy knows), and because
``optuna-dashboard`` shows them. With what it needs it takes 22 MB, none of which is imported before
a study is opened.

A setting is known by its index in the grid, its *point*. Optuna's own ``GridSampler`` gives a point
to two workers now and then, and its heartbeat works in databases only, so points are claimed here:

- A claim is a trial that is created as running, with its point. The storage numbers trials one
  after the other; of two workers that claim a point at once, the lower number has it and the other
  yields.
- The worker of a claim lets it beat. A claim whose beat has stopped, or whose process is gone from
  this machine, is lost: its trial fails and its point is free again, some times.
- An error that a person should read makes the trial fail for good, until somebody wants it retried.
"""

import contextlib
import importlib.util
import json
import os
import random
import re
import socket
import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from itune.errors import UserError
from itune.search.grids import Grid, points

BEAT_SECONDS = 60.0
GRACE_SECONDS = 600.0
"""A claim that has not beaten for so long is lost."""

ATTEMPTS = 3
"""A point whose workers died so often has failed."""

DONE, FAILED, RUNNING, LEFT = "done", "failed", "running", "left"
YIELDED, INTERRUPTED = "yielded", "interrupted"

_PROCESS = uuid.uuid4().hex
_choose = random.SystemRandom().choice  # whatever seeds the workers have
_JOURNAL_ERRORS = (OSError, json.JSONDecodeError, RuntimeError)  # the last: its lock was broken


class Standing(NamedTuple):
    """How a point stands.

    Attributes:
      point: index of the setting.
      state: ``done``, ``failed``, ``running`` or ``left``.
      accuracy: what it is chosen by, where it is done.
      notes: what its worker noted, such as ``error`` or ``seconds``.
      started: of the trial that decided the state, if any.
      ended: the same.
    """

    point: int
    state: str
    accuracy: float | None = None
    notes: Mapping[str, Any] = {}
    started: datetime | None = None
    ended: datetime | None = None


def require_optuna() -> None:
    """Raise a UserError where optuna is not installed."""
    if importlib.util.find_spec("optuna") is None:
        raise UserError("a search needs optuna: pip install 'itune[search]'")


def open_study(
    where: str,
    name: str,
    grid: Grid,
    fingerprint: Mapping[str, Any],
    *,
    create: bool = True,
    retry: bool = False,
) -> "Study":
    """Open a study, or make it.

    Args:
      where: a database URL such as ``postgresql://…``, or a file. On a file system that several
        machines share, so can they the file.
      name: of the study among those of the database.
      grid: its settings.
      fingerprint: what else makes it this search and no other; of what JSON can hold.
      create: make it if there is none.
      retry: settings that have failed so far are left to do.

    Raises:
      UserError: optuna is missing; there is no such study, it cannot be opened, or it is that of
        another search.
    """
    require_optuna()
    wanted = {**fingerprint, "grid": {key: list(values) for key, values in grid.items()}}
    try:
        study = _load(where, name, create=create)
        found = {} if study is None else _fingerprint(study, wanted)
    except Exception as error:  # storages raise whatever occurs to them
        raise _unusable(where, error) from error
    if study is None:
        raise UserError(f"there is no study {_shown(where)}; start the search without --report")
    _require_same(found, wanted, f"the study {_shown(where)}")
    return Study(study, where, grid, retry=retry)


class Study:
    """The points of a grid, shared with other workers. Made by :func:`open_study`."""

    def __init__(self, study, where: str, grid: Grid, *, retry: bool = False):
        self._study, self._where = study, where
        self._points = points(grid)
        self._distributions = _distributions(grid)
        self._retried = max((t.number + 1 for t in self._trials()), default=0) if retry else 0

    def __len__(self) -> int:
        return len(self._points)

    def standings(self) -> list[Standing]:
        """Return how each point stands."""
        return self._standings(self._trials())

    def claim(self) -> "Claim | None":
        """Return a point that nobody else has, or None if none is left.

        Of those that are left a random one, so that workers rarely meet, and a search that is cut
        short has seen values of all kinds.
        """
        while True:
            trials = self._trials()
            self._bury(trials)
            standings = self._standings(trials)
            free = [standing.point for standing in standings if standing.state == LEFT]
            if not free:
                return None
            if claim := self._take(_choose(free), [trial.number for trial in trials]):
                return claim

    def _take(self, point: int, seen: list[int]) -> "Claim | None":
        """Claims a point that was free when there were these trials."""
        import optuna

        token = uuid.uuid4().hex
        with _storage_errors(self._where):
            self._study.add_trial(
                optuna.create_trial(
                    state=optuna.trial.TrialState.RUNNING,
                    params=self._points[point],
                    distributions=self._distributions,
                    user_attrs={
                        "point": point,
                        "token": token,
                        "worker": _worker(),
                        "beat": time.time(),
                    },
                )
            )
        trials = self._trials()
        mine = next(trial for trial in trials if trial.user_attrs["token"] == token)
        claim = Claim(self._study, self._where, mine)
        between = (t for t in trials if t.number < mine.number and t.number not in seen)
        if any(trial.user_attrs["point"] == point for trial in between):
            claim.release(YIELDED)
            return None
        return claim

    def _bury(self, trials) -> None:
        """Lets the trials of dead workers fail."""
        import optuna

        lost = [trial for trial in trials if not trial.state.is_finished() and not _is_held(trial)]
        for trial in lost:
            with (
                _storage_errors(self._where),
                contextlib.suppress(optuna.exceptions.UpdateFinishedTrialError),
            ):
                failed = optuna.trial.TrialState.FAIL
                self._study.tell(trial.number, state=failed, skip_if_finished=True)

    def _trials(self):
        with _storage_errors(self._where):
            trials = self._study.get_trials(deepcopy=False)
        return [trial for trial in trials if "point" in trial.user_attrs]

    def _standings(self, trials) -> list[Standing]:
        of_point = defaultdict(list)
        for trial in trials:
            of_point[trial.user_attrs["point"]].append(trial)
        return [_standing(point, of_point[point], self._retried) for point in range(len(self))]


class Claim:
    """A point that this worker has; it beats inside a ``with`` statement, and is given back there.

    Attributes:
      point: index of the setting.
    """

    def __init__(self, study, where: str, frozen):
        import optuna

        self.point: int = frozen.user_attrs["point"]
        self._study, self._where = study, where
        # Optuna hands out no trial that can be written to but by asking a sampler for one.
        self._trial = optuna.trial.Trial(study, frozen._trial_id)
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True)

    def __enter__(self) -> "Claim":
        self._thread.start()
        return self

    def __exit__(self, kind, error, traceback) -> None:
        self._stop()
        if error is not None:
            self.release(INTERRUPTED)

    def finish(self, accuracy: float, **notes: Any) -> None:
        """Say that the setting is done."""
        self._end("COMPLETE", notes, accuracy)

    def fail(self, error: str, **notes: Any) -> None:
        """Say that the setting cannot be done."""
        self._end("FAIL", {"error": error, **notes})

    def release(self, why: str) -> None:
        """Leave the point to others."""
        self._end("FAIL", {why: True})

    def _end(self, state: str, notes: Mapping[str, Any], value: float | None = None) -> None:
        import optuna

        self._stop()
        with (
            _storage_errors(self._where),
            contextlib.suppress(optuna.exceptions.UpdateFinishedTrialError),  # thought to be dead
        ):
            for key, note in notes.items():
                self._trial.set_user_attr(key, note)
            state = optuna.trial.TrialState[state]
            self._study.tell(self._trial, value, state=state, skip_if_finished=True)

    def _stop(self) -> None:
        self._is_over.set()
        if self._thread.is_alive():
            self._thread.join()

    def _beat(self) -> None:
        while not self._is_over.wait(BEAT_SECONDS):
            with contextlib.suppress(Exception):  # a storage that stays away is met at the end
                self._trial.set_user_attr("beat", time.time())


# What a trial says


def _worker() -> list:
    return [socket.gethostname(), os.getpid(), _PROCESS]


def _is_held(trial) -> bool:
    """Whether somebody works on a trial that has not finished."""
    host, pid, process = trial.user_attrs["worker"]
    if host == socket.gethostname() and not _is_alive(pid, process):
        return False
    return time.time() - trial.user_attrs["beat"] < GRACE_SECONDS


def _is_alive(pid: int, process: str) -> bool:
    """Whether a process of this machine is there, as far as can be told."""
    if pid == os.getpid():  # containers start with the same numbers again
        return process == _PROCESS
    if os.name != "posix":  # where signal 0 is none
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _outcome(trial) -> str:
    """How one trial stands: also ``lost``, or ``void`` where it says nothing about its point."""
    if trial.value is not None:
        return DONE
    if not trial.state.is_finished() and _is_held(trial):
        return RUNNING
    if "error" in trial.user_attrs:
        return FAILED
    return "void" if trial.user_attrs.keys() & {YIELDED, INTERRUPTED} else "lost"


def _standing(point: int, trials, retried: int) -> Standing:
    """How a point stands; failures among the first `retried` trials of the study do not count."""
    outcomes = defaultdict(list)
    for trial in trials:
        outcome = _outcome(trial)
        if outcome in (DONE, RUNNING) or trial.number >= retried:
            outcomes[outcome].append(trial)
    for state in (DONE, RUNNING, FAILED):
        if outcomes[state]:
            return _decided(point, state, outcomes[state][0])
    if len(lost := outcomes["lost"]) >= ATTEMPTS:
        error = {"error": f"its worker died, {len(lost)} times"}
        return _decided(point, FAILED, lost[-1])._replace(notes=error)
    return Standing(point, LEFT)


def _decided(point: int, state: str, trial) -> Standing:
    times = trial.datetime_start, trial.datetime_complete
    return Standing(point, state, trial.value, trial.user_attrs, *times)


# Storages


def _load(where: str, name: str, *, create: bool):
    """Optuna's study, or None where there is none and none is to be made."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    is_file = "://" not in where
    if is_file and not create and not Path(where).exists():
        return None
    storage = _open_journal(Path(where)) if is_file else _open_database(where)
    name = "search" if is_file else name  # a file holds one study
    sampler = optuna.samplers.RandomSampler()  # which has nothing to do
    if name in optuna.get_all_study_names(storage):
        return optuna.load_study(study_name=name, storage=storage, sampler=sampler)
    if not create:
        return None
    return optuna.create_study(
        study_name=name,
        storage=storage,
        sampler=sampler,
        direction="maximize",
        load_if_exists=True,  # another worker may have been quicker
    )


def _open_journal(path: Path):
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    path = path.resolve()  # the lock is a link to the journal, which a relative path would miss
    path.parent.mkdir(parents=True, exist_ok=True)
    _require_journal(path)
    return JournalStorage(JournalFileBackend(str(path)))


def _require_journal(path: Path) -> None:
    """Refuses other files, which optuna would write to before it finds out."""
    if path.exists():
        with path.open("rb") as file:
            first = file.readline()
        if first and "op_code" not in json.loads(first):
            raise ValueError("it is no journal")


def _open_database(url: str):
    from optuna.storages import RDBStorage
    from sqlalchemy.exc import OperationalError, ProgrammingError

    try:
        return RDBStorage(url)
    except (OperationalError, ProgrammingError):  # another worker was making the tables
        time.sleep(1)
        return RDBStorage(url)


@contextlib.contextmanager
def _storage_errors(where: str) -> Iterator[None]:
    """What a storage may meet on the way, as one line."""
    from optuna.exceptions import StorageInternalError
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except (*_JOURNAL_ERRORS, StorageInternalError, SQLAlchemyError) as error:
        raise _unusable(where, error) from error


def _unusable(where: str, error: Exception) -> UserError:
    first = (str(error).strip().splitlines() or [""])[0]
    return UserError(
        f"cannot use the study {_shown(where)} ({type(error).__name__}: {first}); mend it or name "
        "another --study: finished runs stay, and need not be made again"
    )


def _shown(where: str) -> str:
    """A URL without its password.

    >>> _shown("mysql://ann:secret@host/base")
    'mysql://ann:…@host/base'
    """
    return re.sub(r"(://[^:/@]*):[^@]*@", r"\1:…@", where)


def _distributions(grid: Grid) -> dict[str, Any]:
    from optuna.distributions import CategoricalDistribution

    return {key: CategoricalDistribution(values) for key, values in grid.items()}


# Fingerprints


def _fingerprint(study, fingerprint: Mapping[str, Any]) -> Mapping[str, Any]:
    """The fingerprint of a study, which becomes this one if the study is new."""
    if "fingerprint" not in study.user_attrs and not study.trials:
        study.set_user_attr("fingerprint", fingerprint)
    return study.user_attrs.get("fingerprint", {})


def _require_same(found: Any, wanted: Any, where: str, name: str = "") -> None:
    """Raises a UserError with the first difference."""
    if isinstance(found, Mapping) and isinstance(wanted, Mapping):
        for key in [*wanted, *(found.keys() - wanted.keys())]:
            inner = f"{name}.{key}" if name else key
            _require_same(found.get(key), wanted.get(key), where, inner)
    elif found != wanted:
        raise UserError(
            f"{where} is another search: its {name} is {found!r}, not {wanted!r}; search as it was "
            "started, or name another --study"
        )
