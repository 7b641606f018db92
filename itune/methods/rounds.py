"""Rounds: when they start, and which probes meet which partners in which updates (NumPy).

A round starts after a label step whose number the interval divides, if more than half an interval
of label steps is left.
"""

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from itune.data.dataset import Dataset, chunks_by_length
from itune.data.sampling import draw_partners, draw_pools, draw_probes, joined_pools
from itune.errors import UserError, require
from itune.methods.base import Work
from itune.utils.suggestions import require_one_of

SCHEDULES = ("paper", "released")
DRAWN, POOLED = "drawn", "pooled"
REFUSED, LEFT_OUT = "refused", "left_out"
LONE = (REFUSED, LEFT_OUT)
CONSTANT, LABEL = "constant", "label"
ZEROED, KEPT = "zeroed", "kept"
OWN, ALL = "own", "all"
SHARED, HALVES = "shared", "halves"
FREE, PROJECTED = "free", "projected"
PERMUTED, BALANCED = "permuted", "balanced"


@dataclass(frozen=True)
class RoundConfig:
    """Rounds of updates between label steps.

    Attributes:
      interval: Label steps between rounds.
      epochs: Passes over the probes of a round.
      batch: Probes of one update.
      learning_rate: Learning rate, constant.
      probes: Probes of one round.
      k: Partners with a probe's confound, and partners with another, where partners are drawn.
      partners: ``drawn`` gives each probe k + k partners of its own, as in the paper; ``pooled``
        makes each update from a batch with equally many examples of each group, where the partners
        of each example are all others with its label: the influence loss of all pairs, at a
        fraction of the cost.
      labels: Which partners of a pool count: those of the probe's ``own`` label, as in the paper;
        or those of ``all`` labels, so that influence on examples of another label is not to depend
        on the confound either.
      batches: Batches of the label steps between rounds: ``permuted``, as in finetuning; or
        ``balanced``, in which the examples whose confound is visible are drawn anew, as many of
        each group as of any other.
      split: Whether the examples whose confound is visible are ``shared`` by rounds and label
        steps, as in the paper; or each group is split at random into ``halves``, one for label
        steps, which are as many as ever, and one for rounds alone, which then do not see labels
        that are fitted by heart. Groups of fewer than 4 stay whole and serve both.
      lone: What happens to examples without partners, which are alone in their group or have a
        label with one confound only: the run is ``refused``, or they are ``left_out`` of rounds.
      weight_decay: Decoupled weight decay, on every parameter that a round trains.
      clip: Largest norm of the gradient of one tensor.
      schedule: ``paper`` keeps dropout on in every label step and ends a round with an update on
        the tuples left over; ``released`` repeats two quirks of the released code: left-over tuples
        wait for the next round, and the model stays in evaluation mode (label steps without
        dropout) after a round that did not end exactly on an update. Pools leave nothing over.
      until: Share of the label steps after which no round starts; 1 has rounds to the end.
      tolerance: Influence loss below which an update is left out: there is little left to do, and
        Adam's step would be as long as ever. 0 leaves out none.
      rate: Whether the learning rate is ``constant``, as in the paper, or falls with that of the
        ``label`` steps, so that the last rounds disturb the labels no more than the first.
      moments: What becomes of both optimizers' moments after a round: ``zeroed``, as in the paper,
        or ``kept``. Without bias correction the first steps from zero are up to 3.2 times as long.
      directions: Whether the gradient of the influence loss is ``free``, as in the paper; or
        ``projected``: where it opposes that of the mean label loss of the update's examples,
        without dropout, the part that does is taken out before Adam (PCGrad, Yu et al. 2020). It
        costs a label gradient of each example of a tuple or pool more.
      max_label_rise: By how many nats an update may raise the mean label loss of its examples,
        without dropout: its step is halved until it does not, at most 5 times, or left out. It
        costs two forward passes of each example more, and one for each time. None for no limit, as
        in the paper.
      chunk: Tuples computed at once; changes memory and speed only.
    """

    section: ClassVar[str] = ""
    """Name of the section of a run's configuration that holds these settings, for messages."""

    interval: int = 50
    epochs: int = 5
    batch: int = 64
    learning_rate: float = 3e-5
    probes: int = 75
    k: int = 5
    partners: str = DRAWN
    labels: str = OWN
    batches: str = PERMUTED
    split: str = SHARED
    lone: str = REFUSED
    weight_decay: float = 0.01
    clip: float = 1.0
    schedule: str = "paper"
    until: float = 1.0
    tolerance: float = 0.0
    rate: str = CONSTANT
    moments: str = ZEROED
    directions: str = FREE
    max_label_rise: float | None = None
    chunk: int = 2

    def __post_init__(self) -> None:
        counts = ("interval", "epochs", "batch", "probes", "k", "chunk")
        require(self, "a positive integer", lambda v: v >= 1, *counts)
        least = ("learning_rate", "weight_decay", "tolerance")
        require(self, "a non-negative number", lambda v: v >= 0, *least)
        require(self, "a positive number", lambda v: v > 0, "clip")
        require(self, "a number from 0 to 1", lambda v: 0 <= v <= 1, "until")
        expected = "a non-negative number or none"
        require(self, expected, lambda v: v is None or v >= 0, "max_label_rise")
        require_one_of(self, partners=(DRAWN, POOLED), lone=LONE, schedule=SCHEDULES)
        require_one_of(self, rate=(CONSTANT, LABEL), moments=(ZEROED, KEPT))
        require_one_of(self, labels=(OWN, ALL), batches=(PERMUTED, BALANCED))
        require_one_of(self, directions=(FREE, PROJECTED), split=(SHARED, HALVES))
        if self.labels == ALL and self.partners != POOLED:
            raise UserError(
                f"labels is {ALL} but partners are {self.partners}; set partners to {POOLED}"
            )


