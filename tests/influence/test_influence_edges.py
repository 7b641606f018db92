"""One test for each row of the edge-case table of ``value_and_grad``."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from itune.influence import ROUTES, make_weights
from tests.helpers.influence_cases import (
    assert_close,
    assert_same_result,
    cast,
    compiled,
    compiled_definition,
    draw_tuples,
    flat_gradient,
    get_case,
)


def tuples_with(**leaves):
    """Tuples of the mlp; ``gap=(probe, partners)`` sets that leaf of their examples."""
    tuples = draw_tuples(get_case("mlp").draw, np.random.default_rng(14))
    for name, (probe, partners) in leaves.items():
        tuples = tuples._replace(
            probe=tuples.probe | {name: jnp.broadcast_to(jnp.asarray(probe, float), (3,))},
            partners=tuples.partners
            | {name: jnp.broadcast_to(jnp.asarray(partners, float), (3, 3))},
        )
    return tuples


def run(route, tuples, dtype=jnp.float64):
    return compiled("mlp", route)(*cast((get_case("mlp").params, tuples), dtype))


def define(tuples):
    return compiled_definition("mlp")(get_case("mlp").params, tuples)


@jax.jit
def gradient_norms(params, examples):
    gradients = jax.vmap(lambda z: flat_gradient(get_case("mlp").loss, params, z))(examples)
    return jnp.linalg.norm(gradients, axis=1)


# The label's logit is ahead by the gap: a gradient of about exp(-gap), 1e-30 at 69. Measured on a
# CPU: 2e-6 at most, on every route up to a gap of 75; beyond 80 (1e-35) only ghost stays right.
@pytest.mark.parametrize("partners", ["alike", "fitted less"])
@pytest.mark.parametrize("gap", [23.0, 46.0, 69.0])
@pytest.mark.parametrize("route", ROUTES)
def test_vanishing_gradient_in_float32(route, gap, partners):
    tuples = tuples_with(gap=(gap, gap if partners == "alike" else [[0.0, gap / 2, gap]] * 3))
    norms = gradient_norms(get_case("mlp").params, tuples.probe) / np.exp(-gap)
    assert np.all((norms > 0.01) & (norms < 100))
    assert_same_result(run(route, tuples, jnp.float32), define(tuples), 2e-5)


@pytest.mark.parametrize("gap", [80.0, 85.0])
def test_ghost_is_right_down_to_the_smallest_floats(gap):
    tuples = tuples_with(gap=(gap, gap))
    assert_same_result(run("ghost", tuples, jnp.float32), define(tuples), 2e-5)


@pytest.mark.parametrize("gap", [88.0, 95.0, 1e4])
@pytest.mark.parametrize("route", ROUTES)
def test_underflow_stays_finite(route, gap):
    """Below the smallest normal float the residual is lost: wrong or 0, but never NaN."""
    result = run(route, tuples_with(gap=(gap, [[gap, 0.0, gap]] * 3)), jnp.float32)
    assert all(np.all(np.isfinite(leaf)) for leaf in jax.tree.leaves(result))


@pytest.mark.parametrize("dtype", [jnp.float32, jnp.float64])
@pytest.mark.parametrize("route", ROUTES)
def test_zero_gradient_of_a_partner(route, dtype):
    """Its influence is 0, and J's gradient is that of the tuples without it."""
    constant = tuples_with(scale=(1.0, [[1.0, 0.0, 1.0]] * 3))
    without = tuples_with()
    without = without._replace(weights=without.weights.at[:, 1].set(0))
    (value, info), gradient = run(route, constant, dtype)
    assert np.all(info.influences[:, 1] == 0)
    (value_, influences), gradient_ = define(without)
    tolerance = 1e-10 if dtype == jnp.float64 else 1e-5
    influences = influences.at[:, 1].set(0)
    assert_same_result(((value, info), gradient), ((value_, influences), gradient_), tolerance)


@pytest.mark.parametrize("route", ROUTES)
def test_zero_gradient_of_the_probe(route):
    result = run(route, tuples_with(scale=([0.0, 1.0, 0.0], 1.0)))
    (value, info), gradient = result
    assert np.all(info.influences[jnp.array([0, 2])] == 0) and np.all(info.influences[1] != 0)
    alone = tuples_with()
    alone = alone._replace(weights=alone.weights.at[jnp.array([0, 2])].set(0))
    (value_, _), gradient_ = define(alone)
    assert_close((value, gradient), (value_, gradient_), 1e-10)


@pytest.mark.parametrize("route", ROUTES)
def test_weight_0_contributes_nothing(route):
    """Whatever stands in the partner's place; a tuple of zero weights has J = 0."""
    tuples = tuples_with()
    tuples = tuples._replace(weights=tuples.weights.at[:, 2].set(0).at[0].set(0))
    others = tuples_with(scale=(1.0, [[1.0, 1.0, 0.0]] * 3))
    others.partners["x"] = others.partners["x"].at[:, 2].set(100.0)
    (value, info), gradient = run(route, tuples)
    (value_, _), gradient_ = run(route, others._replace(weights=tuples.weights))
    assert info.delta[0] == 0 and value > 0
    assert_close((value_, gradient_), (value, gradient), 1e-14)


@pytest.mark.parametrize("route", ROUTES)
def test_weight_0_does_not_hide_nan_from_the_gradient(route):
    """Of 0 times a partner's derivative nothing is left but NaN."""
    tuples = tuples_with(scale=(1.0, [[1.0, 1.0, np.nan]] * 3))
    tuples = tuples._replace(weights=tuples.weights.at[:, 2].set(0))
    sound = tuples_with()._replace(weights=tuples.weights)
    (value, info), gradient = run(route, tuples)
    (value_, info_), _ = run(route, sound)
    assert_close((value, info.delta), (value_, info_.delta), 1e-14)
    assert all(np.any(np.isnan(leaf)) for leaf in jax.tree.leaves(gradient))


@pytest.mark.parametrize("route", ROUTES)
def test_all_weights_0(route):
    tuples = tuples_with()
    (value, info), gradient = run(route, tuples._replace(weights=0 * tuples.weights))
    assert value == 0 and np.all(info.delta == 0)
    assert all(np.all(leaf == 0) for leaf in jax.tree.leaves(gradient))


@pytest.mark.parametrize("route", ROUTES)
def test_the_probe_among_its_own_partners(route):
    tuples = tuples_with()
    partners = jax.tree.map(lambda k, p: k.at[:, 1].set(p), tuples.partners, tuples.probe)
    tuples = tuples._replace(partners=partners)
    (value, info), gradient = run(route, tuples)
    assert_close(info.influences[:, 1], jnp.ones(3), 1e-14)
    assert_same_result(((value, info), gradient), define(tuples), 1e-10)


@pytest.mark.parametrize(
    ("same", "different", "weights"),
    [
        ([1, 1, 0, 0], [0, 0, 1, 0], [0.5, 0.5, -1, 0]),
        ([0, 0, 0, 0], [0, 1, 1, 0], [0, -0.5, -0.5, 0]),
        ([1, 0, 0, 0], [0, 0, 0, 0], [1, 0, 0, 0]),
        ([0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]),
    ],
)
def test_make_weights(same, different, weights):
    same, different = jnp.asarray(same, bool), jnp.asarray(different, bool)
    assert make_weights(same, different).tolist() == weights
    stacked = make_weights(jnp.stack([same, different]), jnp.stack([different, same]))
    assert stacked.tolist() == [weights, [-w for w in weights]]
