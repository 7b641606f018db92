"""What the influence engine differentiates: a scalar loss of one example."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from flax import linen as nn

from itune.influence.types import Example, Params


class LinenLoss(NamedTuple):
    """A ``loss(params, example)`` that also shows its module, so that layers can be tapped.

    Most routes take any ``loss(params, example) -> scalar``. Those that never form the gradient of
    an example (``ghost``, ``pair_free``) need a LinenLoss.

    Attributes:
        module: The Linen module whose parameters are differentiated.
        loss_fn: ``loss_fn(apply, example) -> scalar``. It must call ``apply`` exactly once, where
            ``apply(*args, **kwargs)`` is ``module.apply`` with the parameters bound. ``example``
            has no batch axis; ``vmap`` makes batches.
        check: Whether functions that tap this loss check first that taps see its whole gradient, as
            :func:`~itune.influence.check_coverage` does, once for each structure of parameters and
            examples. False is the way out, for a module that has been checked.

    >>> loss = LinenLoss(nn.Dense(3), lambda apply, z: cross_entropy(apply(z["x"]), z["y"]))
    >>> z = {"x": jnp.ones(2), "y": 1}
    >>> params = nn.Dense(3).init(jax.random.key(0), z["x"])["params"]
    >>> loss(params, z).shape
    ()
    """

    module: nn.Module
    loss_fn: Callable[[Callable[..., Any], Example], jax.Array]
    check: bool = True

    def __call__(self, params: Params, example: Example) -> jax.Array:
        """Return the loss of one example.

        Args:
            params: The module's parameters, a nested dict.
            example: One example, without a batch axis.

        Returns:
            A floating-point scalar.
        """

        def apply(*args: Any, **kwargs: Any) -> Any:
            return self.module.apply({"params": params}, *args, **kwargs)

        return self.loss_fn(apply, example)


def cross_entropy(logits: jax.Array, label: jax.typing.ArrayLike) -> jax.Array:
    """Compute the cross entropy, whose gradient stays accurate when the example is fitted.

    ``L = log(1 + sum_{j != y} exp(z_j - z_y))``. The usual ``-log_softmax(z)[y]`` has the
    derivative ``p_y - 1`` in ``z_y``, which rounds to 0 once ``1 - p_y < 6e-8`` in float32; here it
    is ``-sum_{j != y} p_j``, right down to the smallest float. Gradient cosines of fitted examples
    depend on it.

    Args:
        logits: Logits ``z``, ``(..., classes)``, of a floating-point dtype.
        label: Classes ``y``, integers from 0 to ``classes - 1``, ``(...)``.

    Returns:
        The losses in nats, ``(...)``, in the dtype of the logits.

    >>> f"{cross_entropy(jnp.array([0.0, 0.0]), 1):.4f}"
    '0.6931'
    """
    is_label = jax.nn.one_hot(label, logits.shape[-1], dtype=bool)
    own = jnp.sum(jnp.where(is_label, logits, 0), axis=-1, keepdims=True)
    return jax.nn.logsumexp(jnp.where(is_label, 0, logits - own), axis=-1)
