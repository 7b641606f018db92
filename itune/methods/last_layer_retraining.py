"""Last layer retraining: finetuning, then a new head on a balanced subset, the encoder frozen.

Deep feature reweighting (Kirichenko et al. 2023, "Last layer re-training is sufficient for
robustness to spurious correlations").
"""

from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from itune.data.dataset import Dataset, chunks_by_length
from itune.data.sampling import label_batches
from itune.errors import require
from itune.methods.balance import balanced_subset, visible_groups
from itune.methods.base import (
    EVALUATIONS,
    Batch,
    Classifier,
    Info,
    Method,
    Params,
    Phase,
    Work,
    init_phase,
    update,
)
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
from itune.utils.suggestions import require_one_of

ZERO, FINETUNED = "zero", "finetuned"


@dataclass(frozen=True)
class LastLayerConfig:
    """Retraining of the head; other settings are those of the label steps.

    Attributes:
      epochs: Passes over the balanced subset.
      learning_rate: Peak learning rate.
      weight_decay: Decoupled weight decay; not on biases.
      start: Where the head starts: at ``zero``, or as it was ``finetuned``.
    """

    epochs: int = 100
    learning_rate: float = 1e-3
    weight_decay: float = 0.01
    start: str = ZERO

    def __post_init__(self) -> None:
        require(self, "a positive integer", lambda v: v >= 1, "epochs")
        require(self, "a non-negative number", lambda v: v >= 0, "learning_rate", "weight_decay")
        require_one_of(self, start=(ZERO, FINETUNED))


class LastLayerState(NamedTuple):
    """State of last layer retraining, with a phase for the model and one for the head alone."""

    params: Params
    label: Phase
    head: Phase


def last_layer_retraining(
    classifier: Classifier,
    label: LabelConfig,
    config: LastLayerConfig,
    train: Dataset,
    seed: int,
) -> Method:
    """Finetune, then minimise the label loss of a balanced subset in the head, without dropout.

    The subset has as many visible examples of each group as the smallest group has; examples whose
    confound is hidden take part in finetuning only.

    This differs from the paper in: 1. the subset is part of the training data, which the encoder
    has seen, not held out (the paper tries that as well, and finds it weaker); 2. BertAdam and
    decoupled weight decay in place of logistic regression with an l1 penalty; 3. one subset, not
    the mean of the heads of ten.
    """
    tx = label_optimizer(label, len(train))
    total = len(_head_batches(train, label, config, seed))
    head_tx = bert_adam(
        warmup_linear(config.learning_rate, total, label.warmup),
        weight_decay=config.weight_decay,
        clip=label.clip,
    )

    def with_head(params: Params, head: Params) -> Params:
        return {**params, classifier.head: head}

    def init(params: Params) -> LastLayerState:
        head = init_phase(head_tx, params[classifier.head], *LABEL_SUMS)
        return LastLayerState(params, init_phase(tx, params, *LABEL_SUMS), head)

    def zero_head(state: LastLayerState, _: Batch) -> tuple[LastLayerState, Info]:
        zeros = jax.tree.map(jnp.zeros_like, state.params[classifier.head])
        return state._replace(params=with_head(state.params, zeros)), {}

    def head(state: LastLayerState, batch: Batch) -> tuple[LastLayerState, Info]:
        def sums(head: Params) -> tuple[jax.Array, jax.Array]:
            params = with_head(state.params, head)
            outputs = classifier.outputs(params, batch["examples"], None)
            return label_sums(state, outputs, batch)

        trained = state.params[classifier.head]
        return state._replace(head=collect_label(state.head, sums, trained, batch)), {}

    def head_update(state: LastLayerState, _: Batch) -> tuple[LastLayerState, Info]:
        phase, trained, info = update(head_tx, state.head, state.params[classifier.head])
        return state._replace(params=with_head(state.params, trained), head=phase), info

    def plan() -> list[Work]:
        work = label_epochs(train, label, seed)
        step = work[-1].step
        work += [Work("zero_head", step)] if config.start == ZERO else []
        for batch in _head_batches(train, label, config, seed):
            work += _head_work(train, label, batch, step)
        return [*work, *(Work(kind, step, note="end") for kind in EVALUATIONS)]

    head_steps = {"zero_head": zero_head, "head": head, "head_update": head_update}
    return Method(init, {**label_steps(classifier, tx), **head_steps}, plan)


def _head_batches(
    train: Dataset, label: LabelConfig, config: LastLayerConfig, seed: int
) -> list[np.ndarray]:
    rng = np.random.default_rng([seed, 2])
    subset = balanced_subset(rng, visible_groups(train, "last_layer_retraining", least=2))
    batch = min(label.batch, len(subset))
    epochs = label_batches(rng, len(subset), batch, config.epochs)
    return [subset[places] for batches in epochs for places in batches]


def _head_work(train: Dataset, label: LabelConfig, batch: np.ndarray, step: int) -> list[Work]:
    """Return the work of one update of the head: its chunks, then the update."""
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
