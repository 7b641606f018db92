"""What a method is: a record of pure functions, and the plan of the work they do.

``plan`` draws every batch, probe and partner on the host from the seed, so that a run is decided
before it starts; the training loop hands each piece to the pure step function of its kind.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol

import jax
import jax.numpy as jnp
import numpy as np
import optax

from itune.influence import LinenLoss
from itune.influence.types import Params

State = Any
"""A NamedTuple pytree with a field ``params``: all that a method changes while it trains."""

Batch = dict[str, Any]
"""What a step function gets: the arrays of a :class:`Work`, and its examples under ``examples``."""

Info = dict[str, jax.Array]
"""Scalars to log, by name."""

Step = Callable[[State, Batch], tuple[State, Info]]
"""``step(state, batch) -> (state, info)``, a pure function."""

CID, ACCURACY = "cid", "accuracy"
EVALUATIONS = (CID, ACCURACY)
"""Kinds of work that evaluate the model and change nothing: confound influence, and accuracies."""


class Work(NamedTuple):
    """One piece of a run.

    Attributes:
      kind: Name of the step function that does it, or one of :data:`EVALUATIONS`.
      step: Number of label steps finished before it.
      arrays: NumPy arrays and scalars for the step function, by name.
      examples: Indices into the training data, an integer array of any shape; the step function
        gets the padded arrays of these examples under ``"examples"``. None for no examples.
      note: When an evaluation takes place, in words, such as ``epoch 3``; empty for other work.
      cost: Expected work, in gradients of the label loss of one example.
      reads_confound: Whether the step function makes use of the confounds of its examples.
      axis: Axis of ``examples`` that devices share out among them. It can be filled up if there is
        an array ``is_real``, as there can be for any array that begins with the axes up to this.
    """

    kind: str
    step: int
    arrays: Mapping[str, np.ndarray | np.generic] = {}
    examples: np.ndarray | None = None
    note: str = ""
    cost: float = 0.0
    reads_confound: bool = False
    axis: int = 0


class Method(NamedTuple):
    """A way of training a classifier.

    Attributes:
      init: ``init(params) -> state``, a pure function.
      steps: For each kind of work a pure function ``step(state, batch) -> (state, info)``, to be
        jitted with the state donated. ``info`` is empty for work that is only part of an update.
        The functions may depend on the settings and on the training data, but not on the seed,
        which enters by the batch, so that runs with other seeds need not trace them again.
      plan: ``plan() -> list[Work]``, a pure function that draws everything random from the method's
        seed.
    """

    init: Callable[[Params], State]
    steps: Mapping[str, Step]
    plan: Callable[[], list[Work]]


class Outputs(Protocol):
    """What a classifier computes of n examples: ``(n, classes)`` scores; vectors ``(n, d)``."""

    @property
    def logits(self) -> jax.Array: ...  # noqa: D102 (described above)

    @property
    def pooled(self) -> jax.Array: ...  # noqa: D102


class Classifier(NamedTuple):
    """A model as methods see it: functions of its parameters.

    Attributes:
      loss: Label loss of one example, in nats, for influences; with dropout where the example has
        a seed of it, a scalar uint32 ``dropout``.
      outputs: ``outputs(params, examples, dropout_key) -> Outputs`` of a batch; without dropout if
        the key is None.
      head: Name of the subtree of the parameters that lies behind the pooled vector.
      width: Size d of the pooled vector.
    """

    loss: LinenLoss
    outputs: Callable[[Params, dict[str, Any], jax.Array | None], Outputs]
    head: str = "classifier"
    width: int = 0


class Phase(NamedTuple):
    """An optimizer's state, and what is collected for its next update.

    That is the sum of gradients, the sums of what is logged as a mean, by name, and the number of
    examples (or tuples) in them.
    """

    optimizer: optax.OptState
    gradient: Params
    sums: dict[str, jax.Array]
    count: jax.Array


def init_phase(tx: optax.GradientTransformation, params: Params, *names: str) -> Phase:
    """Return a phase that has collected nothing yet and logs the means of these names."""
    dtype = jnp.result_type(*jax.tree.leaves(params))
    zeros = jax.tree.map(jnp.zeros_like, params)
    sums = {name: jnp.zeros((), dtype) for name in names}
    return Phase(tx.init(params), zeros, sums, jnp.zeros((), dtype))


def collect(phase: Phase, gradient: Params, count: jax.Array, **sums: jax.Array) -> Phase:
    """Add to a phase the sums over some examples: of gradients, and of each name that it logs."""
    dtype = phase.count.dtype
    return phase._replace(
        gradient=jax.tree.map(jnp.add, phase.gradient, gradient),
        sums={name: phase.sums[name] + value.astype(dtype) for name, value in sums.items()},
        count=phase.count + count.astype(dtype),
    )


def update(
    tx: optax.GradientTransformation,
    phase: Phase,
    params: Params,
    scale: jax.Array | None = None,
) -> tuple[Phase, Params, Info]:
    """Make one optimizer update by the mean of what a phase has collected.

    ``scale`` is a factor of the step. Also returns what to log: the means, and the norms of the
    mean gradient, before clipping, and of the step.
    """
    gradient = jax.tree.map(lambda g: g / phase.count, phase.gradient)
    updates, optimizer = tx.update(gradient, phase.optimizer, params)
    if scale is not None:
        updates = jax.tree.map(lambda u: u * scale.astype(u.dtype), updates)
    params = optax.apply_updates(params, updates)
    info = {name: value / phase.count for name, value in phase.sums.items()}
    info["gradient_norm"] = optax.tree.norm(gradient)
    info["step_norm"] = optax.tree.norm(updates)
    zeros = jax.tree.map(jnp.zeros_like, (phase.gradient, phase.sums, phase.count))
    return Phase(optimizer, *zeros), params, info