class RoundCosts(NamedTuple):
    """Work for each example of a tuple or of a pool, in gradients of the label loss."""

    tuple: float
    pool: float


def starts_round(step: int, total: int, rounds: RoundConfig) -> bool:
    """Return whether a round starts after ``step`` of ``total`` label steps."""
    if not 0 < step <= rounds.until * total:
        return False
    return step % rounds.interval == 0 and total - step > rounds.interval / 2


def longest_interval(total: int, until: float) -> int:
    """Return the longest interval with room for a round, which ``until`` permits; 0 for none.

    There is room where ``total - interval > interval / 2``.
    """
    return min((2 * total - 1) // 3, int(until * total))


def draw_tuples_round(
    train: Dataset,
    config: RoundConfig,
    costs: RoundCosts,
    step: int,
    waiting: int,
    rng: np.random.Generator,
) -> tuple[list[Work], int]:
    """Draw one round with drawn partners, which are drawn anew in each epoch, unlike the probes.

    ``waiting`` is the number of tuples that wait for an update, before it and, returned, after.
    """
    pool = train.visible
    probes = draw_probes(rng, config.probes, pool)
    work, indices, weights = [], [], []

    def flush(*, is_update: bool) -> None:
        nonlocal work, indices, weights, waiting
        rows = np.array(indices), np.array(weights)
        work += _tuple_work(train, config.chunk, costs.tuple, step, *rows)
        work += [Work("influence_update", step)] if is_update else []
        waiting = 0 if is_update else waiting + len(indices)
        indices, weights = [], []

    for _ in range(config.epochs):
        order = rng.permutation(probes)
        partners, signed = draw_partners(rng, order, config.k, train.label, train.confound, pool)
        for row, weight in zip(np.column_stack([order, partners]), signed, strict=True):
            indices.append(row)
            weights.append(weight)
            if waiting + len(indices) == config.batch:
                flush(is_update=True)
    if indices:
        flush(is_update=config.schedule == "paper")
    return work, waiting


def draw_pools_round(
    train: Dataset, config: RoundConfig, costs: RoundCosts, step: int, rng: np.random.Generator
) -> list[Work]:
    """Draw one round with pooled partners, with as many updates as with drawn partners."""
    visible = train.visible
    work = []
    for _ in range(-(-min(config.probes, len(visible)) * config.epochs // config.batch)):
        pools = draw_pools(
            rng,
            config.batch,
            train.label,
            train.confound,
            visible,
            name=f"{config.section}.batch",
        )
        if config.labels == ALL:
            pools = [joined_pools(pools, train.confound)]
        work += [
            Work(
                "pool",
                step,
                {"is_real": is_real},
                indices,
                cost=costs.pool * indices.size,
                reads_confound=True,
                axis=indices.ndim - 1,
            )
            for indices, is_real in pools
        ]
        work.append(Work("influence_update", step))
    return work


def _tuple_work(
    train: Dataset, size: int, cost: float, step: int, indices: np.ndarray, weights: np.ndarray
) -> list[Work]:
    """Return tuples, rows of indices with the probe first, in chunks of similar length."""
    return [
        Work(
            "tuples",
            step,
            {"weights": weights[chunk] * is_real[:, None].astype(np.float32), "is_real": is_real},
            indices[chunk],
            cost=cost * indices[chunk].size,
            reads_confound=True,
        )
        for chunk, is_real in chunks_by_length(train, indices, size)
    ]
