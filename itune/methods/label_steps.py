"""Label steps: what finetuning consists of, and what every other method alternates with."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from itune.data.dataset import Dataset, chunks_by_length
from itune.data.sampling import label_batches
from itune.errors import UserError, require
from itune.influence import cross_entropy
from itune.methods.base import (
    EVALUATIONS,
    Batch,
    Classifier,
    Info,
    Outputs,
    Params,
    Phase,
    State,
    Step,
    Work,
    collect,
    update,
)
from itune.methods.mixed_precision import FULL, PRECISIONS
from itune.methods.rounds import RoundConfig, starts_round
from itune.optimizers import bert_adam, warmup_linear
from itune.utils.compiling import memoized
from itune.utils.suggestions import require_one_of


@dataclass(frozen=True)
class LabelConfig:
    """Steps on the label loss.

    Attributes:
      epochs: Passes over the training data.
      batch: Examples of one update.
      learning_rate: Peak learning rate, reached after the warmup; from there it falls to 0.
      warmup: Fraction of all updates over which the learning rate rises from 0.
      weight_decay: Decoupled weight decay; not on biases and layer normalisation.
      clip: Largest norm of the gradient of one tensor.
      average: Share of the label steps, the last ones, over which the weights are averaged; 0 takes
        the last weights as they are. Evaluations are of the mean, but before and after a round of
        the weights that the round moves.
      precision: Precision in which a step with dropout computes: ``full``, that of the weights; or
        ``bfloat16``, as is usual on accelerators. Weights, optimizer, evaluations and influences
        are in full precision in any case.
      chunk: Examples computed at once, of similar lengths. Changes memory, padding and which
        dropout masks are drawn, nothing else.
    """

    epochs: int = 10
    batch: int = 64
    learning_rate: float = 2e-5
    warmup: float = 0.1
    weight_decay: float = 0.01
    clip: float = 1.0
    average: float = 0.0
    precision: str = FULL
    chunk: int = 8

    def __post_init__(self) -> None:
        require(self, "a positive integer", lambda v: v >= 1, "epochs", "batch", "chunk")
        require(self, "a non-negative number", lambda v: v >= 0, "learning_rate", "weight_decay")
        require(self, "a number from 0 to 1", lambda v: 0 <= v <= 1, "warmup", "average")
        require(self, "a positive number", lambda v: v > 0, "clip")
        require_one_of(self, precision=PRECISIONS)


def label_optimizer(config: LabelConfig, train_size: int) -> optax.GradientTransformation:
    """Return BertAdam for all ``(train_size // batch) * epochs`` updates; there must be one."""
    if config.batch > train_size:
        raise UserError(
            f"label.batch is {config.batch} but there are only {train_size} training examples, so "
            f"there would be no update; set it to {train_size} or less"
        )
    total = (train_size // config.batch) * config.epochs
    rate = warmup_linear(config.learning_rate, total, config.warmup)
    tx = bert_adam(rate, weight_decay=config.weight_decay, clip=config.clip)
    return tx._replace(update=_optimizer_update(config.weight_decay, config.clip))


@memoized
def _optimizer_update(weight_decay: float, clip: float) -> Any:
    """Return the update of :func:`label_optimizer`, one for all rates: they stand in its state."""
    return bert_adam(warmup_linear(1.0, 1), weight_decay=weight_decay, clip=clip).update


LABEL_SUMS = ("loss", "accuracy")
"""Means that a label update logs."""

FORWARD_COST = 1 / 3
"""Cost of a forward pass, in gradients."""

Losses = Callable[[State, Outputs, Batch], jax.Array]
"""``losses(state, outputs, batch) -> (n,)`` of its n examples; the state counts as constant."""

Draw = Callable[[Dataset, LabelConfig, np.random.Generator], list[list[np.ndarray]]]
"""``draw(train, config, rng)``: the batches of each epoch, as indices into the training data."""


def label_losses(_: State, outputs: Outputs, batch: Batch) -> jax.Array:
    """Return the cross entropy of each example in nats, ``(n,)``."""
    return cross_entropy(outputs.logits, batch["examples"]["label"])


def right_answers(outputs: Outputs, batch: Batch) -> jax.Array:
    """Return which examples have their label for an answer, bool ``(n,)``."""
    label = batch["examples"]["label"]
    return jnp.argmax(outputs.logits, axis=-1).astype(label.dtype) == label


def label_sums(
    state: State, outputs: Outputs, batch: Batch, losses_fn: Losses = label_losses
) -> tuple[jax.Array, jax.Array]:
    """Return the sum of the losses and the number of right answers, over the real examples."""
    is_right = right_answers(outputs, batch)
    losses = jnp.where(batch["is_real"], losses_fn(state, outputs, batch), 0)
    return jnp.sum(losses), jnp.sum(is_right & batch["is_real"])


def collect_label(
    phase: Phase,
    sums_fn: Callable[[Params], tuple[jax.Array, jax.Array]],
    params: Params,
    batch: Batch,
) -> Phase:
    """Add a chunk's gradient and the sums that ``sums_fn(params)`` returns (:func:`label_sums`)."""
    (loss, right), gradient = jax.value_and_grad(sums_fn, has_aux=True)(params)
    return collect(phase, gradient, jnp.sum(batch["is_real"]), loss=loss, accuracy=right)


def label_steps(
    classifier: Classifier, tx: optax.GradientTransformation, losses_fn: Losses = label_losses
) -> dict[str, Step]:
    """Return the step functions ``label``, ``label_without_dropout`` and ``label_update``.

    They take any state with fields ``params`` and ``label``, a :class:`~itune.methods.base.Phase`.
    The mean of ``losses_fn`` over the examples of an update is minimised.
    """
    # Other losses hold what is a run's own; if kept, they would drive out those that runs share.
    is_plain = losses_fn is label_losses
    of = _plain_gradient_steps(classifier) if is_plain else _gradient_steps(classifier, losses_fn)
    return {**of, "label_update": _label_update(tx.update)}


@memoized
def _label_update(of_optimizer: Any) -> Step:
    """Return the step function ``label_update``, traced once for all that have one optimizer."""
    tx = optax.GradientTransformation(optax.init_empty_state, of_optimizer)

    def label_update(state: State, _: Batch) -> tuple[State, Info]:
        phase, params, info = update(tx, state.label, state.params)
        return state._replace(params=params, label=phase), info

    return label_update


def _gradient_steps(classifier: Classifier, losses_fn: Losses) -> dict[str, Step]:
    """Return the step functions ``label`` and ``label_without_dropout``, of no optimizer."""

    def gradient(state: State, batch: Batch, key: jax.Array | None) -> tuple[State, Info]:
        def sums(params: Params) -> tuple[jax.Array, jax.Array]:
            outputs = classifier.outputs(params, batch["examples"], key)
            return label_sums(state, outputs, batch, losses_fn)

        return state._replace(label=collect_label(state.label, sums, state.params, batch)), {}

    def label(state: State, batch: Batch) -> tuple[State, Info]:
        return gradient(state, batch, jax.random.key(batch["dropout"]))

    def label_without_dropout(state: State, batch: Batch) -> tuple[State, Info]:
        return gradient(state, batch, None)

    return {"label": label, "label_without_dropout": label_without_dropout}


@memoized
def _plain_gradient_steps(classifier: Classifier) -> dict[str, Step]:
    """Return :func:`_gradient_steps` of the label loss, traced once for all settings and data."""
    return _gradient_steps(classifier, label_losses)


def label_plan(
    train: Dataset, config: LabelConfig, rng: np.random.Generator
) -> list[list[np.ndarray]]:
    """Draw the batches of each epoch: permutations of the training data, cut into batches."""
    return label_batches(rng, len(train), config.batch, config.epochs)


def label_work(
    train: Dataset,
    config: LabelConfig,
    batch: np.ndarray,
    step: int,
    rng: np.random.Generator,
    *,
    has_dropout: bool = True,
    reads_confound: bool = False,
) -> list[Work]:
    """Return the work of one label step: its chunks, with seeds of dropout; then the update."""
    kind = "label" if has_dropout else "label_without_dropout"
    work = [
        Work(
            kind,
            step,
            {"is_real": is_real, "dropout": np.uint32(rng.integers(2**32))},
            batch[chunk],
            cost=len(chunk),
            reads_confound=reads_confound,
        )
        for chunk, is_real in chunks_by_length(train, batch, config.chunk)
    ]
    return [*work, Work("label_update", step)]


def label_epochs(
    train: Dataset,
    label: LabelConfig,
    seed: int,
    *,
    draw: Draw = label_plan,
    reads_confound: bool = False,
    rounds: RoundConfig | None = None,
    drops_dropout: bool = False,
    resets: bool = False,
) -> list[Work]:
    """Return label steps with both evaluations after every epoch: the plan of finetuning.

    With the ``rounds`` that influence tuning would have, ``drops_dropout`` turns dropout off from
    the first of them on, and ``resets`` puts work of kind ``reset`` in the place of each.
    """
    order, dropout = np.random.default_rng([seed, 0]), np.random.default_rng([seed, 1])
    epochs = draw(train, label, order)
    total = sum(map(len, epochs))
    work, step, has_dropout = [], 0, True
    for epoch, batches in enumerate(epochs, 1):
        for batch in batches:
            if rounds is not None and starts_round(step, total, rounds):
                work += [Work("reset", step)] if resets else []
                has_dropout = has_dropout and not drops_dropout
            work += label_work(
                train,
                label,
                batch,
                step,
                dropout,
                has_dropout=has_dropout,
                reads_confound=reads_confound,
            )
            step += 1
        work += [Work(kind, step, note=f"epoch {epoch}") for kind in EVALUATIONS]
    return work


def two_passes(plan: Sequence[Work], kind: str, between: str) -> list[Work]:
    """Return a plan in which each label step is preceded by work on its chunks, without gradients.

    Its kind is ``kind``; work of the kind ``between`` follows it, then the chunks as they were.
    """
    result, chunks = [], []
    for work in plan:
        if work.kind == "label":
            chunks.append(work)
            continue
        if work.kind == "label_update":
            result += [
                *(w._replace(kind=kind, cost=FORWARD_COST * w.cost) for w in chunks),
                Work(between, work.step),
                *chunks,
            ]
            chunks = []
        result.append(work)
    return result
