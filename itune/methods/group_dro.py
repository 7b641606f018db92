"""Group DRO: minimises the loss of the worst group, by weights that follow the groups' losses.

Online algorithm of Sagawa et al. 2020a, "Distributionally robust neural networks for group shifts",
Algorithm 1; a group is a combination of label and confound.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from itune.data.dataset import Dataset
from itune.errors import require
from itune.groups import Group
from itune.methods.balance import balanced_batches, share_of_group, visible_groups
from itune.methods.base import Classifier, Method, Phase, Work, init_phase
from itune.methods.label_steps import (
    FORWARD_COST,
    LABEL_SUMS,
    LabelConfig,
    label_epochs,
    label_losses,
    label_optimizer,
    label_steps,
)


@dataclass(frozen=True)
class GroupDroConfig:
    """Group DRO; what is not here is as in the label phase.

    Attributes:
      step_size: of the exponentiated gradient of the group weights, eta_q in the paper.
      weight_decay: in place of that of the label phase; none for that. The paper finds that group
        DRO needs it stronger than usual.
    """

    step_size: float = 0.01
    weight_decay: float | None = None

    def __post_init__(self):
        require(self, "a non-negative number", lambda v: v >= 0, "step_size")
        require(self, "a non-negative number", lambda v: v is None or v >= 0, "weight_decay")


class GroupDroState(NamedTuple):
    """Parameters, the label phase, and what is known of the groups.

    Attributes:
      params: of the model.
      label: the label phase.
      log_weights: ``(G,)``, log q of each group; q sums to 1.
      losses: ``(G,)``, losses of each group in the batch so far, summed.
    """

    params: Any
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
    """Minimises ``sum_g q_g L_g`` with the mean label loss ``L_g`` of group g in the batch.

    Before each update ``q_g <- q_g exp(eta L_g)``, divided by the sum. So all losses of a batch are
    computed first, with the dropout that their gradients have then: a third more work than
    finetuning. Batches hold equally many examples of each group, as those of
    :func:`~itune.methods.balanced_sampling.balanced_sampling` do, in as many label steps as
    finetuning. Examples whose confound is hidden are left out.

    This differs from the paper in: 1. no adjustment of the losses by group sizes; 2. BertAdam with
    decoupled weight decay in place of SGD with an l2 penalty; 3. batches balanced exactly, not in
    expectation.

    Args:
      classifier: the model.
      label: the label phase.
      config: of the group weights.
      train: training data, for the schedule and the groups.
      seed: of batches and dropout.

    Raises:
      UserError: fewer than two confounds are visible, a group has no visible example, or there are
        more groups than a batch has examples.
    """
    if config.weight_decay is not None:
        label = replace(label, weight_decay=config.weight_decay)
    tx = label_optimizer(label, len(train))
    groups = visible_groups(train, "group_dro")
    share = share_of_group(label, groups)
    table = _group_table(list(groups))

    def init(params):
        phase = init_phase(tx, params, *LABEL_SUMS)
        zeros = jnp.zeros(len(groups), phase.count.dtype)
        return GroupDroState(params, phase, jax.nn.log_softmax(zeros), zeros)

    def group_of(examples):
        return jnp.asarray(table)[examples["label"], examples["confound"]]

    def weighted(state, outputs, examples):
        """Losses whose mean over a balanced batch is that of the groups, weighted by q."""
        weights = len(groups) * jnp.exp(state.log_weights)
        return weights[group_of(examples)] * label_losses(state, outputs, examples)

    def group_losses(state, batch):
        examples, key = batch["examples"], jax.random.key(batch["dropout"])
        outputs = classifier.outputs(state.params, examples, key)
        losses = jnp.where(batch["is_real"], label_losses(state, outputs, examples), 0)
        return state._replace(losses=state.losses.at[group_of(examples)].add(losses)), {}

    def group_weights(state, batch):
        del batch
        log_weights = state.log_weights + config.step_size * state.losses / share
        return state._replace(
            log_weights=jax.nn.log_softmax(log_weights), losses=jnp.zeros_like(state.losses)
        ), {}

    steps = label_steps(classifier, tx, weighted)

    def label_update(state, batch):
        state, info = steps["label_update"](state, batch)
        weights = jnp.exp(state.log_weights)
        return state, info | {
            f"weight {group}": w for group, w in zip(groups, weights, strict=True)
        }

    def plan() -> list[Work]:
        draw = partial(balanced_batches, groups=visible_groups(train, "group_dro"))
        return _losses_first(label_epochs(train, label, seed, draw=draw, reads_confound=True))

    ours = {"group_losses": group_losses, "group_weights": group_weights}
    return Method(init, {**steps, **ours, "label_update": label_update}, plan)


def _group_table(groups: Sequence[Group]) -> np.ndarray:
    """The number of each group, by label and confound."""
    table = np.zeros(np.max(groups, axis=0) + 1, np.int32)
    for number, group in enumerate(groups):
        table[group] = number
    return table


def _losses_first(plan: Sequence[Work]) -> list[Work]:
    """The plan with the chunks of each label step gone through before, for the weights."""
    result, chunks = [], []
    for work in plan:
        if work.kind == "label":
            chunks.append(work)
            continue
        if work.kind == "label_update":
            result += [
                *(w._replace(kind="group_losses", cost=FORWARD_COST * w.cost) for w in chunks),
                Work("group_weights", work.step),
                *chunks,
            ]
            chunks = []
        result.append(work)
    return result
