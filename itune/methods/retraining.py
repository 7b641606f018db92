"""Training twice: the first training marks rows of the training data, the second weighs them anew.

The second starts from the parameters that the first started from, with fresh moments. It has the
batches and the dropout of finetuning, so that the two differ by the weights of marked rows alone.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from itune.data.dataset import Dataset, chunks_by_length
from itune.errors import UserError
from itune.groups import groups_of
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
    init_phase,
)
from itune.methods.label_steps import (
    LABEL_SUMS,
    LabelConfig,
    Losses,
    label_epochs,
    label_losses,
    label_steps,
)
from itune.methods.plans import RESTART

Weigh = Callable[[State], jax.Array]
"""``weigh(state) -> (n,)``, a weight of at least 0 of each row of the training data."""


class RetrainingState(NamedTuple):
    """State of a method that trains twice, with the parameters that both trainings start from.

    ``marked`` says which of the n rows of the training data have a weight of their own, ``(n,)``;
    in the beginning none has.
    """

    params: Params
    label: Phase
    start: Params
    marked: jax.Array


def require_epochs(section: str, epochs: int, label: LabelConfig) -> None:
    """Refuse a first training that is longer than finetuning, by the section that it is set in."""
    if epochs > label.epochs:
        raise UserError(
            f"{section}.epochs is {epochs} but label.epochs is {label.epochs}; set "
            f"{section}.epochs to {label.epochs} or less"
        )


def init_retraining(
    tx: optax.GradientTransformation, params: Params, train: Dataset
) -> RetrainingState:
    """Return the state before the first training."""
    phase = init_phase(tx, params, *LABEL_SUMS)
    return RetrainingState(params, phase, params, jnp.zeros(len(train), bool))


def weights_of_marked(factor: float) -> Weigh:
    """Return a function for the weights ``factor`` of marked rows and 1 of all others."""

    def weigh(state: State) -> jax.Array:
        return jnp.where(state.marked, factor, 1.0)

    return weigh


def weighted_losses(weigh: Weigh) -> Losses:
    """Return losses that are those of finetuning times the row's weight over the mean weight.

    So the expected loss is the mean over data in which a row stands as often as its weight says.
    """

    def losses(state: State, outputs: Outputs, batch: Batch) -> jax.Array:
        weights = weigh(state).astype(outputs.logits.dtype)
        weights = weights / jnp.mean(weights)
        return weights[batch["rows"]] * label_losses(state, outputs, batch)

    return losses


def set_rows(values: jax.Array, batch: Batch, new: jax.Array) -> jax.Array:
    """Return the values of all rows, ``(n,)``, with new ones at the real rows of a batch."""
    rows = jnp.where(batch["is_real"], batch["rows"], len(values))
    return values.at[rows].set(new, mode="drop")


def retraining_steps(
    classifier: Classifier, tx: optax.GradientTransformation, train: Dataset, weigh: Weigh
) -> dict[str, Step]:
    """Return label steps in which rows have weights, and the step ``restart``.

    They take any state with the fields of :class:`RetrainingState`.
    """
    steps = label_steps(classifier, tx, weighted_losses(weigh))
    return {**steps, RESTART: restart_step(tx, train)}


def restart_step(tx: optax.GradientTransformation, train: Dataset) -> Step:
    """Return the step that goes back to the start, with fresh moments.

    It logs how many rows are marked, and how many of each visible group, which the method itself
    makes no use of.
    """
    groups = groups_of(train.label[train.visible], train.confound[train.visible])

    def restart(state: State, _: Batch) -> tuple[State, Info]:
        info = {"marked": jnp.sum(state.marked)}
        for group, rows in groups.items():
            info[f"marked {group}"] = jnp.sum(state.marked[train.visible[rows]])
        phase = init_phase(tx, state.start, *LABEL_SUMS)
        return state._replace(params=state.start, label=phase), info

    return restart


def retraining_plan(
    train: Dataset, label: LabelConfig, seed: int, *, epochs: int, between: Sequence[Work]
) -> list[Work]:
    """Return the first epochs of finetuning, what marks rows, a restart, and all of finetuning.

    Only the second training is evaluated, so that none but its models can be selected. The steps of
    ``between`` are set to the end of the first training, from which the second counts on.
    """
    whole = [with_rows(work) for work in label_epochs(train, label, seed)]
    first = first_training(train, label, whole, epochs=epochs, between=between)
    return [*first, *later(whole, first[-1].step)]


def first_training(
    train: Dataset,
    label: LabelConfig,
    whole: Sequence[Work],
    *,
    epochs: int,
    between: Sequence[Work],
) -> list[Work]:
    """Return the first epochs of finetuning, ``whole``, without evaluations, then a restart.

    Before the restart comes the work ``between``, set to the end of the epochs.
    """
    step = epochs * (len(train) // label.batch)
    first = [work for work in whole if work.step < step and work.kind not in EVALUATIONS]
    return [*first, *(work._replace(step=step) for work in (*between, Work(RESTART, step)))]


def later(plan: Sequence[Work], steps: int) -> list[Work]:
    """Return a plan that begins after so many label steps."""
    return [work._replace(step=steps + work.step) for work in plan]


def row_chunks(
    train: Dataset, label: LabelConfig, rows: np.ndarray, kind: str, cost: float
) -> list[Work]:
    """Return work of a kind on some rows of the training data, ``label.chunk`` at once.

    ``cost`` is that of one row.
    """
    return [
        with_rows(Work(kind, 0, {"is_real": is_real}, rows[chunk], cost=cost * len(chunk)))
        for chunk, is_real in chunks_by_length(train, rows, label.chunk)
    ]


def with_rows(work: Work) -> Work:
    """Return work whose step function gets the indices of its examples too, under ``rows``."""
    if work.examples is None:
        return work
    return work._replace(arrays={**work.arrays, "rows": work.examples.astype(np.int32)})
