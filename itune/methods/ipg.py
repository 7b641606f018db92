"""IPG: a corrective step beside label steps, while pairs of twins are not answered alike.

Invariance pair guidance (Surner et al. 2025, "Invariance pair guidance: robustness to spurious
correlations via corrective gradients").
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from itune.data.dataset import Dataset, chunks_by_length
from itune.data.twins import split_twins
from itune.errors import require
from itune.methods.base import (
    Batch,
    Classifier,
    Info,
    Method,
    Params,
    Phase,
    Work,
    collect,
    init_phase,
    update,
)
from itune.methods.label_steps import (
    LABEL_SUMS,
    LabelConfig,
    label_epochs,
    label_optimizer,
    label_steps,
)


@dataclass(frozen=True)
class IpgConfig:
    """Invariance pair guidance; other settings are those of the label steps.

    Attributes:
      pairs: Number of pairs of an example and its twin that are drawn from all of them; all if
        there are fewer.
      batch: Pairs of one correction, drawn from these; all if there are fewer.
      tolerance: Mean divergence of a batch's pairs, in nats, up to which nothing is corrected.
      learning_rate: Peak learning rate of corrections; none to take ``label.learning_rate``.
    """

    pairs: int = 100
    batch: int = 16
    tolerance: float = 0.01
    learning_rate: float | None = None

    def __post_init__(self) -> None:
        require(self, "a positive integer", lambda v: v >= 1, "pairs", "batch")
        require(self, "a non-negative number", lambda v: v >= 0, "tolerance")
        require(self, "a non-negative number", lambda v: v is None or v >= 0, "learning_rate")


class IpgState(NamedTuple):
    """State of finetuning, with the phase of the corrections."""

    params: Params
    label: Phase
    pairs: Phase


def ipg(
    classifier: Classifier, label: LabelConfig, config: IpgConfig, train: Dataset, seed: int
) -> Method:
    """Minimise the label loss, and before every label step correct what tells twins apart.

    A pair is an example and its counterfactual twin, whose confound is deleted or swapped. The
    probabilities p and q that the model gives the two, without dropout, have the divergence::

        (KL(p || q) + KL(q || p)) / 2

    Where its mean over a batch of pairs is above ``tolerance``, an optimizer of its own makes a
    step along the exact gradient of that mean, by the answers to both of each pair. Then the label
    step follows, which is that of finetuning. Confounds are read only of the pairs that are drawn.

    The pairs, the invariance condition and a second update that is made while it fails come from
    the paper; the divergence, and the order of the two updates, are ours. This differs from it in:
    1. pairs are texts whose confound is edited, not images; 2. both updates are BertAdam's,
    corrections by the schedule of label steps and without weight decay.
    """
    own, twin = split_twins(train, "ipg")
    tx = label_optimizer(label, len(own))
    rate = label.learning_rate if config.learning_rate is None else config.learning_rate
    correcting_tx = label_optimizer(replace(label, learning_rate=rate, weight_decay=0.0), len(own))

    def init(params: Params) -> IpgState:
        pairs = init_phase(correcting_tx, params, "divergence")
        return IpgState(params, init_phase(tx, params, *LABEL_SUMS), pairs)

    def pairs(state: IpgState, batch: Batch) -> tuple[IpgState, Info]:
        flat = jax.tree.map(lambda leaf: leaf.reshape(-1, *leaf.shape[2:]), batch["examples"])
        is_real = batch["is_real"]

        def total(params: Params) -> jax.Array:
            logits = classifier.outputs(params, flat, None).logits
            found = divergences(logits.reshape(len(is_real), 2, -1))
            return jnp.sum(jnp.where(is_real, found, 0))

        value, gradient = jax.value_and_grad(total)(state.params)
        phase = collect(state.pairs, gradient, jnp.sum(is_real), divergence=value)
        return state._replace(pairs=phase), {}

    def correct(state: IpgState, _: Batch) -> tuple[IpgState, Info]:
        mean = state.pairs.sums["divergence"] / state.pairs.count
        fails = mean > config.tolerance
        phase, params, info = update(correcting_tx, state.pairs, state.params, fails)
        return state._replace(params=params, pairs=phase), info

    def plan() -> list[Work]:
        rng = np.random.default_rng([seed, 2])
        rows = rng.permutation(np.flatnonzero(twin >= 0))[: config.pairs]
        steps = label.epochs * (len(own) // label.batch)
        size = min(config.batch, len(rows))
        passes = [rng.permutation(rows) for _ in range(-(-steps * size // len(rows)))]
        batches = np.resize(np.concatenate(passes), (steps, size))
        drawn = np.stack([batches, twin[batches]], axis=-1)
        work = label_epochs(own, label, seed)
        return _corrected(work, [_pair_work(train, label, of) for of in drawn])

    steps = {**label_steps(classifier, tx), "pairs": pairs, "correct": correct}
    return Method(init, steps, plan)


def divergences(logits: jax.Array) -> jax.Array:
    """Return half the sum of both Kullback-Leibler divergences of n pairs, in nats, ``(n,)``.

    Logits are ``(n, 2, classes)``.

    >>> logits = jnp.log(jnp.array([[[0.5, 0.5], [0.2, 0.8]]]))
    >>> round(float(divergences(logits)[0]), 4)
    0.2079
    """
    logs = jax.nn.log_softmax(logits)
    change = logs[:, 0] - logs[:, 1]
    return jnp.sum((jnp.exp(logs[:, 0]) - jnp.exp(logs[:, 1])) * change, axis=-1) / 2


def _pair_work(train: Dataset, label: LabelConfig, pairs: np.ndarray) -> list[Work]:
    """Return the work on pairs, ``(n, 2)``, ``label.chunk`` examples at once, and the correction.

    Its steps are set to 0.
    """
    chunks = [
        Work(
            "pairs",
            0,
            {"is_real": is_real},
            pairs[chunk],
            cost=2.0 * len(chunk),
            reads_confound=True,
        )
        for chunk, is_real in chunks_by_length(train, pairs, max(label.chunk // 2, 1))
    ]
    return [*chunks, Work("correct", 0)]


def _corrected(plan: Sequence[Work], corrections: Sequence[Sequence[Work]]) -> list[Work]:
    """Return a plan of finetuning in which a correction precedes each label step."""
    result, step = [], -1
    for work in plan:
        if work.kind == "label" and work.step > step:
            step = work.step
            result += [piece._replace(step=step) for piece in corrections[step]]
        result.append(work)
    return result
