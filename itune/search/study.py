"""A study that many workers share: which points of a grid are done, failed, running or left.

A *point* is the index of a setting in the grid. Optuna keeps the study in a journal file or a
database. Its ``GridSampler`` sometimes gives one point to two workers, and a journal does not tell
that a worker has died, so that points are claimed here: a claim is a running trial, and of two at
once that with the lower number counts. A worker holds a file lock while it has a claim, which the
operating system frees however the process ends; one that shares the database but not the folder
of the locks is known by Optuna's heartbeat.
"""

import contextlib
import importlib.util
import random
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock

from itune.config.mappings import flattened
from itune.errors import UserError, option
from itune.search.grids import points
from itune.search.plan import SearchPlan
from itune.search.storage import is_database, load_study, shown, storage_errors

if TYPE_CHECKING:
    from optuna.study import Study as OptunaStudy
    from optuna.trial import FrozenTrial

ATTEMPTS = 3
"""A point whose workers died this many times has failed."""

DONE, FAILED, RUNNING, LEFT = "done", "failed", "running", "left"
_INTERRUPTED, _LOST = "interrupted", "lost"

_choose = random.SystemRandom().choice  # independent of the seeds that workers set


@dataclass(frozen=True)
class PointStatus:
    """Where a point stands, by the trial that decides: done, failed, running or left.

    The accuracy is the mean on dev of a point that is done; the notes are the worker's.
    """

    point: int
    state: str
    accuracy: float | None = None
    notes: Mapping[str, Any] = field(default_factory=dict)
    started: datetime | None = None
    ended: datetime | None = None


