"""The training loop: does methods' plans piece by piece, and can be killed at any time."""

import contextlib
import math
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np

from itune.data.dataset import Dataset
from itune.errors import UserError
from itune.methods.averaging import evaluated_params
from itune.methods.base import Batch, Info, Method, Params, State, Work
from itune.training.batches import batch_of, next_work
from itune.training.best_checkpoint import LAST, BestCheckpoint, BestCheckpointTracker
from itune.training.checkpoints import CheckpointInfo, Checkpoints
from itune.training.interrupts import deferred_interrupt
from itune.training.metrics_log import MetricsLog
from itune.training.states import States, first_state
from itune.utils.devices import gather, of_any
from itune.utils.memory import return_freed_memory
from itune.utils.progress import Progress

AHEAD = 32
"""Pieces of work that are handed to the devices before the first of them need be finished."""


class Evaluator(NamedTuple):
    """``evaluate(params)`` to JSON values by name, the first of which is shown; and its cost."""

    evaluate: Callable[[Params], dict[str, Any]]
    cost: float


class Training(NamedTuple):
    """A run to be trained: a method, from some parameters on, on some data.

    Attributes:
      method: The method.
      params: Initial parameters.
      data: Training data.
      evaluators: What is evaluated, by the kinds of work in the method's plan.
      folder: Folder of the run, which must exist. It gets ``metrics.jsonl``, ``checkpoints/`` and,
        unless the selection is ``last``, ``selected/``.
      name: Name of the run among those that train at once, for messages.
      has_collapsed: Whether the accuracies of all label updates so far mean that the run has
        collapsed, so that the rest of the plan is left out but for one evaluation of each kind. It
        must not become false where they are smaller.
      selection: Which evaluation gives the parameters; one of ``SELECTIONS``.
    """

    method: Method
    params: Params
    data: Dataset
    evaluators: Mapping[str, Evaluator]
    folder: Path
    name: str = ""
    has_collapsed: Callable[[Sequence[float]], bool] = lambda accuracies: False
    selection: str = LAST


class TrainingOutcome(NamedTuple):
    """What the loop ends with: the last parameters, or the best checkpoint's if there is one."""

    params: Params
    seconds: float
    has_collapsed: bool = False
    best: BestCheckpoint | None = None


def train(
    trainings: Sequence[Training], *, name: str = "", checkpoint_seconds: float = 120.0
) -> list[TrainingOutcome | UserError]:
    """Do the work of the plans of runs, from their folders' newest checkpoints on, if there are.

    Several runs must have the same step functions, and states of the same shapes. What comes next
    in several of them is then one program, where it has the same shapes: the run that is furthest
    behind goes first, and takes with it all that are at the same. What they come to does not depend
    on it, but for rounding (:class:`~itune.training.states.States`); their seconds are those of all
    divided by their number. A run with an error does not end the others: its error is returned in
    place of its outcome. The error of a single run is raised.

    A run that was killed and is resumed ends with the parameters and the ``metrics.jsonl`` of one
    that was not, bit for bit, on one machine.

    Devices do not wait for the loop: while they work it makes the next batches, and what they log
    is read when it is there. Whether a run has collapsed is asked after each of its label updates;
    what is under way is read first only if it could decide. So a run is stopped after the same step
    as by a loop that waits.
    """
    with contextlib.ExitStack() as stack:
        sessions = []
        for training in trainings:
            sessions.append(_Session(training, len(trainings)))
            stack.callback(sessions[-1].close)
        totals = (sum(costs) for costs in zip(*(of.costs() for of in sessions), strict=True))
        progress = stack.enter_context(contextlib.closing(Progress(name, *totals)))
        states = States(trainings[0].method, [of.start() for of in sessions])
        for run, session in enumerate(sessions):
            session.join(states, run, progress)
        _train(sessions, states, checkpoint_seconds)
        return [session.outcome() for session in sessions]


def _train(sessions: "Sequence[_Session]", states: States, checkpoint_seconds: float) -> None:
    saved = time.monotonic()

    def save() -> None:
        for session in sessions:
            with session.noting_error():
                session.save()

    with deferred_interrupt() as is_interrupted:
        while left := [session for session in sessions if not session.is_over()]:
            _do_next(left, states)
            is_due = time.monotonic() - saved >= checkpoint_seconds
            is_cut_off, is_due = of_any(is_interrupted(), is_due)
            if is_cut_off:
                save()
                raise KeyboardInterrupt
            if is_due:
                save()
                saved = time.monotonic()
    save()


