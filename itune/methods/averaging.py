"""Averaged weights: the mean over the last label steps of a run, whatever the method.

It lies between the swings of label steps and rounds (Izmailov et al. 2018, "Averaging weights leads
to wider optima").
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from itune.errors import UserError
from itune.methods.base import EVALUATIONS, Batch, Info, Method, Params, State, Work
from itune.methods.plans import AVERAGE, last_training


class AveragedState(NamedTuple):
    """State of a method, the mean of its parameters, and how often they have been added to it."""

    state: State
    mean: Params
    count: jax.Array

    @property
    def params(self) -> Params:
        """The mean, or the present parameters while there is none."""
        return self.mean if int(self.count) else self.state.params


def evaluated_params(state: State, note: str) -> Params:
    """Return what an evaluation is of: the mean, but around a round the present parameters.

    A round moves the present parameters, so that the mean would not show what it does.
    """
    is_of_round = note.startswith(("before round", "after round"))
    return state.state.params if is_of_round and isinstance(state, AveragedState) else state.params


def averaged(method: Method, share: float) -> Method:
    """Return a method whose parameters are their mean after each of the last label steps.

    The method itself trains as it would. ``share`` is that of the label steps that count, of the
    last training if there are two; 0 returns the method itself. Methods that update parameters
    after their label steps are refused.
    """
    if not share:
        return method

    def init(params: Params) -> AveragedState:
        zeros = jax.tree.map(jnp.zeros_like, params)
        return AveragedState(method.init(params), zeros, jnp.zeros((), jnp.int32))

    def lifted(kind: str):
        def step(state: AveragedState, batch: Batch) -> tuple[AveragedState, Info]:
            inner, info = method.steps[kind](state.state, batch)
            return state._replace(state=inner), info

        return step

    def average(state: AveragedState, _: Batch) -> tuple[AveragedState, Info]:
        count = state.count + 1

        def moved(mean: jax.Array, value: jax.Array) -> jax.Array:
            return mean + (value - mean) / count.astype(mean.dtype)

        mean = jax.tree.map(moved, state.mean, state.state.params)
        return AveragedState(state.state, mean, count), {}

    steps = {**{kind: lifted(kind) for kind in method.steps}, AVERAGE: average}
    return Method(init, steps, lambda: _plan(method.plan(), share))


def _plan(work: list[Work], share: float) -> list[Work]:
    last = last_training(work)
    total = sum(piece.kind == "label_update" for piece in last)
    first = total - max(round(share * total), 1)
    planned, done = work[: len(work) - len(last)], 0
    for piece in last:
        planned.append(piece)
        if piece.kind == "label_update":
            done += 1
            planned += [Work(AVERAGE, piece.step)] if done > first else []
        elif done == total and piece.kind not in EVALUATIONS:
            raise UserError(
                "label.average must be 0 for a method that goes on after its label steps, got "
                f"{share:g}"
            )
    return planned
