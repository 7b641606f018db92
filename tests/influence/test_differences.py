"""Influence differences without pairs equal the brute-force pair matrix."""

from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from itune.influence import make_weights
from itune.influence.differences import projections, unit_gradient_sum
from tests.helpers.influence_cases import assert_close, flat_gradient, get_case

N = 8
LABEL, CONFOUND = np.array([0, 0, 0, 0, 0, 1, 1, 1]), np.array([0, 0, 1, 1, 1, 0, 1, 1])


@cache
def setup(name, select=None):
    """The case, examples, their matrix of influences, and the two functions, compiled."""
    case = get_case(name)
    examples = case.draw(np.random.default_rng(16), N)
    gradients = jax.jit(jax.vmap(lambda z: flat_gradient(case.loss, case.params, z, select)))(
        examples
    )
    units = gradients / jnp.linalg.norm(gradients, axis=1, keepdims=True)
    functions = (
        jax.jit(make(case.loss, select=select)) for make in (unit_gradient_sum, projections)
    )
    return case, examples, units @ units.T, *functions


@pytest.mark.parametrize("name", ["mlp", "tied"])
def test_influence_differences_of_all_examples(name):
    """Mean over same minus mean over different confound, the probe left out of its own group.

    The sums are taken over two halves of the examples, as a pass over the data would.
    """
    case, examples, pairs, add, project = setup(name)
    halves = [jax.tree.map(lambda x, s=s: x[s], examples) for s in (np.s_[:4], np.s_[4:])]
    is_in = {(y, c): (y == LABEL) & (c == CONFOUND) for y in (0, 1) for c in (0, 1)}

    def total(members):
        weights = jnp.asarray(members, float).reshape(2, 4)
        a, b = (add(case.params, half, w) for half, w in zip(halves, weights, strict=True))
        return jax.tree.map(jnp.add, a, b)

    directions = tuple(map(total, is_in.values()))
    results = [project(case.params, half, directions) for half in halves]
    along, own = (np.concatenate(parts) for parts in zip(*results, strict=True))
    assert own.tolist() == [1] * N

    ours = np.zeros(N)
    for i, (y, c) in enumerate(zip(LABEL, CONFOUND, strict=True)):
        sums = dict(zip(is_in, along[i], strict=True))
        size = {group: members.sum() for group, members in is_in.items()}
        same = (sums[y, c] - own[i]) / max(size[y, c] - 1, 1)
        ours[i] = same - sums[y, 1 - c] / size[y, 1 - c]

    same_label = LABEL[:, None] == LABEL
    is_same = same_label & (CONFOUND[:, None] == CONFOUND) & ~np.eye(N, dtype=bool)
    is_different = same_label & (CONFOUND[:, None] != CONFOUND)
    weights = make_weights(jnp.asarray(is_same), jnp.asarray(is_different))
    assert_close(ours, np.sum(weights * pairs, axis=1), 1e-10)


def of_layer(path):
    return path[0] == "Dense_1"


def test_select():
    case, examples, pairs, add, project = setup("mlp", of_layer)
    weights = jnp.asarray(np.random.default_rng(17).normal(size=N))
    direction = add(case.params, examples, weights)
    along, _ = project(case.params, examples, (direction,))
    assert {path[0] for path in direction} == {"Dense_1"}
    assert_close(along[:, 0], pairs @ weights, 1e-10)


def test_zero_gradient():
    """It adds nothing to a sum, has no component along it, and nothing of its own."""
    case, examples, pairs, add, project = setup("mlp")
    examples = examples | {"scale": jnp.ones(N).at[3].set(0)}
    along, own = project(case.params, examples, (add(case.params, examples, jnp.ones(N)),))
    assert own.tolist() == [1, 1, 1, 0, 1, 1, 1, 1] and along[3, 0] == 0
    expected = pairs @ jnp.ones(N).at[3].set(0)
    assert_close(along[:, 0], expected.at[3].set(0), 1e-10)