def _do_next(sessions: "Sequence[_Session]", states: States) -> None:
    """Do what comes next in the run that is furthest behind, and in all that are at the same."""
    first = min(sessions, key=_Session.place)
    prepared = None
    with first.noting_error():
        prepared = first.prepare()
        if prepared is None:
            first.evaluate_next()
    if prepared is None:
        return
    batches = {first: prepared.batch}
    for session in sessions:
        with session.noting_error():
            other = session.prepare()
            if other is not None and _is_like(other, prepared):
                batches[session] = other.batch
    info = states.step(prepared.work.kind, {of.run: batch for of, batch in batches.items()})
    for value in info.values():
        value.copy_to_host_async()
    for session in batches:
        session.begun(info)


class _Prepared(NamedTuple):
    """A piece of work that can be handed to the devices, its batch, and what it is of the plan."""

    work: Work
    batch: Batch
    pieces: int


def _is_like(one: _Prepared, other: _Prepared) -> bool:
    """Return whether two pieces of work can be done by one program."""
    return one.work.kind == other.work.kind and _shapes(one.batch) == _shapes(other.batch)


def _shapes(batch: Batch) -> tuple[Any, ...]:
    leaves, structure = jax.tree.flatten(batch)
    return structure, *((np.shape(leaf), leaf.dtype) for leaf in leaves)


class _Piece(NamedTuple):
    """A piece of work that has been handed to the devices, what it logs, and its cost."""

    work: Work
    info: Info
    cost: float


