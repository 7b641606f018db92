"""What an influence round does: which probes meet which partners, in which updates (NumPy).

With drawn partners a round draws its probes once, keeps them for its epochs, draws their partners
anew in each epoch, and averages ``batch`` tuples into one update. With pooled partners it makes as
many updates, each by a fresh batch with equally many examples of each cell.
"""

from typing import Any

import numpy as np

from itune.data.dataset import Dataset, chunks_by_length
from itune.data.sampling import draw_partners, draw_pools, draw_probes
from itune.methods.method import Work

POOLED = "pooled"

TUPLE_COST, POOL_COST = 2.6, 4.5
"""Ordinary gradients that an example of a tuple, or of a pool, takes; for progress."""


def draw_tuples_round(
    train: Dataset, config: Any, step: int, waiting: int, rng: np.random.Generator
) -> tuple[list[Work], int]:
    """The work of one round with drawn partners.

    Args:
      train: the training data.
      config: an :class:`~itune.methods.influence_tuning.InfluenceConfig`.
      step: label steps finished before it.
      waiting: tuples that were collected by earlier rounds and wait for an update.
      rng: draws probes, their order and partners.

    Returns:
      The work, and how many tuples are left waiting after it.
    """
    pool = np.arange(len(train))
    probes = draw_probes(rng, config.probes, pool)
    work, indices, weights = [], [], []

    def flush(*, is_update):
        nonlocal work, indices, weights, waiting
        work += _tuple_work(train, config.chunk, step, np.array(indices), np.array(weights))
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
    train: Dataset, config: Any, step: int, rng: np.random.Generator
) -> list[Work]:
    """The work of one round with pooled partners; arguments as of :func:`draw_tuples_round`.

    ``ceil(probes * epochs / batch)`` updates, as many as with drawn partners.
    """
    everyone = np.arange(len(train))
    work = []
    for _ in range(-(-min(config.probes, len(train)) * config.epochs // config.batch)):
        pools = draw_pools(rng, config.batch, train.label, train.confound, everyone)
        work += [
            Work("pool", step, {"is_real": is_real}, indices, cost=POOL_COST * indices.size)
            for indices, is_real in pools
        ]
        work.append(Work("influence_update", step))
    return work


def _tuple_work(train, size, step, indices, weights) -> list[Work]:
    """Tuples as rows of indices, the probe first, in chunks of like length."""
    return [
        Work(
            "tuples",
            step,
            {"weights": weights[chunk] * is_real[:, None].astype(np.float32), "is_real": is_real},
            indices[chunk],
            cost=TUPLE_COST * indices[chunk].size,
        )
        for chunk, is_real in chunks_by_length(train, indices, size)
    ]
