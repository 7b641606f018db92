"""Group DRO: minimises the loss of the worst group, by weights that follow the groups' losses.

Sagawa et al. 2020a, "Distributionally robust neural networks for group shifts", Algorithm 1.
"""

from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from itune.data.dataset import Dataset
from itune.errors import require
from itune.methods.balance import (
    balanced_batches,
    group_numbers,
    share_of_group,
    visible_groups,
)
from itune.methods.base import (
    Batch,
    Classifier,
    Info,
    Method,
    Outputs,
    Params,
    Phase,
    Work,
    init_phase,
)
from itune.methods.label_steps import (
    LABEL_SUMS,
    LabelConfig,
    label_epochs,
    label_losses,
    label_optimizer,
    label_steps,
    two_passes,
)


@dataclass(frozen=True)
class GroupDroConfig:
    """Group DRO; other settings are those of the label steps.

    Attributes:
      step_size: Step size of the exponentiated gradient of the group weights, eta_q in the paper.
      weight_decay: Weight decay in place of ``label.weight_decay``; none to keep that. The paper
        finds that group DRO needs stronger decay than usual.
    """

    step_size: float = 0.01
    weight_decay: float | None = None

    def __post_init__(self) -> None:
        require(self, "a non-negative number", lambda v: v >= 0, "step_size")
        require(self, "a non-negative number", lambda v: v is None or v >= 0, "weight_decay")


class GroupDroState(NamedTuple):
    """State of group DRO: weights that sum to 1, and the batch's losses so far, both ``(G,)``."""

    params: Params
    label: Phase
    log_weights: jax.Array
    losses: jax.Array


def group_dro(
    classifier: Classifier,
    label: LabelConfig,
    config: GroupDroConfig,
    train: Dataset,
    seed: int,
) -> Method:
    """Minimise ``sum_g q_g L_g`` with the mean label loss ``L_g`` of group g in the batch.

    Before each update ``q_g <- q_g exp(eta L_g)``, divided by the sum. So all losses of a batch are
    computed first, with the dropout that is then used for the gradients. Batches are balanced, and
    examples whose confound is hidden are left out.

    This differs from the paper in: 1. no adjustment of the losses by group sizes; 2. BertAdam with
    decoupled weight decay in place of SGD with an l2 penalty; 3. batches balanced exactly, not in
    expectation.
    """
    if config.weight_decay is not None:
        label = replace(label, weight_decay=config.weight_decay)
    tx = label_optimizer(label, len(train))
    groups = visible_groups(train, "group_dro")
    share = share_of_group(label, groups)
    numbers = group_numbers(list(groups))

    def init(params: Params) -> GroupDroState:
        phase = init_phase(tx, params, *LABEL_SUMS)
        zeros = jnp.zeros(len(groups), phase.count.dtype)
        return GroupDroState(params, phase, jax.nn.log_softmax(zeros), zeros)

    def group_of(examples: dict[str, Any]) -> jax.Array:
        return jnp.asarray(numbers)[examples["label"], examples["confound"]]

    def weighted(state: GroupDroState, outputs: Outputs, batch: Batch) -> jax.Array:
        """Return losses whose mean over a balanced batch is ``sum_g q_g L_g``."""
        weights = len(groups) * jnp.exp(state.log_weights)
        return weights[group_of(batch["examples"])] * label_losses(state, outputs, batch)

    def group_losses(state: GroupDroState, batch: Batch) -> tuple[GroupDroState, Info]:
        examples, key = batch["examples"], jax.random.key(batch["dropout"])
        outputs = classifier.outputs(state.params, examples, key)
        losses = jnp.where(batch["is_real"], label_losses(state, outputs, batch), 0)
        return state._replace(losses=state.losses.at[group_of(examples)].add(losses)), {}

    def group_weights(state: GroupDroState, _: Batch) -> tuple[GroupDroState, Info]:
        log_weights = state.log_weights + config.step_size * state.losses / share
        return state._replace(
            log_weights=jax.nn.log_softmax(log_weights), losses=jnp.zeros_like(state.losses)
        ), {}

    steps = label_steps(classifier, tx, weighted)

    def label_update(state: GroupDroState, batch: Batch) -> tuple[GroupDroState, Info]:
        state, info = steps["label_update"](state, batch)
        weights = jnp.exp(state.log_weights)
        return state, info | {
            f"weight {group}": w for group, w in zip(groups, weights, strict=True)
        }

    def plan() -> list[Work]:
        draw = partial(balanced_batches, groups=visible_groups(train, "group_dro"))
        work = label_epochs(train, label, seed, draw=draw, reads_confound=True)
        return two_passes(work, "group_losses", "group_weights")

    weight_steps = {"group_losses": group_losses, "group_weights": group_weights}
    return Method(init, {**steps, **weight_steps, "label_update": label_update}, plan)
