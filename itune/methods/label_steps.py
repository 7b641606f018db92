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
from itune.methods.base import Classifier, Outputs, Phase, Work, collect, update
from itune.methods.rounds import starts_round
from itune.optimizers import bert_adam, warmup_linear


@dataclass(frozen=True)
class LabelConfig:
    """The label phase.

    Attributes:
      epochs: passes over the training data.
      batch: examples of one update.
      learning_rate: peak rate, reached after ``warmup`` of the updates; then falls to 0.
      warmup: fraction of the updates.
      weight_decay: decoupled, not on biases and layer normalisation.
      clip: largest gradient norm of one tensor.
      chunk: examples computed at once; like lengths go together. Changes memory, padding and which
        dropout masks are drawn, nothing else.
    """

    epochs: int = 10
    batch: int = 64
    learning_rate: float = 2e-5
    warmup: float = 0.1
    weight_decay: float = 0.01
    clip: float = 1.0
    chunk: int = 16

    def __post_init__(self):
        require(self, "a positive integer", lambda v: v >= 1, "epochs", "batch", "chunk")
        require(self, "a non-negative number", lambda v: v >= 0, "learning_rate", "weight_decay")
        require(self, "a number from 0 to 1", lambda v: 0 <= v <= 1, "warmup")
        require(self, "a positive number", lambda v: v > 0, "clip")


def label_optimizer(config: LabelConfig, train_size: int) -> optax.GradientTransformation:
    """BertAdam over ``(N // batch) * epochs`` updates.

    Raises:
      UserError: a batch is larger than the training data.
    """
    if config.batch > train_size:
        raise UserError(
            f"label.batch is {config.batch} but there are only {train_size} training examples, so "
            f"there would be no update; set it to {train_size} or less"
        )
    total = (train_size // config.batch) * config.epochs
    return bert_adam(
        warmup_linear(config.learning_rate, total, config.warmup),
        weight_decay=config.weight_decay,
        clip=config.clip,
    )


LABEL_SUMS = ("loss", "accuracy")

FORWARD_COST = 1 / 3
"""Of a forward pass, in gradients, for progress."""

Losses = Callable[[Any, Outputs, dict[str, jax.Array]], jax.Array]
"""``(state, outputs, examples) -> (n,)``, the losses of n examples; the state is a constant."""

Draw = Callable[[Dataset, LabelConfig, np.random.Generator], list[list[np.ndarray]]]
"""``(train, config, rng)`` to the batches of each epoch, as indices into the training data."""


def label_losses(state: Any, outputs: Outputs, examples: dict[str, jax.Array]) -> jax.Array:
    """Cross entropy of each example in nats, whatever the state."""
    del state
    return cross_entropy(outputs.logits, examples["label"])


def label_sums(
    state: Any, outputs: Outputs, batch: dict[str, Any], losses_fn: Losses = label_losses
) -> tuple[jax.Array, jax.Array]:
    """Losses and right answers, each summed over the examples that are real."""
    label = batch["examples"]["label"]
    is_right = jnp.argmax(outputs.logits, axis=-1).astype(label.dtype) == label
    losses = jnp.where(batch["is_real"], losses_fn(state, outputs, batch["examples"]), 0)
    return jnp.sum(losses), jnp.sum(is_right & batch["is_real"])


def collect_label(
    phase: Phase,
    total: Callable[[Any], tuple[jax.Array, jax.Array]],
    trained: Any,
    batch: dict[str, Any],
) -> Phase:
    """Adds the gradient of a chunk in what is trained, and what :func:`label_sums` says of it."""
    (loss, right), gradient = jax.value_and_grad(total, has_aux=True)(trained)
    return collect(phase, gradient, jnp.sum(batch["is_real"]), loss=loss, accuracy=right)


def label_steps(
    classifier: Classifier, tx: optax.GradientTransformation, losses_fn: Losses = label_losses
) -> dict[str, Any]:
    """Step functions ``label``, ``label_without_dropout`` and ``label_update``.

    They take any state with fields ``params`` and ``label``, a
    :class:`~itune.methods.base.Phase`. The first two add the gradient of a chunk (``is_real``
    marks examples that count, ``dropout`` is a seed), the third makes the update.

    Args:
      classifier: the model.
      tx: the optimizer.
      losses_fn: whose mean over the examples of an update is minimised.
    """

    def gradient(state, batch, key):
        def total(params):
            outputs = classifier.outputs(params, batch["examples"], key)
            return label_sums(state, outputs, batch, losses_fn)

        return state._replace(label=collect_label(state.label, total, state.params, batch)), {}

    def label(state, batch):
        return gradient(state, batch, jax.random.key(batch["dropout"]))

    def label_without_dropout(state, batch):
        return gradient(state, batch, None)

    def label_update(state, batch):
        del batch
        phase, params, info = update(tx, state.label, state.params)
        return state._replace(params=params, label=phase), info

    return {
        "label": label,
        "label_without_dropout": label_without_dropout,
        "label_update": label_update,
    }


def label_plan(
    train: Dataset, config: LabelConfig, rng: np.random.Generator
) -> list[list[np.ndarray]]:
    """The batches of each epoch."""
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
    """The work of one label step: its chunks, then the update."""
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


def labels_met(plan: Sequence[Work], train: Dataset) -> np.ndarray:
    """Labels as often as the label steps of a plan meet them, which a method may have balanced."""
    kinds = ("label", "label_without_dropout")
    met = [work.examples[work.arrays["is_real"]] for work in plan if work.kind in kinds]
    return train.label[np.concatenate(met)]


def label_epochs(
    train: Dataset,
    label: LabelConfig,
    seed: int,
    *,
    draw: Draw = label_plan,
    reads_confound: bool = False,
    interval: int | None = None,
    drops_dropout: bool = False,
    resets: bool = False,
) -> list[Work]:
    """Label steps with both measures after every epoch; the plan of finetuning.

    Args:
      train: the training data.
      label: the label phase.
      seed: of batches and dropout.
      draw: draws the batches.
      reads_confound: the confounds of their examples are made use of.
      interval: label steps between rounds, were there any.
      drops_dropout: has no dropout from the first of these moments on.
      resets: has work of kind ``reset`` at each of them.
    """
    order, dropout = np.random.default_rng([seed, 0]), np.random.default_rng([seed, 1])
    epochs = draw(train, label, order)
    total = sum(map(len, epochs))
    work, step, has_dropout = [], 0, True
    for epoch, batches in enumerate(epochs, 1):
        for batch in batches:
            if interval is not None and starts_round(step, total, interval):
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
        work += [Work(kind, step, note=f"epoch {epoch}") for kind in ("cid", "accuracy")]
    return work
