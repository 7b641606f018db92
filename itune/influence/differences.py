"""Influence differences of many probes against whole groups, without forming any pair.

The mean influence of a group's examples on a probe is one inner product: ``mean_j ĝ_j . ĝ_p = ĝ_p .
m_group`` with ``m_group = mean_j ĝ_j``. Two passes over the data give the influence difference of
every example against all others: one to sum unit gradients over each group, one to project.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from itune.influence import factors as factored
from itune.influence.cosine import inverse_norm
from itune.influence.objective import LinenLoss, Params
from itune.influence.subsets import Select, selected_shapes

Direction = dict[tuple[str, ...], jax.Array]


def unit_gradient_sum(
    loss: LinenLoss, *, select: Select = None
) -> Callable[[Params, Any, jax.Array], Direction]:
    """Builds ``fun(params, examples, weights) -> sum_j w_j ĝ_j``, an array for each parameter.

    Three forward-equivalents, as an ordinary gradient; an example whose gradient is exactly 0
    contributes 0.
    """

    def fun(params, examples, weights):
        gradients = _batch(loss, select, params, examples)
        inverse = inverse_norm(jax.vmap(factored.square)(gradients))
        shapes = selected_shapes(select, params)
        return factored.weighted_sum(gradients, weights * inverse, shapes)

    return fun


def projections(
    loss: LinenLoss, *, select: Select = None
) -> Callable[[Params, Any, tuple[Direction, ...]], tuple[jax.Array, jax.Array]]:
    """Builds ``fun(params, examples, directions) -> (along, own)``.

    ``along[p, r] = ĝ_p . D_r``, ``(n, R)``; ``own[p] = ĝ_p . ĝ_p``, ``(n,)``: what an example adds
    to the sum over its own group, 1, or 0 where its gradient is exactly 0.
    """

    def fun(params, examples, directions):
        gradients = _batch(loss, select, params, examples)
        squares = jax.vmap(factored.square)(gradients)
        along = jnp.stack(
            [jax.vmap(factored.project, (0, None))(gradients, d) for d in directions], axis=-1
        )
        return along * inverse_norm(squares)[:, None], (squares > 0).astype(along.dtype)

    return fun


def _batch(loss, select, params, examples):
    def gradient(example):
        return factored.factored_gradient(loss, params, example, select=select)

    return jax.vmap(gradient)(examples)