class _Session:
    """The open files of a run in one process, and how far it is, from the newest checkpoint on."""

    run: int
    _states: States
    _progress: Progress

    def __init__(self, training: Training, count: int) -> None:
        """Open the files of one of ``count`` runs that train at once."""
        self._name, self._count = training.name, count
        self._error: UserError | None = None
        state = first_state(training.method, training.params)
        self._checkpoints = Checkpoints(training.folder / "checkpoints")
        fresh = CheckpointInfo(0, 0, 0.0), state
        self._start, self._first = self._checkpoints.restore(state) or fresh
        self._started = time.monotonic()
        self._log = MetricsLog(training.folder / "metrics.jsonl", self._start.metrics_bytes)
        self._data, self._evaluators = training.data, training.evaluators
        self._plan = plan = training.method.plan()
        of = training.evaluators
        self._costs = [of[work.kind].cost if work.kind in of else work.cost for work in plan]
        self._places = _places(plan)
        self.done = self._start.work
        rows = self._log.rows()
        self._accuracies = [row["accuracy"] for row in rows if row["kind"] == "label_update"]
        self._test, self._is_tested, self._has_collapsed = training.has_collapsed, False, False
        self._prepared: _Prepared | None = None
        self._under_way: deque[_Piece] = deque()
        self._unread = 0  # pieces since the devices were last waited for
        self._best = None
        if training.selection != LAST:
            folder = training.folder / "selected"
            self._best = BestCheckpointTracker(folder, training.selection, rows)

    def costs(self) -> tuple[float, float]:
        """Return the cost of the whole plan, and of what is done of it."""
        return sum(self._costs), sum(self._costs[: self.done])

    def start(self) -> State:
        """Return the state to go on from; it can be asked for once."""
        state, self._first = self._first, None
        return state

    def join(self, states: States, run: int, progress: Progress) -> None:
        """Take part, as the run with this number, in what several do at once."""
        self._states, self.run, self._progress = states, run, progress

    @contextlib.contextmanager
    def noting_error(self) -> Iterator[None]:
        """End the run by an error in the context, but not those that train with it."""
        try:
            yield
        except UserError as error:
            if self._count == 1:
                raise
            self._error = error
            self._progress.write(self._named(f"stopped ({error})"))

    def is_over(self) -> bool:
        """Return whether the whole plan is done, or there was an error."""
        return self._error is not None or self.done == len(self._plan)

    def place(self) -> tuple[int, int]:
        """Return how far the run is, in an order in which runs of other seeds can be compared."""
        return self._places[self.done]

    def prepare(self) -> _Prepared | None:
        """Make the next batch, unless it is made; None if an evaluation comes next.

        The devices are at most :data:`AHEAD` pieces behind.
        """
        if self._prepared is None and not self.has_collapsed():
            work, pieces = next_work(self._plan, self.done)
            if work.kind not in self._evaluators:
                while len(self._under_way) >= AHEAD:
                    self._finish_first()
                self._prepared = _Prepared(work, batch_of(work, self._data), pieces)
        return self._prepared

    def begun(self, info: Info) -> None:
        """Note that the devices were given what is prepared, and that it logs ``info``."""
        assert self._prepared is not None, "nothing was prepared"
        work, _, pieces = self._prepared
        cost = sum(self._costs[self.done : self.done + pieces])
        self._under_way.append(_Piece(work, info, cost))
        self._prepared = None
        self.done += pieces
        self._is_tested = self._is_tested and work.kind != "label_update"
        self._unread += 1
        if self._unread > 2 * AHEAD:  # what logs nothing cannot be waited for by itself
            self._states.wait()
            self._unread = 0

    def evaluate_next(self) -> None:
        """Make the evaluation that comes next; after a collapse one of each kind, the last ones."""
        if self.has_collapsed():
            self._stop(self._plan[self.done].step)
        else:
            work, pieces = next_work(self._plan, self.done)
            self._evaluate(work)
            self._progress.advance(self._costs[self.done], "")
            self.done += pieces

    def has_collapsed(self) -> bool:
        """Return whether the accuracies of all label updates that have been begun have collapsed.

        Those that are not known count as 0 at first; only if that makes a difference are they read.
        """
        if not self._is_tested:
            unknown = sum(piece.work.kind == "label_update" for piece in self._under_way)
            self._has_collapsed = self._test([*self._accuracies, *[0.0] * unknown])
            if self._has_collapsed and unknown:
                self._finish()
                self._has_collapsed = self._test(self._accuracies)
            self._is_tested = True
        return self._has_collapsed

    def save(self) -> None:
        """Write a checkpoint of what is done, unless there was an error."""
        if self._error is not None:
            return
        self._finish()
        info = CheckpointInfo(self.done, self._log.flush(), self._seconds())
        self._checkpoints.save(info, self._states[self.run])
        if self._best is not None:
            self._best.checkpoint_saved()

    def outcome(self) -> TrainingOutcome | UserError:
        """Return what the run came to, or the error that it ended with."""
        if self._error is not None:
            return self._error
        best = self._best
        params = gather(self._states[self.run].params) if best is None else best.params()
        selected = None if best is None else best.best()
        seconds, has_collapsed = self._seconds(), self.has_collapsed()
        return TrainingOutcome(params, seconds, has_collapsed, selected)

    def close(self) -> None:
        """Close what is open."""
        self._log.close()
        self._checkpoints.close()
        return_freed_memory()

    def _seconds(self) -> float:
        return self._start.seconds + (time.monotonic() - self._started) / self._count

    def _stop(self, step: int) -> None:
        """Leave out the rest of the plan after this label step, but for one of each evaluation."""
        self._say(f"step {step}: training accuracy is at chance; stopped")
        for kind in self._evaluators:
            self._evaluate(Work(kind, step, note="collapsed"))
        self._progress.advance(sum(self._costs[self.done :]), "")
        self.done = len(self._plan)

    def _evaluate(self, work: Work) -> None:
        self._finish()
        params = evaluated_params(self._states[self.run], work.note)
        values = self._evaluators[work.kind].evaluate(params)
        return_freed_memory()
        key = next(iter(values))
        self._say(f"step {work.step}, {work.note}: {key} {values[key]:.4f}")
        row = _row(work, values)
        self._log.write(row)
        if self._best is not None:
            self._best.offer(row, gather(params))

    def _finish(self) -> None:
        """Wait for all work, and log what it came to."""
        while self._under_way:
            self._finish_first()

    def _finish_first(self) -> None:
        """Wait for the work that was begun first, and log what it came to."""
        work, info, cost = self._under_way.popleft()
        place = self._states.place(self.run)
        values = {key: float(np.asarray(value)[place]) for key, value in info.items()}
        _require_finite(work, values)
        if values:
            self._unread = len(self._under_way)
            self._log.write(_row(work, values))
        if work.kind == "label_update":
            self._accuracies.append(values["accuracy"])
        shown = [f"{key} {values[key]:.3g}" for key in ("loss", "influence_loss") if key in values]
        done = work.step + (work.kind == "label_update")  # label steps, as evaluations count them
        self._progress.advance(cost, self._named(f"step {done} {shown[0]}") if shown else "")

    def _say(self, message: str) -> None:
        self._progress.write(self._named(message))

    def _named(self, message: str) -> str:
        return message if self._count == 1 else f"{self._name}, {message}"


def _places(plan: Sequence[Work]) -> list[tuple[int, int]]:
    """Return for each piece of a plan how many updates are before it, and pieces since the last.

    Whatever seed has more pieces before an update, all meet again there. An update, and all else
    that has no examples, comes after what it is made of.
    """
    places, updates, pieces = [], 0, 0
    for work in plan:
        places.append((updates, pieces))
        pieces += 1
        if work.examples is None:
            updates, pieces = updates + 1, 0
    return places


def _row(work: Work, values: Mapping[str, Any]) -> dict[str, Any]:
    return {"kind": work.kind, "step": work.step, "note": work.note, **values}


def _require_finite(work: Work, values: Mapping[str, float]) -> None:
    for key, value in values.items():
        if not math.isfinite(value):
            raise UserError(
                f"{key} is {value} at label step {work.step} ({work.kind}); lower the learning "
                "rate of these steps"
            )
