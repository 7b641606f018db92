"""BertAdam as an optax transformation, and clipping of each tensor by itself."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

Path = tuple[str, ...]


class BertAdamState(NamedTuple):
    """Moments of :func:`scale_by_bert_adam`, shaped like the parameters."""

    mu: Any
    nu: Any


def scale_by_bert_adam(
    b1: float = 0.9, b2: float = 0.999, eps: float = 1e-6
) -> optax.GradientTransformation:
    """Adam as BERT was trained with it.

    ``mu <- b1 mu + (1 - b1) g``, ``nu <- b2 nu + (1 - b2) g**2``, update ``mu / (sqrt(nu) + eps)``.

    This differs from :func:`optax.scale_by_adam` in having **no bias correction**: from moments of
    zero the first update is ``(1 - b1) / sqrt(1 - b2)`` = 3.2 times ``sign(g)``, not once.
    """

    def init(params):
        return BertAdamState(
            jax.tree.map(jnp.zeros_like, params), jax.tree.map(jnp.zeros_like, params)
        )

    def update(updates, state, params=None):
        del params
        mu = optax.tree.update_moment(updates, state.mu, b1, 1)
        nu = optax.tree.update_moment_per_elem_norm(updates, state.nu, b2, 2)
        scaled = jax.tree.map(lambda m, v: m / (jnp.sqrt(v) + eps), mu, nu)
        return scaled, BertAdamState(mu, nu)

    return optax.GradientTransformation(init, update)


def clip_each_tensor(max_norm: float) -> optax.GradientTransformation:
    """Scales each tensor's gradient to Euclidean norm ``max_norm`` where it is larger."""

    def clip(gradient):
        norm = jnp.sqrt(jnp.sum(gradient * gradient))
        return gradient * jnp.minimum(max_norm / (norm + 1e-6), 1)

    return optax.stateless(lambda updates, _: jax.tree.map(clip, updates))


def has_decay(path: Path) -> bool:
    """Whether weight decay applies: not to biases, nor to layer normalisation."""
    return path[-1] not in ("bias", "scale")


def bert_adam(
    learning_rate: float | optax.Schedule,
    *,
    weight_decay: float = 0.01,
    decays: Callable[[Path], bool] = has_decay,
    clip: float | None = 1.0,
) -> optax.GradientTransformation:
    """The optimizer of the released code.

    Clips each tensor, scales by :func:`scale_by_bert_adam`, adds decoupled weight decay, and
    multiplies by the learning rate.

    Args:
        learning_rate: a number, or a schedule of the count of updates.
        weight_decay: decay for each unit of the learning rate.
        decays: which parameters decay, by path.
        clip: largest norm of a tensor's gradient; None does not clip.
    """
    return optax.chain(
        optax.identity() if clip is None else clip_each_tensor(clip),
        scale_by_bert_adam(),
        optax.add_decayed_weights(
            weight_decay, lambda params: _map_with_path(lambda path, _: decays(path), params)
        ),
        optax.scale_by_learning_rate(learning_rate),
    )


def warmup_linear(peak: float, total: int, warmup: float = 0.1) -> optax.Schedule:
    """Rises from 0 to ``peak`` over the first ``warmup`` of ``total`` updates, then falls to 0."""
    turn = warmup * total

    def schedule(count):
        count = jnp.asarray(count, float)
        rising = count / max(turn, 1e-9)
        falling = (total - count) / max(total - turn, 1e-9)
        return peak * jnp.clip(jnp.minimum(rising, falling), 0, 1)

    return schedule


def reset_moments(state: optax.OptState) -> optax.OptState:
    """The state with its :class:`BertAdamState` moments at zero; counts go on."""

    def reset(node):
        is_moments = isinstance(node, BertAdamState)
        return jax.tree.map(jnp.zeros_like, node) if is_moments else node

    return jax.tree.map(reset, state, is_leaf=lambda node: isinstance(node, BertAdamState))


def _map_with_path(function, tree):
    return jax.tree_util.tree_map_with_path(
        lambda path, leaf: function(tuple(str(key.key) for key in path), leaf), tree
    )
