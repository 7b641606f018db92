"""What a method is: a record of pure functions, and the plan of the work they do.

A run is decided before it starts. ``plan`` draws every batch, probe and partner on the host from
the seed and returns a list of :class:`Work`; the loop feeds each to the pure step function of its
kind. Resuming is going on in the list; progress is how much of it is done.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import jax
import jax.numpy as jnp
import numpy as np
import optax

from itune.data.dataset import Dataset
from itune.influence import LinenLoss

State = Any
Info = dict[str, jax.Array]


class Work(NamedTuple):
    """One piece of a run.

    Attributes:
      kind: the step function that does it, or one of the measures (``MEASURES``).
      step: label steps finished before it.
      arrays: NumPy arrays for the step function, by name.
      examples: indices into the training data, of any shape; the step function gets the padded
        arrays of these examples under ``"examples"``.
      note: what a person calls this moment, for measures.
      cost: expected work, in ordinary gradients of one example.
      reads_confound: whether it makes use of the confounds of its examples.
    """

    kind: str
    step: int
    arrays: Mapping[str, np.ndarray] = {}
    examples: np.ndarray | None = None
    note: str = ""
    cost: float = 0.0
    reads_confound: bool = False


MEASURES = ("cid", "accuracy")
"""Kinds of work that look at the model and leave it alone: confound influence, and accuracies."""


class Method(NamedTuple):
    """A way of training a classifier.

    Attributes:
      init: ``init(params) -> state``; a state is a NamedTuple pytree with a field ``params``.
      steps: for each kind of work ``step(state, batch) -> (state, info)``, pure, to be jitted with
        the state donated. ``info`` holds scalars to log; empty for work that is part of an update.
        They depend on the settings and on ``train``, not on the seed: it enters by the batch.
      plan: ``plan() -> list[Work]``, a pure function of the data and the method's seed. It
        sees the confounds of ``train.visible`` only.
    """

    init: Callable[[Any], State]
    steps: Mapping[str, Callable[[State, dict[str, Any]], tuple[State, Info]]]
    plan: Callable[[], list[Work]]


class Outputs(Protocol):
    """What a classifier computes of n examples: ``logits`` ``(n, classes)``, ``pooled`` ``(n, d)``.

    ``pooled`` is the vector in front of the linear head.
    """

    logits: jax.Array
    pooled: jax.Array


class Classifier(NamedTuple):
    """What a method trains, as functions of its parameters, given by whoever owns the model.

    Attributes:
      loss: one example's label loss without dropout, for influences.
      outputs: ``(params, examples, dropout_key or None) -> Outputs`` of a batch.
      head: name of the subtree of the parameters that lies behind the pooled vector.
      width: d, size of the pooled vector.
    """

    loss: LinenLoss
    outputs: Callable[[Any, dict[str, jax.Array], jax.Array | None], Outputs]
    head: str = "classifier"
    width: int = 0


class Phase(NamedTuple):
    """An optimizer with the gradient it is collecting.

    Attributes:
      optimizer: optax state.
      gradient: sum of gradients since the last update, shaped like the parameters.
      sums: by name, sums of what is logged as a mean over the same.
      count: how many examples (or tuples) the sums hold.
    """

    optimizer: optax.OptState
    gradient: Any
    sums: dict[str, jax.Array]
    count: jax.Array


def init_phase(tx: optax.GradientTransformation, params: Any, *names: str) -> Phase:
    """A phase that has collected nothing, and will log means of the names."""
    dtype = jnp.result_type(*jax.tree.leaves(params))
    zeros = jax.tree.map(jnp.zeros_like, params)
    sums = {name: jnp.zeros((), dtype) for name in names}
    return Phase(tx.init(params), zeros, sums, jnp.zeros((), dtype))


def collect(phase: Phase, gradient: Any, count: jax.Array, **sums: jax.Array) -> Phase:
    """Adds a gradient and other sums over ``count`` examples."""
    dtype = phase.count.dtype
    return phase._replace(
        gradient=jax.tree.map(jnp.add, phase.gradient, gradient),
        sums={name: phase.sums[name] + value.astype(dtype) for name, value in sums.items()},
        count=phase.count + count.astype(dtype),
    )


def update(tx: optax.GradientTransformation, phase: Phase, params: Any) -> tuple[Phase, Any, Info]:
    """One optimizer update with the mean of what was collected, which is then forgotten.

    Returns:
      The phase, the parameters, and what to log: means, and the mean gradient's norm before
      clipping.
    """
    gradient = jax.tree.map(lambda g: g / phase.count, phase.gradient)
    updates, optimizer = tx.update(gradient, phase.optimizer, params)
    params = optax.apply_updates(params, updates)
    info = {name: value / phase.count for name, value in phase.sums.items()}
    info["gradient_norm"] = optax.tree.norm(gradient)
    zeros = jax.tree.map(jnp.zeros_like, (phase.gradient, phase.sums, phase.count))
    return Phase(optimizer, *zeros), params, info


def last_only(plan: list[Work], kind: str) -> list[Work]:
    """The plan with its last measure of a kind for the only one."""
    last = max((place for place, work in enumerate(plan) if work.kind == kind), default=None)
    return [work for place, work in enumerate(plan) if work.kind != kind or place == last]


START = "start"
"""Note of what is measured before the first step."""


def measured_at_start(plan: list[Work]) -> list[Work]:
    """The plan with every measure taken before its first step, too."""
    return [*(Work(kind, 0, note=START) for kind in MEASURES), *plan]


def measured_after_rounds(plan: list[Work]) -> list[Work]:
    """The plan with accuracies measured after every round, too."""
    work = []
    for piece in plan:
        work.append(piece)
        if piece.kind == "cid" and piece.note.startswith("after round"):
            work.append(piece._replace(kind="accuracy"))
    return work


def confounds_read(plan: Sequence[Work], train: Dataset) -> int:
    """How many different training examples' confounds a plan makes use of."""
    read = [np.ravel(work.examples) for work in plan if work.reads_confound]
    return len(np.intersect1d(np.concatenate(read), train.visible)) if read else 0
