"""Last layer retraining: finetuning, then a new head on a balanced subset, the encoder frozen.

Deep feature reweighting (Kirichenko et al. 2023, "Last layer re-training is sufficient for
robustness to spurious correlations"): the encoder has learnt the core features, too; it is the head
that weights them wrongly.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from itune.data.dataset import Dataset, chunks_by_length
from itune.data.sampling import label_batches
from itune.errors import require
from itune.methods.balance import balanced_subset, visible_groups
from itune.methods.base import Classifier, Method, Phase, Work, init_phase, update
from itune.methods.label_steps import (
    FORWARD_COST,
    LABEL_SUMS,
    LabelConfig,
    collect_label,
    label_epochs,
    label_optimizer,
    label_steps,
    label_sums,
)
from itune.optimizers import bert_adam, warmup_linear

ZERO, FINETUNED = "zero", "finetuned"


@dataclass(frozen=True)
class LastLayerConfig:
    """The second phase, which trains the head; what is not here is as in the label phase.

    Attributes:
      epochs: passes over the balanced subset.
      learning_rate: peak rate.
      weight_decay: decoupled, not on biases.
      start: of the head, ``zero``, anew; or ``finetuned``, going on from what finetuning left.
    """

    epochs: int = 100
    learning_rate: float = 1e-3
    weight_decay: float = 0.01
    start: str = ZERO

    def __post_init__(self):
        require(self, "a positive integer", lambda v: v >= 1, "epochs")
        require(self, "a non-negative number", lambda v: v >= 0, "learning_rate", "weight_decay")
        require(self, f"one of {ZERO}, {FINETUNED}", (ZERO, FINETUNED).__contains__, "start")


class LastLayerState(NamedTuple):
    """Parameters, the label phase, and the phase that trains the head alone."""

    params: Any
    label: Phase
    head: Phase


def last_layer_retraining(
    classifier: Classifier,
    label: LabelConfig,
    config: LastLayerConfig,
    train: Dataset,
    seed: int,
) -> Method:
    """Finetunes, then minimises the label loss of a balanced subset in the head alone.

    The subset has as many visible examples of each group as the smallest group has; examples whose
    confound is hidden take part in finetuning only. Its pooled vectors are without dropout.

    This differs from the paper in: 1. the subset is of the training data, which the encoder has
    seen, not held out (the paper does that, too, and finds it weaker); 2. BertAdam and
    decoupled weight decay in place of logistic regression with an l1 penalty; 3. one subset, not
    the mean of the heads of ten.

    Args:
      classifier: the model.
      label: finetuning; warmup, clipping, chunks and, up to the size of the subset, batches are
        also the second phase's.
      config: of the second phase.
      train: training data, for both schedules.
      seed: of batches and dropout, which are finetuning's with the same seed, and of the subset.

    Raises:
      UserError: fewer than two confounds are visible, or a group has fewer than two visible
        examples.
    """
    tx = label_optimizer(label, len(train))
    total = len(_head_batches(train, label, config, seed))
    head_tx = bert_adam(
        warmup_linear(config.learning_rate, total, label.warmup),
        weight_decay=config.weight_decay,
        clip=label.clip,
    )

    def with_head(params, head):
        return {**params, classifier.head: head}

    def init(params):
        head = init_phase(head_tx, params[classifier.head], *LABEL_SUMS)
        return LastLayerState(params, init_phase(tx, params, *LABEL_SUMS), head)

    def zero_head(state, batch):
        del batch
        zeros = jax.tree.map(jnp.zeros_like, state.params[classifier.head])
        return state._replace(params=with_head(state.params, zeros)), {}

    def head(state, batch):
        def total(head):
            params = with_head(state.params, head)
            outputs = classifier.outputs(params, batch["examples"], None)
            return label_sums(state, outputs, batch)

        trained = state.params[classifier.head]
        return state._replace(head=collect_label(state.head, total, trained, batch)), {}

    def head_update(state, batch):
        del batch
        phase, trained, info = update(head_tx, state.head, state.params[classifier.head])
        return state._replace(params=with_head(state.params, trained), head=phase), info

    def plan() -> list[Work]:
        work = label_epochs(train, label, seed)
        step = work[-1].step
        work += [Work("zero_head", step)] if config.start == ZERO else []
        for batch in _head_batches(train, label, config, seed):
            work += _head_work(train, label, batch, step)
        return [*work, *(Work(kind, step, note="end") for kind in ("cid", "accuracy"))]

    ours = {"zero_head": zero_head, "head": head, "head_update": head_update}
    return Method(init, {**label_steps(classifier, tx), **ours}, plan)


def _head_batches(
    train: Dataset, label: LabelConfig, config: LastLayerConfig, seed: int
) -> list[np.ndarray]:
    rng = np.random.default_rng([seed, 2])
    subset = balanced_subset(rng, visible_groups(train, "last_layer_retraining", least=2))
    batch = min(label.batch, len(subset))
    epochs = label_batches(rng, len(subset), batch, config.epochs)
    return [subset[places] for batches in epochs for places in batches]


def _head_work(train: Dataset, label: LabelConfig, batch: np.ndarray, step: int) -> list[Work]:
    """The work of one update of the head: its chunks, then the update."""
    chunks = [
        Work(
            "head",
            step,
            {"is_real": is_real},
            batch[chunk],
            cost=FORWARD_COST * len(chunk),
            reads_confound=True,
        )
        for chunk, is_real in chunks_by_length(train, batch, label.chunk)
    ]
    return [*chunks, Work("head_update", step)]
