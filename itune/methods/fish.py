"""Fish: gradients of the groups are brought to agree, by short loops over them and small moves.

Shi et al. 2022, "Gradient matching for domain generalization", Algorithm 1.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from itune.data.dataset import Dataset
from itune.errors import require
from itune.groups import Group, groups_of
from itune.methods.balance import require_confounds, visible_groups
from itune.methods.base import Batch, Classifier, Info, Method, Params, Phase, Work, init_phase
from itune.methods.label_steps import (
    LABEL_SUMS,
    LabelConfig,
    label_epochs,
    label_optimizer,
    label_steps,
)
from itune.utils.suggestions import require_one_of

GROUP, CONFOUND = "group", "confound"


@dataclass(frozen=True)
class FishConfig:
    """Fish; other settings are those of the label steps.

    Attributes:
      step_size: Share of the way to where an inner loop ended that the parameters move, epsilon in
        the paper; 1 moves all of it, which leaves plain label steps on one domain after another.
      domains: What a domain is: the examples of a ``group``, one label with one confound; or of a
        ``confound``, with all labels that it goes with.
    """

    step_size: float = 0.5
    domains: str = GROUP

    def __post_init__(self) -> None:
        require(self, "a number from 0 to 1", lambda v: 0 <= v <= 1, "step_size")
        require_one_of(self, domains=(GROUP, CONFOUND))


class FishState(NamedTuple):
    """State of Fish; ``anchor`` are the parameters that the present inner loop started from."""

    params: Params
    label: Phase
    anchor: Params


def fish(
    classifier: Classifier, label: LabelConfig, config: FishConfig, train: Dataset, seed: int
) -> Method:
    """Make label steps on one domain after another, and move part of the way that they go.

    An inner loop makes a label step on a batch of each domain, in an order drawn anew, from the
    parameters theta to theta'. Then theta becomes ``theta + step_size (theta' - theta)``, from
    which the next loop starts. With small steps along plain gradients this lowers, to second order,
    the mean loss of the domains and raises the inner products of their gradients.

    There are as many label steps as in finetuning; at the end of an epoch a loop is cut short, so
    that what is evaluated is theta. A batch has ``label.batch`` examples of one domain, or all
    where there are fewer. Examples whose confound is hidden are left out.

    This differs from the paper in: 1. BertAdam with decoupled weight decay, whose moments and rate
    go on from loop to loop; 2. no finetuning beforehand, which its code does for most data; 3. a
    loop goes through all domains, where the paper draws some of many, and batches are drawn anew.
    """
    tx = label_optimizer(label, len(train))
    domains = _domains(train, config)
    steps = label_steps(classifier, tx)

    def init(params: Params) -> FishState:
        return FishState(params, init_phase(tx, params, *LABEL_SUMS), params)

    def label_update(state: FishState, batch: Batch) -> tuple[FishState, Info]:
        state, info = steps["label_update"](state, batch)

        def moved(inner: jax.Array, anchor: jax.Array) -> jax.Array:
            return jnp.where(batch["closes"], anchor + config.step_size * (inner - anchor), inner)

        def kept(params: jax.Array, anchor: jax.Array) -> jax.Array:
            return jnp.where(batch["closes"], params, anchor)

        params = jax.tree.map(moved, state.params, state.anchor)
        return FishState(params, state.label, jax.tree.map(kept, params, state.anchor)), info

    def plan() -> list[Work]:
        draw = partial(_draw, domains=list(domains.values()))
        work = label_epochs(train, label, seed, draw=draw, reads_confound=True)
        return _closed(work, len(train) // label.batch, len(domains))

    return Method(init, {**steps, "label_update": label_update}, plan)


def _domains(train: Dataset, config: FishConfig) -> Mapping[Group, np.ndarray]:
    if config.domains == GROUP:
        return visible_groups(train, "fish")
    require_confounds(train, "fish")
    visible = train.visible
    of_confounds = groups_of(np.zeros(len(visible), np.int32), train.confound[visible])
    return {group: visible[rows] for group, rows in of_confounds.items()}


def _draw(
    train: Dataset,
    label: LabelConfig,
    rng: np.random.Generator,
    *,
    domains: Sequence[np.ndarray],
) -> list[list[np.ndarray]]:
    """Draw batches of one domain each, loops over all of them one after another in every epoch."""
    steps = len(train) // label.batch
    epochs = []
    for _ in range(label.epochs):
        loops = [rng.permutation(len(domains)) for _ in range(0, steps, len(domains))]
        members = [domains[number] for number in np.concatenate(loops)[:steps]]
        sizes = [min(label.batch, len(rows)) for rows in members]
        epochs.append(
            [rng.choice(rows, n, replace=False) for rows, n in zip(members, sizes, strict=True)]
        )
    return epochs


def _closed(plan: Sequence[Work], steps: int, domains: int) -> list[Work]:
    """Return a plan whose updates say whether a loop ends with them; epochs have so many steps."""

    def closes(step: int) -> np.bool_:
        done = step % steps + 1
        return np.bool_(done % domains == 0 or done == steps)

    return [
        work._replace(arrays={"closes": closes(work.step)}) if work.kind == "label_update" else work
        for work in plan
    ]
