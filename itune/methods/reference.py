"""A reference that a first training leaves out, and how far other rows help its groups.

What a row does for a group is the mean, over the group's rows in the reference, of the exact
product or cosine of gradients, of the model that the first training ends with.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax.traverse_util import unflatten_dict

from itune.data.dataset import Dataset
from itune.groups import Group
from itune.influence import cross_entropy
from itune.influence.differences import projections, unit_gradient_sum
from itune.influence.subsets import by_path
from itune.influence.types import Examples
from itune.methods.base import Batch, Classifier, Info, Params, Phase, State, Step, Work
from itune.methods.label_steps import FORWARD_COST, LabelConfig
from itune.methods.retraining import init_retraining, retraining_plan, row_chunks, set_rows

COSINE, PRODUCT = "cosine", "product"
SCORES = (COSINE, PRODUCT)
"""How far one example helps another: the cosine of their gradients, or their product."""

Total = Callable[[Params, Examples, jax.Array], Params]
"""``total(params, examples, weights)``, a weighted sum of the gradients of n examples."""

Along = Callable[[Params, Examples, Params], jax.Array]
"""``along(params, examples, target) -> (n,)``, the inner products of gradients with a sum."""

GroupWeights = Callable[[jax.Array, jax.Array], jax.Array]
"""``weights(means, sizes) -> (G,)``, by each group's mean loss and size, which may be 0."""


class ReferenceState(NamedTuple):
    """State of a method that trains twice, with what decides on the rows that it marks.

    ``group`` is the number of the group of each row of the reference, ``(n,)``; ``losses`` are sums
    over the reference of each group and ``sizes`` how many they are of, ``(G,)``; ``target`` is
    what gradients are projected on for ``scores``, ``(n,)``, which are infinite where a row has
    none.
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


def init_reference(
    tx: optax.GradientTransformation, params: Params, train: Dataset, groups: int
) -> ReferenceState:
    """Return the state before the first training, for as many groups."""
    state = init_retraining(tx, params, train)
    zeros = jnp.zeros(groups, state.label.count.dtype)
    target = jax.tree.map(jnp.zeros_like, params)
    scores = jnp.full(len(train), jnp.inf, zeros.dtype)
    group = jnp.zeros(len(train), jnp.int32)
    return ReferenceState(*state, group, zeros, zeros, target, scores)


def draw_reference(seed: int, members: Sequence[np.ndarray], sizes: Sequence[int]) -> np.ndarray:
    """Draw so many rows of each group (or label), one group after the other, int32."""
    rng = np.random.default_rng([seed, 2])
    pairs = zip(members, sizes, strict=True)
    drawn = [rng.choice(rows, size, replace=False) for rows, size in pairs]
    return np.concatenate(drawn).astype(np.int32)


def group_means(state: State) -> jax.Array:
    """Return the mean loss of the reference of each group, ``(G,)``; 0 if none is of it."""
    return state.losses / jnp.maximum(state.sizes, 1)


def scoring_steps(
    classifier: Classifier, score: str, group_weights: GroupWeights
) -> dict[str, Step]:
    """Return the step functions that hold a reference out and score all other rows.

    They take any state with the fields of :class:`ReferenceState`. A score is the sum over groups
    of the weight of each times how much a row helps it.
    """
    losses_of = _losses(classifier)
    total, along = (_cosines if score == COSINE else _products)(classifier)

    def hold_out(state: State, batch: Batch) -> tuple[State, Info]:
        rows = batch["rows"]
        group = state.group.at[rows].set(batch.get("group", 0))
        return state._replace(marked=state.marked.at[rows].set(True), group=group), {}

    def reference_losses(state: State, batch: Batch) -> tuple[State, Info]:
        losses = jnp.where(batch["is_real"], losses_of(state.params, batch["examples"]), 0)
        group = state.group[batch["rows"]]
        counts = batch["is_real"].astype(state.sizes.dtype)
        return state._replace(
            losses=state.losses.at[group].add(losses), sizes=state.sizes.at[group].add(counts)
        ), {}

    def reference_gradient(state: State, batch: Batch) -> tuple[State, Info]:
        of_group = group_weights(group_means(state), state.sizes) / jnp.maximum(state.sizes, 1)
        weights = jnp.where(batch["is_real"], of_group[state.group[batch["rows"]]], 0)
        gradient = total(state.params, batch["examples"], weights)
        return state._replace(target=jax.tree.map(jnp.add, state.target, gradient)), {}

    def score_rows(state: State, batch: Batch) -> tuple[State, Info]:
        scores = along(state.params, batch["examples"], state.target)
        return state._replace(scores=set_rows(state.scores, batch, scores)), {}

    return {
        "hold_out": hold_out,
        "reference_losses": reference_losses,
        "reference_gradient": reference_gradient,
        "score": score_rows,
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


def reference_plan(
    train: Dataset,
    label: LabelConfig,
    seed: int,
    groups: Mapping[Group, np.ndarray],
    sizes: Sequence[int],
    last: str,
) -> list[Work]:
    """Return both trainings, and between them the scores by a reference of so many of each group.

    ``last`` is the kind of work that makes use of the scores.
    """
    reference = draw_reference(seed, list(groups.values()), sizes)
    group = np.repeat(np.arange(len(groups), dtype=np.int32), sizes)
    between = scoring_work(train, label, reference, reads_confound=True)
    return [
        Work("hold_out", 0, {"rows": reference, "group": group}),
        *retraining_plan(
            train, label, seed, epochs=label.epochs, between=[*between, Work(last, 0)]
        ),
    ]


def scoring_work(
    train: Dataset, label: LabelConfig, reference: np.ndarray, *, reads_confound: bool
) -> list[Work]:
    """Return the work on the losses of a reference, their gradient, and the others' scores."""
    of_reference = [
        work._replace(reads_confound=reads_confound)
        for kind, cost in (("reference_losses", FORWARD_COST), ("reference_gradient", 1.0))
        for work in row_chunks(train, label, reference, kind, cost)
    ]
    others = np.setdiff1d(np.arange(len(train)), reference)
    return [*of_reference, *row_chunks(train, label, others, "score", 1.0)]
