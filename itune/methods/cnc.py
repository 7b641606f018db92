"""Correct-n-Contrast: what is of one label and was answered otherwise is brought together.

CnC (Zhang et al. 2022, "Correct-n-Contrast: a contrastive approach for improving robustness to
spurious correlations").
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from itune.data.dataset import Dataset
from itune.errors import require
from itune.influence.cosine import inverse_norm
from itune.methods.base import Batch, Classifier, Info, Method, Outputs, Params, Phase, Work
from itune.methods.label_steps import (
    FORWARD_COST,
    LabelConfig,
    label_epochs,
    label_losses,
    label_optimizer,
    label_steps,
    two_passes,
)
from itune.methods.plans import RESTART, renamed
from itune.methods.retraining import (
    first_training,
    init_retraining,
    later,
    require_epochs,
    restart_step,
    row_chunks,
    set_rows,
    with_rows,
)


@dataclass(frozen=True)
class CncConfig:
    """Correct-n-Contrast; other settings are those of the label steps.

    Attributes:
      epochs: Epochs of the first training, the first ones of finetuning; ``label.epochs`` at most.
      weight: Weight of the contrastive loss, lambda in the paper; the label loss has the rest of 1.
        The authors' commands have 0.75.
      temperature: Number that cosines are divided by; the smaller, the more the nearest examples
        count. The authors' commands for texts have 0.1.
    """

    epochs: int = 2
    weight: float = 0.75
    temperature: float = 0.1

    def __post_init__(self) -> None:
        require(self, "a positive integer", lambda v: v >= 1, "epochs")
        require(self, "a number from 0 to 1", lambda v: 0 <= v <= 1, "weight")
        require(self, "a positive number", lambda v: v > 0, "temperature")


class CncState(NamedTuple):
    """State of a method that trains twice, with the answers that the first training ends with.

    ``answers`` are of all rows, ``(n,)``. Of the b rows of a batch there are the indices ``rows``,
    pooled ``vectors``, ``(b, d)``, contrastive ``losses`` and their ``slopes`` by the vectors,
    each times what makes the batch's mean of it count as ``weight`` says.
    """

    params: Params
    label: Phase
    start: Params
    marked: jax.Array
    answers: jax.Array
    rows: jax.Array
    vectors: jax.Array
    losses: jax.Array
    slopes: jax.Array


def cnc(
    classifier: Classifier, label: LabelConfig, config: CncConfig, train: Dataset, seed: int
) -> Method:
    """Finetune for some epochs, then anew with a loss on which pooled vectors are alike.

    What the first training answers stands for the confound. In the second one, from the same
    initial parameters, examples i of a batch that have positives (of the same label, answered
    otherwise) and negatives (of another label, answered alike) have the contrastive loss::

        L_i = -mean_p log(exp(cos_ip / temperature) / sum_j exp(cos_ij / temperature))

    with cosines of pooled vectors, over all positives p, and all positives and negatives j. The
    mean over such i has the weight ``weight`` beside the label loss. Its gradient is exact for the
    whole batch, however few examples are computed at once: pooled vectors are computed first, with
    the dropout that is then used for the gradients. Confounds are not made use of: those that are
    visible are counted among the wrong answers, and logged.

    This differs from the paper in: 1. positives and negatives are those of a batch of finetuning,
    where the paper draws some of each for examples that are answered right, and then the other way
    round; a small batch may have none; 2. BertAdam in place of AdamW or SGD; 3. the first training
    is the first epochs of finetuning.
    """
    require_epochs("cnc", config.epochs, label)
    tx = label_optimizer(label, len(train))

    def init(params: Params) -> CncState:
        state = init_retraining(tx, params, train)
        answers, rows = (jnp.zeros(size, jnp.int32) for size in (len(train), label.batch))
        losses = jnp.zeros(label.batch, state.label.count.dtype)
        vectors = jnp.zeros((label.batch, classifier.width), losses.dtype)
        return CncState(*state, answers, rows, vectors, losses, vectors)

    def answer(state: CncState, batch: Batch) -> tuple[CncState, Info]:
        outputs = classifier.outputs(state.params, batch["examples"], None)
        answers = jnp.argmax(outputs.logits, axis=-1).astype(jnp.int32)
        is_wrong = answers != batch["examples"]["label"]
        return state._replace(
            answers=set_rows(state.answers, batch, answers),
            marked=set_rows(state.marked, batch, is_wrong),
        ), {}

    def vectors(state: CncState, batch: Batch) -> tuple[CncState, Info]:
        key = jax.random.key(batch["dropout"])
        pooled = classifier.outputs(state.params, batch["examples"], key).pooled
        places = jnp.where(batch["is_real"], batch["places"], label.batch)
        return state._replace(
            rows=state.rows.at[places].set(batch["rows"], mode="drop"),
            vectors=state.vectors.at[places].set(pooled, mode="drop"),
        ), {}

    def contrast(state: CncState, _: Batch) -> tuple[CncState, Info]:
        labels, answers = jnp.asarray(train.label)[state.rows], state.answers[state.rows]

        def weighted(vectors: jax.Array) -> tuple[jax.Array, jax.Array]:
            losses, is_anchor = contrastive_losses(vectors, labels, answers, config.temperature)
            count = jnp.maximum(jnp.sum(is_anchor), 1).astype(losses.dtype)
            losses = config.weight * label.batch / count * losses
            return jnp.sum(losses), losses

        slopes, losses = jax.grad(weighted, has_aux=True)(state.vectors)
        return state._replace(losses=losses, slopes=slopes), {}

    def mixed(state: CncState, outputs: Outputs, batch: Batch) -> jax.Array:
        """Return losses whose batch mean has value and gradient of the whole batch's."""
        change = outputs.pooled - jax.lax.stop_gradient(outputs.pooled)
        along = jnp.sum(state.slopes[batch["places"]] * change, axis=-1)
        own = (1 - config.weight) * label_losses(state, outputs, batch)
        return own + state.losses[batch["places"]] + along

    def plan() -> list[Work]:
        whole = [with_rows(work) for work in label_epochs(train, label, seed)]
        between = row_chunks(train, label, np.arange(len(train)), "answer", FORWARD_COST)
        alone = renamed(whole, {"label": "first"})
        first = first_training(train, label, alone, epochs=config.epochs, between=between)
        second = two_passes(_with_places(whole), "vectors", "contrast")
        return [*first, *later(second, first[-1].step)]

    steps = {
        **label_steps(classifier, tx, mixed),
        "first": label_steps(classifier, tx)["label"],
        "answer": answer,
        RESTART: restart_step(tx, train),
        "vectors": vectors,
        "contrast": contrast,
    }
    return Method(init, steps, plan)


