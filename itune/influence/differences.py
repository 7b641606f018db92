"""Influence differences of many probes against whole groups, without forming any pair.

The mean influence of a group's examples on a probe is one inner product: ``mean_j ĝ_j . ĝ_p = ĝ_p .
m_group`` with ``m_group = mean_j ĝ_j``. Two passes over the data give the influence difference of
every example against all others: one to sum unit gradients over each group, one to project.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp

from itune.influence import factors as factored
from itune.influence.cosine import inverse_norm
from itune.influence.coverage import checked_gradients
from itune.influence.objective import LinenLoss
from itune.influence.subsets import Select, selected_shapes
from itune.influence.types import Examples, Params, Tensors


def unit_gradient_sum(
    loss: LinenLoss, *, select: Select = None
) -> Callable[[Params, Examples, jax.Array], Tensors]:
    """Build a function that sums weighted unit gradients, ``sum_j w_j ĝ_j``.

    Returns:
        ``fun(params, examples, weights) -> sums``, pure, of n examples and weights ``(n,)``; the
        sums are arrays of the selected parameters' shapes, by path. An example whose gradient is
        exactly 0 contributes 0. Its cost is three forward passes an example, as that of an ordinary
        gradient.
    """
    sums = unit_gradient_sums(loss, select=select)
    return lambda params, examples, weights: sums(params, examples, weights[:, None])[0]


def unit_gradient_sums(
    loss: LinenLoss, *, select: Select = None
) -> Callable[[Params, Examples, jax.Array], tuple[Tensors, ...]]:
    """Build a function that sums unit gradients by several weights, ``sum_j w_jr ĝ_j``.

    Returns:
        ``fun(params, examples, weights)``, of weights ``(n, R)``, returns R sums as those of
        :func:`unit_gradient_sum`; each beyond the first costs one more forward pass an example.
    """

    def fun(params: Params, examples: Examples, weights: jax.Array) -> tuple[Tensors, ...]:
        gradients = checked_gradients(loss, select, params, examples)
        inverse = inverse_norm(jax.vmap(factored.square)(gradients))
        shapes = selected_shapes(select, params)
        return tuple(
            factored.weighted_sum(gradients, column * inverse, shapes) for column in weights.T
        )

    return fun


def projections(
    loss: LinenLoss, *, select: Select = None
) -> Callable[[Params, Examples, tuple[Tensors, ...]], tuple[jax.Array, jax.Array]]:
    """Build a function that projects unit gradients on directions.

    Returns:
        ``fun(params, examples, directions) -> (along, own)``, pure, of n examples and R directions
        ``D_r`` as :func:`unit_gradient_sum` returns them. ``along[p, r] = ĝ_p . D_r``, ``(n, R)``.
        ``own[p] = ĝ_p . ĝ_p``, ``(n,)``, is what example p adds to the sum over its own group: 1,
        or 0 where its gradient is exactly 0.
    """

    def fun(
        params: Params, examples: Examples, directions: tuple[Tensors, ...]
    ) -> tuple[jax.Array, jax.Array]:
        gradients = checked_gradients(loss, select, params, examples)
        squares = jax.vmap(factored.square)(gradients)
        along = jnp.stack(
            [jax.vmap(factored.project, (0, None))(gradients, d) for d in directions], axis=-1
        )
        return along * inverse_norm(squares)[:, None], (squares > 0).astype(along.dtype)

    return fun
