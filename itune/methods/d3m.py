"""D3M: finetuning anew without the examples that harm the groups of highest loss.

Data debiasing with datamodels (Jain et al. 2024, "Improving subgroup robustness via data
selection").
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax.traverse_util import unflatten_dict

from itune.data.dataset import Dataset
from itune.errors import require
from itune.groups import Group
from itune.influence import cross_entropy
from itune.influence.differences import projections, unit_gradient_sum
from itune.influence.subsets import by_path
from itune.influence.types import Examples
from itune.methods.balance import group_numbers, visible_groups
from itune.methods.base import Batch, Classifier, Info, Method, Params, Phase, Step, Work
from itune.methods.label_steps import FORWARD_COST, LabelConfig, label_optimizer
from itune.methods.retraining import (
    init_retraining,
    retraining_plan,
    retraining_steps,
    row_chunks,
    set_rows,
)
from itune.utils.suggestions import require_one_of

COSINE, PRODUCT = "cosine", "product"

Total = Callable[[Params, Examples, jax.Array], Params]
"""``total(params, examples, weights)``, a weighted sum of the gradients of n examples."""

Along = Callable[[Params, Examples, Params], jax.Array]
"""``along(params, examples, target) -> (n,)``, the inner products of gradients with a sum."""


@dataclass(frozen=True)
class D3mConfig:
    """D3M; other settings are those of the label steps.

    Attributes:
      drop: Largest share of the scored examples to drop, those of the lowest scores. Only scores
        below 0 count, so that 1 drops every example that harms, as the authors' code does unless
        told otherwise.
      beta: How much more a group of higher loss counts: groups have weights in proportion to
        ``exp(beta * loss)``, with the loss in nats; 0 counts all alike, and a large number next to
        nothing but the worst. The authors' code has weights in proportion to the loss.
      reference: Examples of each group, at most half of its visible ones, that the groups' losses
        are measured on.
      score: How much an example helps another: the ``cosine`` of their gradients, which is the
        influence of influence tuning; or their ``product``, which weighs examples by the length of
        their gradient, and so those most that the first training gets wrong.
    """

    drop: float = 1.0
    beta: float = 1.0
    reference: int = 50
    score: str = COSINE

    def __post_init__(self) -> None:
        require(self, "a number from 0 to 1", lambda v: 0 <= v <= 1, "drop")
        require(self, "a non-negative number", lambda v: v >= 0, "beta")
        require(self, "a positive integer", lambda v: v >= 1, "reference")
        require_one_of(self, score=(COSINE, PRODUCT))


class D3mState(NamedTuple):
    """State of a method that trains twice, with what decides on the rows that it marks.

    ``losses`` are sums over the reference of each group, ``(G,)``; ``target`` is what gradients are
    projected on for ``scores``, ``(n,)``, which are infinite where a row has none.
    """

    params: Params
    label: Phase
    start: Params
    marked: jax.Array
    losses: jax.Array
    target: Params
    scores: jax.Array


def d3m(
    classifier: Classifier, label: LabelConfig, config: D3mConfig, train: Dataset, seed: int
) -> Method:
    """Finetune, drop the examples that harm the groups of highest loss, and finetune anew.

    The reference, some visible examples of each group, is left out of the first training, which is
    otherwise finetuning. Then every other example i gets the paper's group alignment score::

        A_i = sum_g w_g tau_gi      w_g = exp(beta L_g) / sum_h exp(beta L_h)

    with the mean label loss ``L_g`` of the reference of group g, without dropout, and the mean
    ``tau_gi`` over that reference of how much i helps an example, the cosine or the product of
    their gradients. Those with the lowest scores below 0 are dropped: a step on them raises the
    loss of the groups that are worst off. The second training is finetuning from the same initial
    parameters with all other examples, the reference among them; what is dropped has the weight 0
    in its batch, and the others' grows to keep the mean 1.

    This differs from the paper in: 1. ``tau_gi`` are exact, of the gradients of one model, where
    the paper estimates by TRAK, from random projections and a kernel over several models, how
    leaving an example out of training would change the loss; 2. the reference is taken from the
    training data, since the paper's held-out data with groups are not given to methods, and comes
    back for the second training; 3. BertAdam with decoupled weight decay.
    """
    tx = label_optimizer(label, len(train))
    groups = visible_groups(train, "d3m", least=2)
    sizes = {group: min(len(rows) // 2, config.reference) for group, rows in groups.items()}
    drop = round(config.drop * (len(train) - sum(sizes.values())))

    def init(params: Params) -> D3mState:
        state = init_retraining(tx, params, train)
        dtype = state.label.count.dtype
        zeros = jax.tree.map(jnp.zeros_like, params)
        scores = jnp.full(len(train), jnp.inf, dtype)
        return D3mState(*state, jnp.zeros(len(groups), dtype), zeros, scores)

    def plan() -> list[Work]:
        rng = np.random.default_rng([seed, 2])
        drawn = [rng.choice(groups[group], size, replace=False) for group, size in sizes.items()]
        reference = np.concatenate(drawn).astype(np.int32)
        return [
            Work("hold_out", 0, {"rows": reference}),
            *retraining_plan(
                train, label, seed, epochs=label.epochs, between=_scoring(train, label, reference)
            ),
        ]

    steps = retraining_steps(classifier, tx, train, factor=0.0)
    return Method(init, {**steps, **_scoring_steps(classifier, config, sizes, drop)}, plan)


def _scoring_steps(
    classifier: Classifier, config: D3mConfig, sizes: Mapping[Group, int], drop: int
) -> dict[str, Step]:
    """Return the step functions that hold the reference out, score the others and mark some."""
    numbers, counts = group_numbers(list(sizes)), np.array(list(sizes.values()))
    losses_of = _losses(classifier)
    total, along = (_cosines if config.score == COSINE else _products)(classifier)

    def group_of(batch: Batch) -> jax.Array:
        return jnp.asarray(numbers)[batch["examples"]["label"], batch["examples"]["confound"]]

    def hold_out(state: D3mState, batch: Batch) -> tuple[D3mState, Info]:
        return state._replace(marked=state.marked.at[batch["rows"]].set(True)), {}

    def reference_losses(state: D3mState, batch: Batch) -> tuple[D3mState, Info]:
        losses = jnp.where(batch["is_real"], losses_of(state.params, batch["examples"]), 0)
        return state._replace(losses=state.losses.at[group_of(batch)].add(losses)), {}

    def reference_gradient(state: D3mState, batch: Batch) -> tuple[D3mState, Info]:
        sizes = counts.astype(state.losses.dtype)
        of_group = jax.nn.softmax(config.beta * state.losses / sizes) / sizes
        weights = jnp.where(batch["is_real"], of_group[group_of(batch)], 0)
        gradient = total(state.params, batch["examples"], weights)
        return state._replace(target=jax.tree.map(jnp.add, state.target, gradient)), {}

    def score(state: D3mState, batch: Batch) -> tuple[D3mState, Info]:
        scores = along(state.params, batch["examples"], state.target)
        return state._replace(scores=set_rows(state.scores, batch, scores)), {}

    def mark_harmful(state: D3mState, _: Batch) -> tuple[D3mState, Info]:
        is_harmful = state.scores < 0
        is_lowest = jnp.zeros_like(is_harmful).at[jnp.argsort(state.scores)[:drop]].set(True)
        means = state.losses / counts.astype(state.losses.dtype)
        info = {f"reference_loss {g}": mean for g, mean in zip(sizes, means, strict=True)}
        info["harmful"] = jnp.sum(is_harmful)
        return state._replace(marked=is_lowest & is_harmful), info

    return {
        "hold_out": hold_out,
        "reference_losses": reference_losses,
        "reference_gradient": reference_gradient,
        "score": score,
        "mark_harmful": mark_harmful,
    }


def _losses(classifier: Classifier) -> Callable[[Params, Examples], jax.Array]:
    def losses(params: Params, examples: Examples) -> jax.Array:
        return cross_entropy(classifier.outputs(params, examples, None).logits, examples["label"])

    return losses


def _products(classifier: Classifier) -> tuple[Total, Along]:
    """Return the functions whose gradients are those of the label loss."""
    losses = _losses(classifier)

    def total(params: Params, examples: Examples, weights: jax.Array) -> Params:
        return jax.grad(lambda params: jnp.vdot(weights, losses(params, examples)))(params)

    def along(params: Params, examples: Examples, target: Params) -> jax.Array:
        """By one derivative in the direction of the target, for which no gradient is formed."""
        return jax.jvp(lambda params: losses(params, examples), (params,), (target,))[1]

    return total, along


def _cosines(classifier: Classifier) -> tuple[Total, Along]:
    """Return the functions whose gradients have length 1."""
    unit_sum, projected = unit_gradient_sum(classifier.loss), projections(classifier.loss)

    def total(params: Params, examples: Examples, weights: jax.Array) -> Params:
        return unflatten_dict(unit_sum(params, examples, weights))

    def along(params: Params, examples: Examples, target: Params) -> jax.Array:
        return projected(params, examples, (by_path(target),))[0][:, 0]

    return total, along


def _scoring(train: Dataset, label: LabelConfig, reference: np.ndarray) -> list[Work]:
    """Return the work between both trainings: losses, their gradient, scores, and the marks."""
    of_reference = [
        work._replace(reads_confound=True)
        for kind, cost in (("reference_losses", FORWARD_COST), ("reference_gradient", 1.0))
        for work in row_chunks(train, label, reference, kind, cost)
    ]
    others = np.setdiff1d(np.arange(len(train)), reference)
    scored = row_chunks(train, label, others, "score", 1.0)
    return [*of_reference, *scored, Work("mark_harmful", 0)]
