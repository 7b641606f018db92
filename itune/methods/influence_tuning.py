"""Influence tuning: label steps, interrupted by rounds that minimise the influence loss.

A round starts when ``step % interval == 0`` and more than ``interval / 2`` label steps remain; what
it does is drawn in :mod:`itune.methods.rounds`. After it the moments of both optimizers are zeroed
(Han & Tsvetkov 2021, section 4, and the code the authors released).
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from itune.data.cells import require_partners
from itune.data.dataset import Dataset
from itune.errors import UserError, require
from itune.influence import PAIR_FREE, ROUTES, Pool, Tuples, value_and_grad
from itune.methods.label import (
    LabelConfig,
    label_optimizer,
    label_plan,
    label_steps,
    label_work,
)
from itune.methods.method import Classifier, Method, Phase, Work, collect, init_phase, update
from itune.methods.rounds import POOLED, draw_pools_round, draw_tuples_round
from itune.training.optimizers import bert_adam, reset_moments

SCHEDULES = ("paper", "released")
PARTNERS = ("drawn", POOLED)
FASTEST = "fastest"


@dataclass(frozen=True)
class InfluenceConfig:
    """The influence phase.

    Attributes:
      interval: label steps between rounds.
      epochs: passes over a round's probes.
      batch: probes of one update.
      learning_rate: constant.
      probes: of one round.
      k: A examples, and B examples, of each probe, where partners are drawn.
      partners: ``drawn``, k + k of each probe's own, as in the paper; or ``pooled``: each update
        takes a batch with equally many examples of each cell, whose partners are all others of the
        batch with their label. The same influence loss with all pairs, at a fraction of the cost.
      weight_decay: decoupled, on every parameter.
      clip: largest gradient norm of one tensor.
      schedule: ``paper`` keeps dropout on in every label step and ends a round with an update on
        the tuples left over; ``released`` repeats two quirks of the released code: left-over tuples
        wait for the next round, and the model stays in evaluation mode (label steps without
        dropout) after a round that did not end exactly on an update. Pools leave nothing over.
      route: how the exact gradient is computed (``fastest``, or one of ghost, autodiff, hvp,
        hvp_pairs); the result is the same.
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
    partners: str = "drawn"
    schedule: str = "paper"
    route: str = FASTEST
    chunk: int = 2

    def __post_init__(self):
        counts = ("interval", "epochs", "batch", "probes", "k", "chunk")
        require(self, "an integer, 1 or more", lambda v: v >= 1, *counts)
        require(self, "a number, 0 or more", lambda v: v >= 0, "learning_rate", "weight_decay")
        require(self, "a number above 0", lambda v: v > 0, "clip")
        choices = {"partners": PARTNERS, "schedule": SCHEDULES, "route": (FASTEST, *ROUTES)}
        for name, known in choices.items():
            require(self, f"one of {', '.join(known)}", known.__contains__, name)

    @property
    def exact_route(self) -> str:
        """The route that is taken."""
        if self.route != FASTEST:
            return self.route
        return PAIR_FREE if self.partners == POOLED else "ghost"


class InfluenceTuningState(NamedTuple):
    """Parameters, the label phase and the influence phase."""

    params: Any
    label: Phase
    influence: Phase


def influence_tuning(
    classifier: Classifier,
    label: LabelConfig,
    influence: InfluenceConfig,
    train_size: int,
    seed: int,
) -> Method:
    """Alternates label steps with steps on the influence loss ``J``.

    Args:
      classifier: losses of the model.
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
    derivative = value_and_grad(classifier.loss, route=influence.exact_route)

    def init(params):
        return InfluenceTuningState(
            params, init_phase(label_tx, params), init_phase(influence_tx, params)
        )

    def add(state, batch, mean_of, count):
        """Adds the influence losses of a batch, a mean of so many, and their gradient."""
        (mean, _), gradient = derivative(state.params, batch)
        mean_of = jnp.asarray(mean_of, mean.dtype)
        gradient = jax.tree.map(lambda g: g * mean_of, gradient)
        phase = collect(state.influence, mean * mean_of, count, gradient)
        return state._replace(influence=phase), {}

    def tuples(state, batch):
        probe = jax.tree.map(lambda leaf: leaf[:, 0], batch["examples"])
        partners = jax.tree.map(lambda leaf: leaf[:, 1:], batch["examples"])
        weights = batch["weights"].astype(state.influence.value.dtype)
        tuples = Tuples(probe, partners, weights)
        return add(state, tuples, weights.shape[0], jnp.sum(batch["is_real"]))

    def pool(state, batch):
        count = jnp.sum(batch["is_real"])
        return add(state, Pool(batch["examples"], batch["is_real"]), count, count)

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
        **label_steps(classifier, label_tx),
        "tuples": tuples,
        "pool": pool,
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
                if influence.partners == POOLED:
                    round_work = draw_pools_round(train, influence, step, draws)
                else:
                    round_work, waiting = draw_tuples_round(train, influence, step, waiting, draws)
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
