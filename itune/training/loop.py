"""The training loop: does a method's plan piece by piece, and can be killed at any time."""

import math
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jax

from itune.data.dataset import Dataset
from itune.errors import UserError
from itune.methods.averaging import evaluated_params
from itune.methods.base import Info, Method, Params, State, Work
from itune.training.batches import batch_of, next_work
from itune.training.best_checkpoint import LAST, BestCheckpoint, BestCheckpointTracker
from itune.training.checkpoints import CheckpointInfo, Checkpoints
from itune.training.interrupts import deferred_interrupt
from itune.training.metrics_log import MetricsLog
from itune.utils.compiling import jit
from itune.utils.devices import gather, lay_out, layout, of_any, places
from itune.utils.memory import return_freed_memory
from itune.utils.progress import Progress

FUSED = ("tuples", "pool")
"""Kinds of work that take second derivatives, which other options of the compiler suit."""


AHEAD = 32
"""Pieces of work that are handed to the devices before the first of them need be finished."""


class Evaluator(NamedTuple):
    """``evaluate(params)`` to JSON values by name, the first of which is shown; and its cost."""

    evaluate: Callable[[Params], dict[str, Any]]
    cost: float


class TrainingOutcome(NamedTuple):
    """What the loop ends with: the last parameters, or the best checkpoint's if there is one."""

    params: Params
    seconds: float
    has_collapsed: bool = False
    best: BestCheckpoint | None = None


def train(
    method: Method,
    params: Params,
    data: Dataset,
    evaluators: Mapping[str, Evaluator],
    folder: Path,
    *,
    name: str = "",
    checkpoint_seconds: float = 120.0,
    has_collapsed: Callable[[Sequence[float]], bool] = lambda accuracies: False,
    selection: str = LAST,
) -> TrainingOutcome:
    """Do the work of a method's plan, from the folder's newest checkpoint on if there is one.

    A run that was killed and is resumed ends with the parameters and the ``metrics.jsonl`` of one
    that was not, bit for bit, on one machine. Once the run has collapsed, the rest of the plan is
    left out but for one evaluation of each kind. The folder, which must exist, gets
    ``metrics.jsonl``, ``checkpoints/`` and, unless the selection is ``last``, ``selected/``.

    Devices do not wait for the loop: while they work it makes the next batches, and what they log
    is read when it is there. ``has_collapsed`` of the accuracies of all label updates, which must
    not become false where they are smaller, is asked after each; what is under way is read first
    only if it could decide. So a run is stopped after the same step as by a loop that waits.
    """
    plan = method.plan()
    session = _Session(
        method, params, data, evaluators, plan, folder, name, selection, has_collapsed
    )
    saved = time.monotonic()
    try:
        with deferred_interrupt() as is_interrupted:
            while session.done < len(plan) and not session.has_collapsed():
                session.do()
                is_due = time.monotonic() - saved >= checkpoint_seconds
                is_cut_off, is_due = of_any(is_interrupted(), is_due)
                if is_cut_off:
                    session.save()
                    raise KeyboardInterrupt
                if is_due:
                    session.save()
                    saved = time.monotonic()
        is_cut_short = session.has_collapsed()
        if session.done < len(plan):
            session.stop(plan[session.done].step)
        session.save()
        return session.outcome(has_collapsed=is_cut_short)
    finally:
        session.close()


class _Piece(NamedTuple):
    """A piece of work that has been handed to the devices, what it logs, and its cost."""

    work: Work
    info: Info
    cost: float


