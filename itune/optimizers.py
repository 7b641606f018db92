"""BertAdam as an optax transformation, and clipping of each tensor by itself."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

__all__ = [
    "BertAdamState",
    "WarmupLinear",
    "bert_adam",
    "clip_each_tensor",
    "has_decay",
    "reset_moments",
    "scale_by_bert_adam",
    "warmup_linear",
]


class BertAdamState(NamedTuple):
    """State of :func:`scale_by_bert_adam`.

    Attributes:
      mu: First moments, a tree like the parameters.
      nu: Second moments, a tree like the parameters.
    """

    mu: optax.Params
    nu: optax.Params


def scale_by_bert_adam(
    b1: float = 0.9, b2: float = 0.999, eps: float = 1e-6
) -> optax.GradientTransformation:
    """Make the transformation by Adam as BERT was trained with it.

    ``mu <- b1 mu + (1 - b1) g``, ``nu <- b2 nu + (1 - b2) g**2``, update ``mu / (sqrt(nu) + eps)``.

    This differs from :func:`optax.scale_by_adam` in having **no bias correction**: from moments of
    zero the first update is ``(1 - b1) / sqrt(1 - b2)`` = 3.2 times ``sign(g)``, not once.

    Args:
      b1: Decay of the first moments, from 0 to below 1.
      b2: Decay of the second moments, from 0 to below 1.
      eps: Positive number that keeps the denominator from 0.

    Returns:
      An optax transformation whose state is a :class:`BertAdamState`.

    >>> tx = scale_by_bert_adam()
    >>> update, _ = tx.update(jnp.array([10.0, -0.1]), tx.init(jnp.zeros(2)))
    >>> [f"{value:.2f}" for value in update]
    ['3.16', '-3.16']
    """

    def init(params: optax.Params) -> BertAdamState:
        return BertAdamState(
            jax.tree.map(jnp.zeros_like, params), jax.tree.map(jnp.zeros_like, params)
        )

    def update(
        updates: optax.Updates, state: Any, params: optax.Params | None = None
    ) -> tuple[optax.Updates, BertAdamState]:
        del params
        mu = optax.tree.update_moment(updates, state.mu, b1, 1)
        nu = optax.tree.update_moment_per_elem_norm(updates, state.nu, b2, 2)
        scaled = jax.tree.map(lambda m, v: m / (jnp.sqrt(v) + eps), mu, nu)
        return scaled, BertAdamState(mu, nu)

    return optax.GradientTransformation(init, update)


def clip_each_tensor(max_norm: float) -> optax.GradientTransformation:
    """Make the transformation that scales each tensor's gradient down to a norm.

    Args:
      max_norm: Largest Euclidean norm of a tensor's gradient; smaller ones stay as they are.

    Returns:
      An optax transformation without state.
    """

    def clip(gradient: jax.Array) -> jax.Array:
        norm = jnp.sqrt(jnp.sum(gradient * gradient))
        return gradient * jnp.minimum(max_norm / (norm + 1e-6), 1)

    return optax.stateless(lambda updates, _: jax.tree.map(clip, updates))


def has_decay(path: tuple[str, ...]) -> bool:
    """Return whether weight decay applies to a tensor: not to biases, nor to normalisations.

    Args:
      path: Path of the tensor in the parameters.

    >>> has_decay(("layer_0", "query", "kernel")), has_decay(("layer_0", "norm", "scale"))
    (True, False)
    """
    return path[-1] not in ("bias", "scale")


def bert_adam(
    learning_rate: float | optax.Schedule,
    *,
    weight_decay: float = 0.01,
    decays: Callable[[tuple[str, ...]], bool] = has_decay,
    clip: float | None = 1.0,
) -> optax.GradientTransformation:
    """Make the optimizer of the code released with the paper.

    It clips each tensor, scales by :func:`scale_by_bert_adam`, adds decoupled weight decay, and
    multiplies by the learning rate.

    Args:
      learning_rate: Learning rate, or a schedule of it by the count of updates. The numbers of a
        :class:`WarmupLinear` stand in the state, not in the program, so that one compiled update
        serves any rate and any number of updates.
      weight_decay: Decay for each unit of the learning rate.
      decays: Returns whether a tensor decays, by its path.
      clip: Largest Euclidean norm of a tensor's gradient; None does not clip.

    Returns:
      An optax transformation.

    Source: BertAdam of pytorch-pretrained-bert, as Han & Tsvetkov (2021) use it.
    """
    is_linear = isinstance(learning_rate, WarmupLinear)
    return optax.chain(
        optax.identity() if clip is None else clip_each_tensor(clip),
        scale_by_bert_adam(),
        optax.add_decayed_weights(
            weight_decay, lambda params: _map_with_path(lambda path, _: decays(path), params)
        ),
        _scale_by(learning_rate) if is_linear else optax.scale_by_learning_rate(learning_rate),
    )


class WarmupLinear(NamedTuple):
    """A learning rate that rises from 0 to a peak, then falls to 0, both linearly.

    Called with the count of updates, an integer or an array of them, it returns the rate.

    Attributes:
      peak: Learning rate at the end of the rise.
      total: Number of updates after which the rate is 0.
      turn: Number of updates that the rise takes; need not be whole.
    """

    peak: float | jax.Array
    total: float | jax.Array
    turn: float | jax.Array

    def __call__(self, count: jax.typing.ArrayLike) -> jax.Array:
        """Return the learning rate of the update that follows ``count`` others."""
        count = jnp.asarray(count, float)
        rising = count / jnp.maximum(self.turn, 1e-9)
        falling = (self.total - count) / jnp.maximum(self.total - self.turn, 1e-9)
        return jnp.asarray(self.peak * jnp.clip(jnp.minimum(rising, falling), 0, 1))


def warmup_linear(peak: float, total: int, warmup: float = 0.1) -> WarmupLinear:
    """Make a schedule that rises from 0 to a peak, then falls to 0, both linearly.

    Args:
      peak: Learning rate at the end of the rise.
      total: Number of updates after which the rate is 0.
      warmup: Share of ``total`` that the rise takes, from 0 to 1.

    Returns:
      A schedule of the learning rate by the count of updates.

    >>> schedule = warmup_linear(1.0, total=10, warmup=0.2)
    >>> [float(schedule(count)) for count in (0, 1, 2, 6, 10, 11)]
    [0.0, 0.5, 1.0, 0.5, 0.0, 0.0]
    """
    return WarmupLinear(peak, total, warmup * total)


class _ScheduleState(NamedTuple):
    count: jax.Array
    schedule: WarmupLinear


def _scale_by(schedule: WarmupLinear) -> optax.GradientTransformation:
    def init(params: optax.Params) -> _ScheduleState:
        del params
        numbers = (jnp.asarray(number, float) for number in schedule)
        return _ScheduleState(jnp.zeros((), jnp.int32), WarmupLinear(*numbers))

    def update(
        updates: optax.Updates, state: Any, params: optax.Params | None = None
    ) -> tuple[optax.Updates, _ScheduleState]:
        del params
        rate = -state.schedule(state.count)
        scaled = jax.tree.map(lambda u: rate.astype(u.dtype) * u, updates)
        return scaled, state._replace(count=optax.safe_increment(state.count))

    return optax.GradientTransformation(init, update)


def reset_moments(state: optax.OptState) -> optax.OptState:
    """Return an optimizer's state with its :class:`BertAdamState` moments at zero.

    Args:
      state: State of an optax optimizer; counts of updates in it go on.
    """

    def reset(node: Any) -> Any:
        is_moments = isinstance(node, BertAdamState)
        return jax.tree.map(jnp.zeros_like, node) if is_moments else node

    return jax.tree.map(reset, state, is_leaf=lambda node: isinstance(node, BertAdamState))


def _map_with_path(
    function: Callable[[tuple[str, ...], Any], Any], tree: optax.Params
) -> optax.Params:
    return jax.tree_util.tree_map_with_path(
        lambda path, leaf: function(tuple(str(key.key) for key in path), leaf), tree
    )