class Study:
    """The points of a plan's grid, shared with other workers; made by :func:`open_study`."""

    def __init__(
        self, study: "OptunaStudy", plan: SearchPlan, where: str, locks: Path, *, retry: bool
    ):
        self.plan = plan
        self._study, self._where, self._locks = study, where, locks
        self._points = points(plan.grid)
        self._retried = max((t.number + 1 for t in self._trials()), default=0) if retry else 0

    def statuses(self) -> list[PointStatus]:
        """Return the status of every point, in the order of the grid."""
        trials = self._trials()
        return [self._status(point, trials) for point in range(len(self._points))]

    def run(self, objective: Callable[[int], tuple[float, dict[str, Any]]]) -> int | None:
        """Run a point that is left, and record what came of it.

        The point is chosen at random, so that workers rarely meet and a search that is cut short
        has seen values of all kinds. The objective returns mean dev accuracy and notes; a UserError
        of it fails the point, any other exception leaves the point to others and passes. Returns
        the point, or None if none is left.
        """
        from optuna.storages._heartbeat import get_heartbeat_thread

        path = self._locks / uuid.uuid4().hex
        with contextlib.ExitStack() as stack:
            with storage_errors(self._where):
                self._locks.mkdir(parents=True, exist_ok=True)
                released = stack.enter_context(contextlib.ExitStack())
                stack.enter_context(FileLock(path))
            # The lock's file is deleted once no trial needs it: until then it tells who is dead.
            trial = self._start(path.name)
            if trial is None:
                released.callback(path.unlink, missing_ok=True)
                return None
            point = trial.user_attrs["point"]
            accuracy, notes = None, {_INTERRUPTED: True}
            heartbeat = get_heartbeat_thread(trial._trial_id, self._study._storage)
            heartbeat.start()
            try:
                accuracy, notes = objective(point)
            except UserError as error:
                notes = {"error": " ".join(str(error).split())}
            finally:
                heartbeat.join()
                self._end(trial, accuracy, notes)
                released.callback(path.unlink, missing_ok=True)
            return point

    def _start(self, lock: str) -> "FrozenTrial | None":
        """Start a trial of a point that is left; None if there is none."""
        import optuna
        from optuna.distributions import BaseDistribution, CategoricalDistribution

        distributions: dict[str, BaseDistribution] = {
            key: CategoricalDistribution(values) for key, values in self.plan.grid.items()
        }
        while True:
            self._fail_lost_trials()
            left = [status.point for status in self.statuses() if status.state == LEFT]
            if not left:
                return None
            point = _choose(left)
            trial = optuna.create_trial(
                state=optuna.trial.TrialState.RUNNING,
                params=self._points[point],
                distributions=distributions,
                user_attrs={"point": point, "lock": lock},
            )
            with storage_errors(self._where):
                self._study.add_trial(trial)
            trials = self._trials()
            mine = [trial for trial in trials if trial.user_attrs.get("lock") == lock][-1]
            earlier = [trial for trial in trials if trial.number < mine.number]
            if self._status(point, earlier).state == LEFT:
                return mine
            self._end(mine, None, {_INTERRUPTED: True})  # another worker was quicker

    def _fail_lost_trials(self) -> None:
        import optuna

        with storage_errors(self._where):
            optuna.storages.fail_stale_trials(self._study)
        for trial in self._trials():
            if self._outcome(trial) == _LOST and not trial.state.is_finished():
                self._end(trial, None, {})
                self._lock_of(trial).unlink(missing_ok=True)

    def _end(self, trial: "FrozenTrial", accuracy: float | None, notes: Mapping[str, Any]) -> None:
        """End a trial, unless another worker has ended it."""
        import optuna

        state = optuna.trial.TrialState.FAIL if accuracy is None else None
        taken_for_dead = optuna.exceptions.UpdateFinishedTrialError
        with storage_errors(self._where), contextlib.suppress(taken_for_dead):
            for key, note in notes.items():
                self._study._storage.set_trial_user_attr(trial._trial_id, key, note)
            self._study.tell(trial.number, accuracy, state=state, skip_if_finished=True)

    def _trials(self) -> "list[FrozenTrial]":
        with storage_errors(self._where):
            trials = self._study.get_trials(deepcopy=False)
        return [trial for trial in trials if "point" in trial.user_attrs]

    def _lock_of(self, trial: "FrozenTrial") -> Path:
        return self._locks / trial.user_attrs.get("lock", "none")

    def _is_held(self, trial: "FrozenTrial") -> bool:
        """Whether a worker has an unfinished trial, as far as its lock tells."""
        if not self._lock_of(trial).exists():  # the worker's machine may have its own folder
            return is_database(self._where)
        try:
            with FileLock(self._lock_of(trial), timeout=0):
                return False
        except OSError:  # a timeout: somebody holds it; or it belongs to another user
            return True

    def _outcome(self, trial: "FrozenTrial") -> str:
        if trial.value is not None:
            return DONE
        if not trial.state.is_finished() and self._is_held(trial):
            return RUNNING
        notes = trial.user_attrs
        return FAILED if "error" in notes else _INTERRUPTED if _INTERRUPTED in notes else _LOST

    def _status(self, point: int, trials: "Sequence[FrozenTrial]") -> PointStatus:
        """The status of a point; what failed before a retry does not count."""
        outcomes: dict[str, list[FrozenTrial]] = {}
        for trial in trials:
            if trial.user_attrs["point"] == point:
                outcome = self._outcome(trial)
                if outcome in (DONE, RUNNING) or trial.number >= self._retried:
                    outcomes.setdefault(outcome, []).append(trial)
        for state in (DONE, RUNNING, FAILED):
            if state in outcomes:
                first = outcomes[state][0]
                times = first.datetime_start, first.datetime_complete
                return PointStatus(point, state, first.value, first.user_attrs, *times)
        if len(outcomes.get(_LOST, [])) >= ATTEMPTS:
            return PointStatus(point, FAILED, notes={"error": f"its worker died {ATTEMPTS} times"})
        return PointStatus(point, LEFT)


def open_study(
    plan: SearchPlan,
    where: str,
    folder: Path,
    *,
    name: str = "search",
    create: bool = True,
    retry: bool = False,
) -> Study:
    """Open a study for one worker, or create it.

    Args:
      plan: What is searched.
      where: A database URL such as ``postgresql://host/base``, or the path of a journal file, which
        may lie on a network file system. Machines that share it share the study.
      folder: Where workers of a study in a database keep locks; those of a file are beside it.
      name: Name of the study in a database; a file holds a single study.
      create: Whether to create the study if there is none.
      retry: Whether points that have failed so far are to be run again.

    Raises:
      UserError: Optuna is not installed, or there is no such study or one of another search.
    """
    if importlib.util.find_spec("optuna") is None:
        raise UserError("a search needs optuna: pip install 'itune[search]'")
    study = load_study(where, name, plan.fingerprint if create else None)
    if study is None:
        raise UserError(
            f"there is no study {shown(where)}; start the search without {option('report')}"
        )
    found = flattened(study.user_attrs.get("fingerprint", {}))
    wanted = flattened(plan.fingerprint)
    for key in [*wanted, *found]:
        if found.get(key) != wanted.get(key):
            raise UserError(
                f"the study {shown(where)} is another search: its {key} is {found.get(key)!r}, not "
                f"{wanted.get(key)!r}; search as it was started, or name another {option('study')}"
            )
    locks = folder / "study.locks" if is_database(where) else Path(where).with_suffix(".locks")
    return Study(study, plan, where, locks, retry=retry)