class _Session:
    """The state and the open files of a run in one process, from the newest checkpoint on."""

    def __init__(
        self,
        method: Method,
        params: Params,
        data: Dataset,
        evaluators: Mapping[str, Evaluator],
        plan: Sequence[Work],
        folder: Path,
        name: str,
        selection: str,
        has_collapsed: Callable[[Sequence[float]], bool],
    ) -> None:
        state = _first_state(method, params)
        self._checkpoints = Checkpoints(folder / "checkpoints")
        fresh = CheckpointInfo(0, 0, 0.0), state
        self._start, self._state = self._checkpoints.restore(state) or fresh
        self._started = time.monotonic()
        self._log = MetricsLog(folder / "metrics.jsonl", self._start.metrics_bytes)
        of = layout()
        where = of and (places(state), of.whole)
        self._steps = {
            kind: jit(step, fuses=kind in FUSED, donate_argnums=0, out_shardings=where)
            for kind, step in method.steps.items()
        }
        self._data, self._evaluators, self._plan = data, evaluators, plan
        self._costs = [evaluators[w.kind].cost if w.kind in evaluators else w.cost for w in plan]
        self.done = self._start.work
        self._progress = Progress(name, sum(self._costs), sum(self._costs[: self.done]))
        rows = self._log.rows()
        self._accuracies = [row["accuracy"] for row in rows if row["kind"] == "label_update"]
        self._test, self._is_tested, self._has_collapsed = has_collapsed, False, False
        self._under_way: deque[_Piece] = deque()
        self._unread = 0  # pieces since the devices were last waited for
        self._best = None
        if selection != LAST:
            self._best = BestCheckpointTracker(folder / "selected", selection, rows)

    def do(self) -> None:
        """Do the next piece of the plan, or several pieces that can be done at once."""
        work, count = next_work(self._plan, self.done)
        cost = sum(self._costs[self.done : self.done + count])
        if work.kind in self._evaluators:
            self._evaluate(work)
            self._progress.advance(cost, "")
        else:
            self._begin(work, cost)
        self.done += count

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

    def stop(self, step: int) -> None:
        """Leave out the rest of the plan after this label step, but for one of each evaluation."""
        self._progress.write(f"step {step}: training accuracy is at chance; stopped")
        for kind in self._evaluators:
            self._evaluate(Work(kind, step, note="collapsed"))
        self.done = len(self._plan)

    def save(self) -> None:
        """Write a checkpoint of what is done."""
        self._finish()
        info = CheckpointInfo(self.done, self._log.flush(), self._seconds())
        self._checkpoints.save(info, self._state)
        if self._best is not None:
            self._best.checkpoint_saved()

    def outcome(self, *, has_collapsed: bool) -> TrainingOutcome:
        """Return what the run came to."""
        if self._best is None:
            return TrainingOutcome(gather(self._state.params), self._seconds(), has_collapsed)
        seconds = self._seconds()
        return TrainingOutcome(self._best.params(), seconds, has_collapsed, self._best.best())

    def close(self) -> None:
        """Close what is open."""
        self._progress.close()
        self._log.close()
        self._checkpoints.close()
        return_freed_memory()

    def _seconds(self) -> float:
        return self._start.seconds + time.monotonic() - self._started

    def _evaluate(self, work: Work) -> None:
        self._finish()
        params = evaluated_params(self._state, work.note)
        values = self._evaluators[work.kind].evaluate(params)
        return_freed_memory()
        key = next(iter(values))
        self._progress.write(f"step {work.step}, {work.note}: {key} {values[key]:.4f}")
        row = _row(work, values)
        self._log.write(row)
        if self._best is not None:
            self._best.offer(row, gather(params))

    def _begin(self, work: Work, cost: float) -> None:
        """Hand a piece of work to the devices, which are at most :data:`AHEAD` pieces behind."""
        while len(self._under_way) >= AHEAD:
            self._finish_first()
        self._state, info = self._steps[work.kind](self._state, batch_of(work, self._data))
        for value in info.values():
            value.copy_to_host_async()
        self._under_way.append(_Piece(work, info, cost))
        self._is_tested = self._is_tested and work.kind != "label_update"
        self._unread += 1
        if self._unread > 2 * AHEAD:  # what logs nothing cannot be waited for by itself
            jax.block_until_ready(self._state)
            self._unread = 0

    def _finish(self) -> None:
        """Wait for all work, and log what it came to."""
        while self._under_way:
            self._finish_first()

    def _finish_first(self) -> None:
        """Wait for the work that was begun first, and log what it came to."""
        work, info, cost = self._under_way.popleft()
        values = {key: float(value) for key, value in info.items()}
        _require_finite(work, values)
        if values:
            self._unread = len(self._under_way)
            self._log.write(_row(work, values))
        if work.kind == "label_update":
            self._accuracies.append(values["accuracy"])
        shown = [f"{key} {values[key]:.3g}" for key in ("loss", "influence_loss") if key in values]
        done = work.step + (work.kind == "label_update")  # label steps, as evaluations count them
        self._progress.advance(cost, f"step {done} {shown[0]}" if shown else "")


def _first_state(method: Method, params: Params) -> State:
    """Return a method's first state, laid out on the devices.

    It is committed to them, as a restored state is: both find the same compiled functions.
    """
    if layout() is None:
        return jax.device_put(jax.jit(method.init)(params), jax.devices()[0])
    shapes = jax.eval_shape(method.init, params)
    return jax.jit(method.init, out_shardings=places(shapes))(lay_out(params))


def _row(work: Work, values: Mapping[str, Any]) -> dict[str, Any]:
    return {"kind": work.kind, "step": work.step, "note": work.note, **values}


def _require_finite(work: Work, values: Mapping[str, float]) -> None:
    for key, value in values.items():
        if not math.isfinite(value):
            raise UserError(
                f"{key} is {value} at label step {work.step} ({work.kind}); lower the learning "
                "rate of these steps"
            )
