"""D3M: finetuning anew without the examples that harm the groups of highest loss.

Data debiasing with datamodels (Jain et al. 2024, "Improving subgroup robustness via data
selection").
"""

from collections.abc import Sequence
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import optax

from itune.data.dataset import Dataset
from itune.errors import require
from itune.methods.balance import visible_groups
from itune.methods.base import Batch, Classifier, Info, Method, Params, State, Step, Work
from itune.methods.label_steps import LabelConfig, label_optimizer
from itune.methods.reference import (
    COSINE,
    SCORES,
    ReferenceState,
    group_means,
    init_reference,
    reference_plan,
    scoring_steps,
)
from itune.methods.retraining import retraining_steps, weights_of_marked
from itune.utils.suggestions import require_one_of


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
        require_one_of(self, score=SCORES)


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

    def init(params: Params) -> ReferenceState:
        return init_reference(tx, params, train, len(groups))

    def plan() -> list[Work]:
        return reference_plan(train, label, seed, groups, sizes, "mark_harmful")

    steps = d3m_steps(classifier, tx, config, train, sum(sizes), list(map(str, groups)))
    return Method(init, steps, plan)


def d3m_steps(
    classifier: Classifier,
    tx: optax.GradientTransformation,
    config: D3mConfig,
    train: Dataset,
    reference: int,
    names: Sequence[str],
) -> dict[str, Step]:
    """Return the step functions that hold a reference out, score the others and drop some.

    They take any state with the fields of :class:`~itune.methods.reference.ReferenceState`;
    ``reference`` is how many rows are held out, and ``names`` are those of their groups.
    """
    drop = round(config.drop * (len(train) - reference))

    def group_weights(means: jax.Array, sizes: jax.Array) -> jax.Array:
        return jax.nn.softmax(jnp.where(sizes > 0, config.beta * means, -jnp.inf))

    def mark_harmful(state: State, _: Batch) -> tuple[State, Info]:
        is_harmful = state.scores < 0
        is_lowest = jnp.zeros_like(is_harmful).at[jnp.argsort(state.scores)[:drop]].set(True)
        info = {
            f"reference_loss {g}": mean for g, mean in zip(names, group_means(state), strict=True)
        }
        info["harmful"] = jnp.sum(is_harmful)
        return state._replace(marked=is_lowest & is_harmful), info

    return {
        **retraining_steps(classifier, tx, train, weights_of_marked(0.0)),
        **scoring_steps(classifier, config.score, group_weights),
        "mark_harmful": mark_harmful,
    }
