"""States of runs in training: of one run, or of several that advance together in one program."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from itune.data.dataset import Dataset
from itune.data.padding import padded_length
from itune.errors import UserError
from itune.methods.base import Batch, Info, Method, Params, State, Step, Work
from itune.training.batches import batch_of
from itune.utils.compiling import jit
from itune.utils.devices import (
    chosen_together,
    device_count,
    free_device_memory,
    lay_out,
    layout,
    places,
)

FUSED = ("tuples", "pool")
"""Kinds of work that take second derivatives, which other options of the compiler suit."""

MANY = 64
"""Number of runs that advance together at most, where it is not chosen."""

USED = 0.8
"""Share of a device's free memory that runs may take together."""

STEPS = 32
"""Number of step functions whose forms for several runs are kept, so that they are traced once; a
method has one for each kind of work."""


def first_state(method: Method, params: Params) -> State:
    """Return a method's first state, laid out on the devices.

    It is committed to them, as a restored state is: both find the same compiled functions.
    """
    if layout() is None:
        return jax.device_put(_own_buffers(method.init(params), params), jax.devices()[0])
    shapes = jax.eval_shape(method.init, params)
    return jax.jit(method.init, out_shardings=places(shapes))(lay_out(params))


def _own_buffers(state: State, others: Params) -> State:
    """Return a state that shares no array with others, nor has one twice: it will be donated."""
    seen = set(map(id, jax.tree.leaves(others)))

    def own(leaf: jax.Array) -> jax.Array:
        leaf = jnp.copy(leaf) if id(leaf) in seen else leaf
        seen.add(id(leaf))
        return leaf

    return jax.tree.map(own, state)


class States:
    """The states of R runs, and the compiled steps of their method.

    The state of a single run is as its method has it. Of several all arrays are stacked along a
    first axis, and a step is one function of all of them, ``jax.vmap`` of the method's; a run that
    does not take part in a step is computed with the others, and keeps its state. So each run comes
    to what it would come to alone, but for the rounding of matrix products.
    """

    def __init__(self, method: Method, states: Sequence[State]) -> None:
        self._count, self._are_stacked = len(states), len(states) > 1
        of = layout()
        assert of is None or not self._are_stacked, "runs advance together on one device only"
        self._states = _stack(*states) if self._are_stacked else states[0]
        where = of and (places(states[0]), of.whole)
        self._steps = {
            kind: jit(
                of_all(step) if self._are_stacked else step,
                fuses=kind in FUSED,
                donate_argnums=0,
                out_shardings=where,
            )
            for kind, step in method.steps.items()
        }

    def __getitem__(self, run: int) -> State:
        """Return the state of a run."""
        return _take(self._states, run) if self._are_stacked else self._states

    def place(self, run: int) -> tuple[int, ...]:
        """Return where the values of a run stand in the arrays that :meth:`step` returns."""
        return (run,) if self._are_stacked else ()

    def step(self, kind: str, batches: Mapping[int, Batch]) -> Info:
        """Make a step of some runs with batches of equal shapes, and return what they log."""
        arguments = self._all(batches) if self._are_stacked else tuple(batches.values())
        self._states, info = self._steps[kind](self._states, *arguments)
        return info

    def wait(self) -> None:
        """Wait until the devices have done all that they were given."""
        jax.block_until_ready(self._states)

    def _all(self, batches: Mapping[int, Batch]) -> tuple[np.ndarray, Batch]:
        """Return which runs take part, and their batches stacked, with any for the others."""
        takes_part = np.array([run in batches for run in range(self._count)])
        any_batch = next(iter(batches.values()))
        of_runs = [batches.get(run, any_batch) for run in range(self._count)]
        return takes_part, jax.tree.map(lambda *leaves: np.stack(leaves), *of_runs)


@jax.jit
def _stack(*states: State) -> State:
    return jax.tree.map(lambda *leaves: jnp.stack(leaves), *states)


@jax.jit
def _take(states: State, run: int) -> State:
    return jax.tree.map(lambda leaf: leaf[run], states)


@lru_cache(STEPS)
def of_all(step: Step) -> Any:
    """Return a step of several runs at once: ``(states, takes_part, batches) -> (states, info)``.

    All arguments and results have the R runs for their first axis; ``takes_part`` is a bool array
    of shape ``(R,)``.
    """

    def step_of_all(states: State, takes_part: jax.Array, batches: Batch) -> tuple[State, Info]:
        stepped, info = jax.vmap(step)(states, batches)

        def kept(new: jax.Array, old: jax.Array) -> jax.Array:
            return jnp.where(jnp.reshape(takes_part, (-1, *[1] * (new.ndim - 1))), new, old)

        return jax.tree.map(kept, stepped, states), info

    return step_of_all


def runs_at_once() -> int:
    """Return how many runs may advance together in one program, if their memory permits.

    Unless it was chosen: one on a CPU, which a single run keeps busy, and any number on an
    accelerator, which small encoders leave idle. On several devices each run uses them all.

    Raises:
      UserError: Several runs were chosen, but there are several devices.
    """
    chosen, devices = chosen_together(), device_count()
    if devices > 1 and chosen not in (None, 1):
        raise UserError(
            f"together is {chosen} but {devices} devices are used, which work at one run; set "
            "devices to 1, or leave out together"
        )
    if devices > 1 or chosen is not None:
        return chosen or 1
    return 1 if jax.default_backend() == "cpu" else MANY


def runs_that_fit(
    method: Method, params: Params, data: Dataset, plan: Sequence[Work], most: int
) -> int:
    """Return how many runs can advance together in the memory that the device has left.

    The most expensive piece of a plan is compiled for ``most`` runs, and its memory shared out.
    Where the device does not tell how much memory it has, all fit.
    """
    free = free_device_memory()
    if free is None:
        return most
    work = max(plan, key=lambda work: _size(work, data))
    state = jax.eval_shape(
        lambda *states: _stack(*states), *[jax.eval_shape(method.init, params)] * most
    )
    batch = jax.tree.map(lambda leaf: np.stack([leaf] * most), batch_of(work, data))
    step: Any = jit(of_all(method.steps[work.kind]), fuses=work.kind in FUSED, donate_argnums=0)
    takes = step.lower(state, np.ones(most, bool), batch).compile().memory_analysis()
    if takes is None:
        return most
    needed = (
        sum(getattr(takes, f"{what}_size_in_bytes") for what in ("argument", "output", "temp"))
        - takes.alias_size_in_bytes
    )
    return max(1, min(most, int(most * USED * free / needed)))


def _size(work: Work, data: Dataset) -> float:
    """Return the expected work of a piece, times the number of tokens that it is padded to."""
    if work.examples is None:
        return 0.0
    return work.cost * padded_length(data.lengths[work.examples], data.padding)
