"""Influence tuning: label steps, interrupted by rounds that minimise the influence loss.

A round starts when ``step % interval == 0`` and more than ``interval / 2`` label steps remain. It
draws its probes once, keeps them for its epochs, draws their partners anew in each epoch, and
averages ``batch`` tuples into one update. After it the moments of both optimizers are zeroed
(Han & Tsvetkov 2021, section 4, and the code the authors released).
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from itune.data.cells import require_partners
from itune.data.dataset import Dataset, chunks_by_length
from itune.data.sampling import draw_partners, draw_probes
from itune.errors import UserError, require
from itune.influence import ROUTES, Tuples, value_and_grad
from itune.methods.label import (
    LabelConfig,
    label_optimizer,
    label_plan,
    label_steps,
    label_work,
)
from itune.methods.method import Method, Phase, Task, Work, collect, init_phase, update
from itune.training.optimizers import bert_adam, reset_moments

SCHEDULES = ("paper", "released")


@dataclass(frozen=True)
class InfluenceConfig:
    """The influence phase.

    Attributes:
      interval: label steps between rounds.
      epochs: passes over a round's probes.
      batch: tuples of one update.
      learning_rate: constant.
      probes: of one round.
      k: A examples, and B examples, of each probe.
      weight_decay: decoupled, on every parameter.
      clip: largest gradient norm of one tensor.
      schedule: ``paper`` keeps dropout on in every label step and ends a round with an update on
        the tuples left over; ``released`` repeats two quirks of the released code: left-over tuples
        wait for the next round, and the model stays in evaluation mode (label steps without
        dropout) after a round that did not end exactly on an update.
      route: how the exact gradient is computed; the result is the same.
      chunk: tuples computed at once; changes memory and speed only.
    """

    interval: int = 50
    epochs: int = 5
    batch: int = 64
    learning_rate: float = 3e-5
    probes: int = 75
    k: int = 5
    weight_decay: float = 0.01
    clip: float = 1.0
    schedule: str = "paper"
    route: str = "ghost"
    chunk: int = 2

    def __post_init__(self):
        counts = ("interval", "epochs", "batch", "probes", "k", "chunk")
        require(self, "an integer, 1 or more", lambda v: v >= 1, *counts)
        require(self, "a number, 0 or more", lambda v: v >= 0, "learning_rate", "weight_decay")
        require(self, "a number above 0", lambda v: v > 0, "clip")
        for name, choices in (("schedule", SCHEDULES), ("route", ROUTES)):
            require(self, f"one of {', '.join(choices)}", choices.__contains__, name)


class InfluenceTuningState(NamedTuple):
    """Parameters, the label phase and the influence phase."""

    params: Any
    label: Phase
    influence: Phase


def influence_tuning(
    task: Task, label: LabelConfig, influence: InfluenceConfig, train_size: int, seed: int
) -> Method:
    """Alternates label steps with steps on the influence loss ``J``.

    Args:
      task: losses of the model.
      label: the label phase.
      influence: the influence phase.
      train_size: training examples, for the learning rate's schedule.
      seed: of batches, dropout, probes and partners. The first two are finetuning's with the same
        seed.
    """
    label_tx = label_optimizer(label, train_size)
    influence_tx = bert_adam(
        influence.learning_rate,
        weight_decay=influence.weight_decay,
        decays=lambda path: True,
        clip=influence.clip,
    )
    derivative = value_and_grad(task.loss, route=influence.route)

    def init(params):
        return InfluenceTuningState(
            params, init_phase(label_tx, params), init_phase(influence_tx, params)
        )

    def tuples(state, batch):
        """Adds the influence losses of a chunk of tuples, and their gradient."""
        probe = jax.tree.map(lambda leaf: leaf[:, 0], batch["examples"])
        partners = jax.tree.map(lambda leaf: leaf[:, 1:], batch["examples"])
        weights = batch["weights"].astype(state.influence.value.dtype)
        (mean, _), gradient = derivative(state.params, Tuples(probe, partners, weights))
        size = weights.shape[0]
        gradient = jax.tree.map(lambda g: g * size, gradient)
        phase = collect(state.influence, mean * size, jnp.sum(batch["is_real"]), gradient)
        return state._replace(influence=phase), {}

    def influence_update(state, batch):
        del batch
        phase, params, loss, norm = update(influence_tx, state.influence, state.params)
        info = {"influence_loss": loss, "gradient_norm": norm}
        return state._replace(params=params, influence=phase), info

    def end_round(state, batch):
        del batch
        phases = (
            phase._replace(optimizer=reset_moments(phase.optimizer))
            for phase in (state.label, state.influence)
        )
        return InfluenceTuningState(state.params, *phases), {}

    steps = {
        **label_steps(task, label_tx),
        "tuples": tuples,
        "influence_update": influence_update,
        "end_round": end_round,
    }
    return Method(init, steps, lambda train: _plan(train, label, influence, seed))


def _plan(train: Dataset, label: LabelConfig, influence: InfluenceConfig, seed: int) -> list[Work]:
    require_partners(train.label, train.confound)
    order, dropout, draws = (np.random.default_rng([seed, stream]) for stream in range(3))
    epochs = label_plan(train, label, order)
    total = sum(len(batches) for batches in epochs)
    work, step, rounds, waiting, has_dropout = [], 0, 0, 0, True
    for epoch, batches in enumerate(epochs, 1):
        for batch in batches:
            if step % influence.interval == 0 and total - step > influence.interval / 2:
                rounds += 1
                round_work, waiting = _round(train, influence, step, waiting, draws)
                work += [
                    Work("cid", step, note=f"before round {rounds}"),
                    *round_work,
                    Work("end_round", step),
                    Work("cid", step, note=f"after round {rounds}"),
                ]
                if influence.schedule == "released":
                    has_dropout = waiting == 0
            work += label_work(train, label, batch, step, dropout, has_dropout=has_dropout)
            step += 1
        work.append(Work("accuracy", step, note=f"epoch {epoch}"))
    if not rounds:
        raise UserError(
            f"influence.interval is {influence.interval} but there are only {total} label steps, "
            f"so no round would start; set it to {2 * total - 1} or less"
        )
    return [*work, Work("cid", step, note="end")]


def _round(train, influence, step, waiting, rng):
    """One round's work, and how many collected tuples are left waiting for an update after it."""
    pool = np.arange(len(train))
    probes = draw_probes(rng, influence.probes, pool)
    work, indices, weights = [], [], []

    def flush(*, is_update):
        nonlocal work, indices, weights, waiting
        work += _tuple_work(train, influence.chunk, step, np.array(indices), np.array(weights))
        work += [Work("influence_update", step)] if is_update else []
        waiting = 0 if is_update else waiting + len(indices)
        indices, weights = [], []

    for _ in range(influence.epochs):
        order = rng.permutation(probes)
        partners, signed = draw_partners(rng, order, influence.k, train.label, train.confound, pool)
        for row, weight in zip(np.column_stack([order, partners]), signed, strict=True):
            indices.append(row)
            weights.append(weight)
            if waiting + len(indices) == influence.batch:
                flush(is_update=True)
    if indices:
        flush(is_update=influence.schedule == "paper")
    return work, waiting


def _tuple_work(train, size, step, indices, weights) -> list[Work]:
    """Tuples as rows of indices, the probe first, in chunks of like length."""
    return [
        Work(
            "tuples",
            step,
            {"weights": weights[chunk] * is_real[:, None].astype(np.float32), "is_real": is_real},
            indices[chunk],
            cost=2.0 * indices[chunk].size,
        )
        for chunk, is_real in chunks_by_length(train, indices, size)
    ]
