"""What a method is: a record of pure functions, and the plan of the work they do.

A run is decided before it starts. ``plan`` draws every batch, probe and partner on the host from
the seed and returns a list of :class:`Work`; the loop feeds each to the pure step function of its
kind. Resuming is going on in the list; progress is how much of it is done.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

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
    """

    kind: str
    step: int
    arrays: Mapping[str, np.ndarray] = {}
    examples: np.ndarray | None = None
    note: str = ""
    cost: float = 0.0


MEASURES = ("cid", "accuracy")
"""Kinds of work that look at the model and leave it alone: confound influence, and accuracies."""


class Method(NamedTuple):
    """A way of training a classifier.

    Attributes:
      init: ``init(params) -> state``; a state is a NamedTuple pytree with a field ``params``.
      steps: for each kind of work ``step(state, batch) -> (state, info)``, pure, to be jitted with
        the state donated. ``info`` holds scalars to log; empty for work that is part of an update.
      plan: ``plan(train) -> list[Work]``, a pure function of the data and the method's seed.
    """

    init: Callable[[Any], State]
    steps: Mapping[str, Callable[[State, dict[str, Any]], tuple[State, Info]]]
    plan: Callable[[Dataset], list[Work]]


class Classifier(NamedTuple):
    """What a method trains, as losses of its parameters, given by whoever owns the model.

    Attributes:
      loss: one example's label loss without dropout, for influences.
      batch_losses: ``(params, examples, dropout_key or None) -> (n,)``, label losses of a batch.
    """

    loss: LinenLoss
    batch_losses: Callable[[Any, dict[str, jax.Array], jax.Array | None], jax.Array]


class Phase(NamedTuple):
    """An optimizer with the gradient it is collecting.

    Attributes:
      optimizer: optax state.
      gradient: sum of gradients since the last update, shaped like the parameters.
      value: sum of the objective over the same.
      count: how many examples (or tuples) the sums hold.
    """

    optimizer: optax.OptState
    gradient: Any
    value: jax.Array
    count: jax.Array


def init_phase(tx: optax.GradientTransformation, params: Any) -> Phase:
    """A phase that has collected nothing."""
    dtype = jnp.result_type(*jax.tree.leaves(params))
    zeros = jax.tree.map(jnp.zeros_like, params)
    return Phase(tx.init(params), zeros, jnp.zeros((), dtype), jnp.zeros((), dtype))


def collect(phase: Phase, value: jax.Array, count: jax.Array, gradient: Any) -> Phase:
    """Adds a sum of ``count`` objectives and its gradient."""
    return phase._replace(
        gradient=jax.tree.map(jnp.add, phase.gradient, gradient),
        value=phase.value + value,
        count=phase.count + count.astype(phase.count.dtype),
    )


def update(
    tx: optax.GradientTransformation, phase: Phase, params: Any
) -> tuple[Phase, Any, jax.Array, jax.Array]:
    """One optimizer update with the mean of what was collected, which is then forgotten.

    Returns:
      The phase, the parameters, the mean objective, and the mean gradient's norm before clipping.
    """
    gradient = jax.tree.map(lambda g: g / phase.count, phase.gradient)
    updates, optimizer = tx.update(gradient, phase.optimizer, params)
    params = optax.apply_updates(params, updates)
    norm = optax.tree.norm(gradient)
    mean = phase.value / phase.count
    zeros = jax.tree.map(jnp.zeros_like, (phase.gradient, phase.value, phase.count))
    return Phase(optimizer, *zeros), params, mean, norm
