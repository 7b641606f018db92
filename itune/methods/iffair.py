"""IFFair: rows weigh by whether they narrow or widen the gap between groups, in a second training.

After Yang et al. 2025, "IFFair: influence function-driven sample reweighting for fair
classification".
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from itune.data.dataset import Dataset
from itune.errors import require
from itune.groups import Group
from itune.methods.balance import visible_groups
from itune.methods.base import Batch, Classifier, Info, Method, Params, Phase, State
from itune.methods.label_steps import LabelConfig, label_optimizer
from itune.methods.reference import (
    PRODUCT,
    SCORES,
    group_means,
    init_reference,
    reference_plan,
    scoring_steps,
)
from itune.methods.retraining import retraining_steps
from itune.utils.suggestions import require_one_of

UNIFORM, DIVERSE = "uniform", "diverse"


@dataclass(frozen=True)
class IffairConfig:
    """IFFair; other settings are those of the label steps.

    Attributes:
      strength: How far weights move from 1, at most; 1 leaves out what widens the gap most.
      weights: ``uniform`` adds ``strength`` to the weight of every row that narrows the gap and
        takes it off that of every row that widens it; ``diverse`` does so in proportion to how far
        a row does, over the most that any row does.
      reference: Examples of each group, at most half of its visible ones, that the groups' losses
        are measured on.
      score: How much a row helps another: the ``product`` of their gradients, which makes of the
        sum a derivative of the gap; or their ``cosine``, the influence of influence tuning.
    """

    strength: float = 0.5
    weights: str = UNIFORM
    reference: int = 50
    score: str = PRODUCT

    def __post_init__(self) -> None:
        require(self, "a number from 0 to 1", lambda v: 0 <= v <= 1, "strength")
        require(self, "a positive integer", lambda v: v >= 1, "reference")
        require_one_of(self, weights=(UNIFORM, DIVERSE), score=SCORES)


class IffairState(NamedTuple):
    """State of a method that scores rows by a reference, and the weight of each row, ``(n,)``.

    ``marked`` are first the rows of the reference, then those that widen the gap.
    """

    params: Params
    label: Phase
    start: Params
    marked: jax.Array
    group: jax.Array
    losses: jax.Array
    sizes: jax.Array
    target: Params
    scores: jax.Array
    weights: jax.Array


def iffair(
    classifier: Classifier, label: LabelConfig, config: IffairConfig, train: Dataset, seed: int
) -> Method:
    """Finetune, and anew with more weight on rows that narrow the gap between groups.

    The reference, some visible examples of each group, is left out of the first training, which is
    otherwise finetuning. With the mean label loss ``L_g`` of the reference of group g, without
    dropout, and its mean ``m_g`` over all groups of g's label, the gap is ``G = 1/2 sum_g (L_g -
    m_g)^2``. Every other example i gets the score::

        A_i = sum_g (L_g - m_g) tau_gi

    with the mean ``tau_gi`` over the reference of g of the product of its gradients with that of i.
    It is the rate at which small steps of gradient descent on i alone lower the gap: its influence
    on groups of higher loss less that on groups of lower loss. The second training is finetuning
    from the same initial parameters with all examples, weighted by 1 and ``strength`` more where
    ``A_i`` is above 0, or less where it is below, over the mean weight. The reference weighs 1.

    From the paper come the disparity of a row's influence on groups as what decides on its weight,
    and the two ways to weigh; the formulas above are not the paper's. This differs from it in: 1.
    influence is the exact product of gradients, without the inverse of the Hessian, by which the
    paper's influence functions estimate what training to the end with other weights would change:
    directions in which the loss is steep so count as they are, and nothing is approximated; 2.
    groups are compared by their loss, and within labels, as equalised odds does, for any number of
    confounds; 3. weights are set once, between two trainings; 4. utility has no bound of its own;
    5. the reference is taken from the training data; 6. BertAdam with decoupled weight decay.
    """
    tx = label_optimizer(label, len(train))
    groups = visible_groups(train, "iffair", least=2)
    sizes = [min(len(rows) // 2, config.reference) for rows in groups.values()]
    means_of_labels = _means_of_labels(list(groups))

    def init(params: Params) -> IffairState:
        state = init_reference(tx, params, train, len(groups))
        return IffairState(*state, jnp.ones_like(state.scores))

    def group_weights(means: jax.Array, _: jax.Array) -> jax.Array:
        return means - jnp.asarray(means_of_labels, means.dtype) @ means

    def hold_out(state: IffairState, batch: Batch) -> tuple[IffairState, Info]:
        state, info = scoring["hold_out"](state, batch)
        return state._replace(weights=state.weights.at[batch["rows"]].set(0)), info

    def weigh(state: IffairState, _: Batch) -> tuple[IffairState, Info]:
        scores = jnp.where(jnp.isfinite(state.scores), state.scores, 0)
        weights = 1 + config.strength * _directions(scores, config.weights)
        means = group_means(state)
        info = {f"reference_loss {g}": mean for g, mean in zip(groups, means, strict=True)}
        info["gap"] = jnp.sum(group_weights(means, state.sizes) ** 2) / 2
        return state._replace(weights=weights, marked=scores < 0), info

    def weights_of(state: State) -> jax.Array:
        return state.weights

    scoring = scoring_steps(classifier, config.score, group_weights)
    steps = {
        **retraining_steps(classifier, tx, train, weights_of),
        **scoring,
        "hold_out": hold_out,
        "weigh": weigh,
    }
    return Method(init, steps, lambda: reference_plan(train, label, seed, groups, sizes, "weigh"))


def _means_of_labels(groups: Sequence[Group]) -> np.ndarray:
    """Return the matrix that takes, for each group, the mean over all groups of its label."""
    labels = np.array([group.label for group in groups])
    is_same = labels[:, None] == labels[None]
    return is_same / is_same.sum(axis=1, keepdims=True)


def _directions(scores: jax.Array, weights: str) -> jax.Array:
    """Return how far each row's weight is moved, from -1 to 1; 0 where the score is 0."""
    if weights == UNIFORM:
        return jnp.sign(scores)
    largest = jnp.max(jnp.abs(scores))
    return scores / jnp.where(largest > 0, largest, 1)
