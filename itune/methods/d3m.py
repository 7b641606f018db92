"""D3M: finetuning anew without the examples that harm the groups of highest loss.

Data debiasing with datamodels (Jain et al. 2024, "Improving subgroup robustness via data
selection").
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax.traverse_util import unflatten_dict

from itune.data.dataset import Dataset
from itune.errors import require
from itune.influence import cross_entropy
from itune.influence.differences import projections, unit_gradient_sum
from itune.influence.subsets import by_path
from itune.influence.types import Examples
from itune.methods.balance import visible_groups
from itune.methods.base import Batch, Classifier, Info, Method, Params, Phase, State, Step, Work
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
        are measured on. Auto-D3M takes twice as many of each label, which it divides in two.
      score: How much an example helps another: the ``cosine`` of their gradients, which is the
        influence of influence tuning; or their ``product``, which weighs examples by the length of
        their gradient, and so those most that the first training gets wrong.
      sample: Training examples, drawn at random, by whose scores Auto-D3M finds the groups of the
        reference; without effect on D3M.
    """

    drop: float = 1.0
    beta: float = 1.0
    reference: int = 50
    score: str = COSINE
    sample: int = 1000

    def __post_init__(self) -> None:
        require(self, "a number from 0 to 1", lambda v: 0 <= v <= 1, "drop")
        require(self, "a non-negative number", lambda v: v >= 0, "beta")
        require(self, "a positive integer", lambda v: v >= 1, "reference", "sample")
        require_one_of(self, score=(COSINE, PRODUCT))


class D3mState(NamedTuple):
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
    sizes = [min(len(rows) // 2, config.reference) for rows in groups.values()]

    def init(params: Params) -> D3mState:
        return init_d3m(tx, params, train, len(groups))

    def hold_out(state: D3mState, batch: Batch) -> tuple[D3mState, Info]:
        state, info = steps["hold_out"](state, batch)
        return state._replace(group=state.group.at[batch["rows"]].set(batch["group"])), info

    def plan() -> list[Work]:
        reference = draw_reference(seed, list(groups.values()), sizes)
        group = np.repeat(np.arange(len(groups), dtype=np.int32), sizes)
        between = scoring_work(train, label, reference, reads_confound=True)
        return [
            Work("hold_out", 0, {"rows": reference, "group": group}),
            *retraining_plan(train, label, seed, epochs=label.epochs, between=between),
        ]

    steps = d3m_steps(classifier, tx, config, train, sum(sizes), list(map(str, groups)))
    return Method(init, {**steps, "hold_out": hold_out}, plan)


def init_d3m(
    tx: optax.GradientTransformation, params: Params, train: Dataset, groups: int
) -> D3mState:
    """Return the state before the first training, for as many groups."""
    state = init_retraining(tx, params, train)
    zeros = jnp.zeros(groups, state.label.count.dtype)
    target = jax.tree.map(jnp.zeros_like, params)
    scores = jnp.full(len(train), jnp.inf, zeros.dtype)
    group = jnp.zeros(len(train), jnp.int32)
    return D3mState(*state, group, zeros, zeros, target, scores)


def draw_reference(seed: int, members: Sequence[np.ndarray], sizes: Sequence[int]) -> np.ndarray:
    """Draw so many rows of each group (or label), one group after the other, int32."""
    rng = np.random.default_rng([seed, 2])
    pairs = zip(members, sizes, strict=True)
    drawn = [rng.choice(rows, size, replace=False) for rows, size in pairs]
    return np.concatenate(drawn).astype(np.int32)


def d3m_steps(
    classifier: Classifier,
    tx: optax.GradientTransformation,
    config: D3mConfig,
    train: Dataset,
    reference: int,
    names: Sequence[str],
) -> dict[str, Step]:
    """Return the step functions that hold a reference out, score the others and drop some.

    They take any state with the fields of :class:`D3mState`; ``reference`` is how many rows are
    held out, and ``names`` are those of their groups.
    """
    losses_of = _losses(classifier)
    total, along = (_cosines if config.score == COSINE else _products)(classifier)
    drop = round(config.drop * (len(train) - reference))

    def means_of(state: State) -> jax.Array:
        return state.losses / jnp.maximum(state.sizes, 1)

    def hold_out(state: State, batch: Batch) -> tuple[State, Info]:
        return state._replace(marked=state.marked.at[batch["rows"]].set(True)), {}

    def reference_losses(state: State, batch: Batch) -> tuple[State, Info]:
        losses = jnp.where(batch["is_real"], losses_of(state.params, batch["examples"]), 0)
        group = state.group[batch["rows"]]
        counts = batch["is_real"].astype(state.sizes.dtype)
        return state._replace(
            losses=state.losses.at[group].add(losses), sizes=state.sizes.at[group].add(counts)
        ), {}

    def reference_gradient(state: State, batch: Batch) -> tuple[State, Info]:
        exponents = jnp.where(state.sizes > 0, config.beta * means_of(state), -jnp.inf)
        of_group = jax.nn.softmax(exponents) / jnp.maximum(state.sizes, 1)
        weights = jnp.where(batch["is_real"], of_group[state.group[batch["rows"]]], 0)
        gradient = total(state.params, batch["examples"], weights)
        return state._replace(target=jax.tree.map(jnp.add, state.target, gradient)), {}

    def score(state: State, batch: Batch) -> tuple[State, Info]:
        scores = along(state.params, batch["examples"], state.target)
        return state._replace(scores=set_rows(state.scores, batch, scores)), {}

    def mark_harmful(state: State, _: Batch) -> tuple[State, Info]:
        is_harmful = state.scores < 0
        is_lowest = jnp.zeros_like(is_harmful).at[jnp.argsort(state.scores)[:drop]].set(True)
        means = means_of(state)
        info = {f"reference_loss {g}": mean for g, mean in zip(names, means, strict=True)}
        info["harmful"] = jnp.sum(is_harmful)
        return state._replace(marked=is_lowest & is_harmful), info

    return {
        **retraining_steps(classifier, tx, train, factor=0.0),
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


def scoring_work(
    train: Dataset, label: LabelConfig, reference: np.ndarray, *, reads_confound: bool
) -> list[Work]:
    """Return the work between both trainings: losses, their gradient, scores, and the marks."""
    of_reference = [
        work._replace(reads_confound=reads_confound)
        for kind, cost in (("reference_losses", FORWARD_COST), ("reference_gradient", 1.0))
        for work in row_chunks(train, label, reference, kind, cost)
    ]
    others = np.setdiff1d(np.arange(len(train)), reference)
    scored = row_chunks(train, label, others, "score", 1.0)
    return [*of_reference, *scored, Work("mark_harmful", 0)]