def contrastive_losses(
    vectors: jax.Array, labels: jax.Array, answers: jax.Array, temperature: float
) -> tuple[jax.Array, jax.Array]:
    """Return the contrastive loss of each of b examples, and which have positives and negatives.

    The others have the loss 0. Vectors are ``(b, d)``, all else is ``(b,)``.

    >>> vectors = jnp.array([[1.0, 0.0], [0.0, 1.0], [0.0, 2.0]])
    >>> labels, answers = jnp.array([0, 0, 1]), jnp.array([0, 1, 0])
    >>> losses, is_anchor = contrastive_losses(vectors, labels, answers, 1.0)
    >>> [round(float(loss), 3) for loss in losses], is_anchor.tolist()
    ([0.693, 0.0, 0.0], [True, False, False])
    """
    squares = jnp.sum(vectors**2, axis=1, keepdims=True)
    unit = vectors * inverse_norm(squares)  # dropout may leave 0 of a vector
    cosines = unit @ unit.T / temperature
    has_label, has_answer = (of[:, None] == of[None] for of in (labels, answers))
    positives, negatives = has_label & ~has_answer, ~has_label & has_answer
    is_anchor = jnp.any(positives, axis=1) & jnp.any(negatives, axis=1)
    others = jnp.where(positives | negatives, cosines, jnp.finfo(cosines.dtype).min)
    terms = jax.nn.logsumexp(others, axis=1, keepdims=True) - cosines
    count = jnp.maximum(jnp.sum(positives, axis=1), 1).astype(terms.dtype)
    losses = jnp.sum(jnp.where(positives, terms, 0), axis=1) / count
    return jnp.where(is_anchor, losses, 0), is_anchor


def _with_places(plan: Sequence[Work]) -> list[Work]:
    """Return a plan in which chunks of a batch say which of its places they fill."""
    result, done = [], 0
    for work in plan:
        if work.kind == "label" and work.examples is not None:
            places = np.arange(done, done + len(work.examples), dtype=np.int32)
            result.append(work._replace(arrays={**work.arrays, "places": places}))
            done += len(places)
        else:
            result.append(work)
            done = 0 if work.kind == "label_update" else done
    return result
