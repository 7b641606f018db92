"""The loop: does a method's plan, piece by piece, and can be killed anywhere."""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np

from itune.data.dataset import Dataset, collate
from itune.errors import UserError
from itune.methods.base import Method, Work
from itune.training.checkpoints import Checkpoints, Position
from itune.training.interrupts import noted
from itune.training.metrics_log import Record
from itune.training.selection import LAST, Selected, Selection
from itune.utils.compiling import jit
from itune.utils.progress import Progress


class Measure(NamedTuple):
    """Something that looks at the parameters.

    Attributes:
      fun: ``fun(params) -> dict`` of JSON-ready values; the first is shown as progress.
      cost: work, in ordinary gradients of one example.
    """

    fun: Callable[[Any], dict[str, Any]]
    cost: float


class Trained(NamedTuple):
    """What the loop returns.

    Attributes:
      params: after the last piece of work, or at the moment that was selected.
      seconds: wall clock, over all sessions of the run.
      has_collapsed: it was stopped because it had collapsed.
      selected: that moment; None where it is always the last.
    """

    params: Any
    seconds: float
    has_collapsed: bool = False
    selected: Selected | None = None


def train(
    method: Method,
    params: Any,
    data: Dataset,
    measures: Mapping[str, Measure],
    folder: Path,
    *,
    name: str = "",
    checkpoint_seconds: float = 120.0,
    has_collapsed: Callable[[Sequence[float]], bool] = lambda accuracies: False,
    selection: str = LAST,
) -> Trained:
    """Runs a method's plan from the folder's newest checkpoint, or from the start.

    Everything random was drawn when the plan was made, so a run that was killed and goes on ends
    with the same parameters and the same ``metrics.jsonl``, bit for bit, on the same machine.

    Args:
      method: what to run.
      params: initial parameters.
      data: training data.
      measures: for each measuring kind of work what it does.
      folder: gets ``metrics.jsonl`` and ``checkpoints/``; exists.
      name: shown beside the progress.
      checkpoint_seconds: time between checkpoints; changes no result.
      has_collapsed: of the training accuracies of all label updates so far; where it is true, the
        rest of the plan is left out but for one of each measure.
      selection: one of :data:`~itune.training.selection.SELECTIONS`; but for ``last`` the folder
        gets ``selected/``, which is left there.

    Raises:
      UserError: the loss is no longer finite, or a checkpoint is unusable.
      KeyboardInterrupt: after Ctrl-C, once the piece of work under way is done and saved.
    """
    plan = method.plan()
    # Committed to its device, as a restored state is: both find the same compiled functions.
    state = jax.device_put(jax.jit(method.init)(params), jax.devices()[0])
    checkpoints = Checkpoints(folder / "checkpoints")
    position, state = checkpoints.restore(state) or (Position(0, 0, 0.0), state)
    record = Record(folder / "metrics.jsonl", position.record_bytes)
    steps = {kind: jit(step, donate_argnums=0) for kind, step in method.steps.items()}
    costs = [measures[w.kind].cost if w.kind in measures else w.cost for w in plan]
    progress = Progress(name, sum(costs), sum(costs[: position.work]))
    started = saved = time.monotonic()
    accuracies = [row["accuracy"] for row in record.rows() if row["kind"] == "label_update"]
    moments = None
    if selection != LAST:
        moments = Selection(folder / "selected", selection, record.rows())

    def here(done):
        return Position(done, record.flush(), position.seconds + time.monotonic() - started)

    def measure(work):
        row = measures[work.kind].fun(state.params)
        progress.say(_shown(work, row))
        record.write(row := {**_about(work), **row})
        if moments is not None:
            moments.offer(row, state.params)
        return ""

    def update(work):
        nonlocal state
        state, info = steps[work.kind](state, _batch(work, data))
        row = {key: float(value) for key, value in info.items()}
        _require_finite(work, row)
        if row:
            record.write({**_about(work), **row})
        if work.kind == "label_update":
            accuracies.append(row["accuracy"])
        return _status(work, row)

    def save(done):
        checkpoints.save(here(done), state)
        if moments is not None:
            moments.settle()

    try:
        number = position.work
        with noted() as is_interrupted:
            while number < len(plan) and not has_collapsed(accuracies):
                do = measure if plan[number].kind in measures else update
                progress.advance(costs[number], do(plan[number]))
                number += 1
                if is_interrupted():
                    save(number)
                    raise KeyboardInterrupt
                if time.monotonic() - saved >= checkpoint_seconds:
                    save(number)
                    saved = time.monotonic()
        is_cut_short = has_collapsed(accuracies)
        if number < len(plan):
            progress.say(f"step {plan[number].step}: training accuracy is at chance; stopped")
            for kind in measures:
                measure(Work(kind, plan[number].step, note="collapsed"))
        save(len(plan))
        seconds = position.seconds + time.monotonic() - started
        if moments is None:
            return Trained(state.params, seconds, is_cut_short)
        return Trained(moments.params(), seconds, is_cut_short, moments.selected())
    finally:
        progress.close()
        record.close()
        checkpoints.close()


def _batch(work: Work, data: Dataset) -> dict[str, Any]:
    batch = dict(work.arrays)
    if work.examples is not None:
        batch["examples"] = collate(data, np.asarray(work.examples))
    return batch


def _about(work: Work) -> dict[str, Any]:
    return {"kind": work.kind, "step": work.step, "note": work.note}


def _require_finite(work: Work, row: dict[str, float]) -> None:
    for key, value in row.items():
        if not math.isfinite(value):
            raise UserError(
                f"{key} is {value} at label step {work.step} ({work.kind}); lower that phase's "
                "learning rate"
            )


def _status(work: Work, row: Mapping[str, Any]) -> str:
    shown = [f"{key} {row[key]:.3g}" for key in ("loss", "influence_loss") if key in row]
    return f"step {work.step} {shown[0]}" if shown else ""


def _shown(work: Work, row: Mapping[str, Any]) -> str:
    key = next(iter(row))
    return f"step {work.step}, {work.note}: {key} {row[key]:.4f}"
