"""What the influence engine differentiates: a scalar loss of one example."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from flax import linen as nn

Params = Any
Example = Any


class LinenLoss(NamedTuple):
    """A ``loss(params, example)`` that also shows its module, so that layers can be tapped.

    Any route takes any ``loss(params, example) -> scalar``; the routes that never form a
    per-example gradient (``ghost``) need one of these.

    Attributes:
        module: the Linen module whose parameters are differentiated.
        loss_fn: ``loss_fn(apply, example) -> scalar``. It must call ``apply`` exactly once;
            ``apply(*args, **kwargs)`` is ``module.apply`` with the parameters bound. ``example``
            has no batch axis: batches are made by ``vmap``.

    >>> loss = LinenLoss(nn.Dense(3), lambda apply, z: cross_entropy(apply(z["x"]), z["y"]))
    >>> z = {"x": jnp.ones(2), "y": 1}
    >>> params = nn.Dense(3).init(jax.random.key(0), z["x"])["params"]
    >>> loss(params, z).shape
    ()
    """

    module: nn.Module
    loss_fn: Callable[[Callable, Example], jax.Array]

    def __call__(self, params: Params, example: Example) -> jax.Array:
        """The loss of one example."""

        def apply(*args, **kwargs):
            return self.module.apply({"params": params}, *args, **kwargs)

        return self.loss_fn(apply, example)


def cross_entropy(logits: jax.Array, label: jax.Array) -> jax.Array:
    """Cross entropy whose gradient keeps its relative accuracy when the example is fitted.

    ``L = log(1 + sum_{j != y} exp(z_j - z_y))``. The usual ``-log_softmax(z)[y]`` has the
    derivative ``p_y - 1`` in ``z_y``, which rounds to 0 once ``1 - p_y < 6e-8`` in float32; here it
    is ``-sum_{j != y} p_j``, right down to the smallest float. Gradient cosines of fitted examples
    depend on it.

    Args:
        logits: ``(..., classes)``.
        label: integer class, ``(...)``.

    Returns:
        The losses in nats, ``(...)``.
    """
    is_label = jax.nn.one_hot(label, logits.shape[-1], dtype=bool)
    own = jnp.sum(jnp.where(is_label, logits, 0), axis=-1, keepdims=True)
    return jax.nn.logsumexp(jnp.where(is_label, 0, logits - own), axis=-1)
