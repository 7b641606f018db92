"""Every architecture: equal to transformers, whole after a round trip, exact by every route."""

import json
from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from itune.influence import PAIR_FREE, Pool, value_and_grad
from itune.models import load_classifier, make_model, save_classifier
from itune.models.hf_weights import to_hugging_face
from itune.models.registry import ARCHITECTURES
from itune.training import make_classifier
from tests.helpers.family_models import FAMILIES, cast, fewest_layers, model_of
from tests.helpers.influence_cases import pool_loss
from tests.models.make_golden_families import CASES, GOLDEN, inputs


@cache
def applied(name):
    """Logits of a case's inputs by its parameters, compiled once for every dtype of theirs."""
    model, batch = make_model(model_of(name)[0]), inputs(CASES[name])
    return jax.jit(lambda params: model.apply({"params": params}, **batch).logits)


@cache
def logits_of(name, dtype):
    return applied(name)(cast(model_of(name)[1], dtype))


@pytest.mark.parametrize("name", CASES)
def test_logits_are_those_of_transformers(name):
    """In float32 once a module; what is a case's own keeps the dtype."""
    expected = json.loads(GOLDEN.read_text(encoding="utf-8"))["logits"][name]
    logits = logits_of(name, jnp.float64)
    assert logits.dtype == jnp.float64
    np.testing.assert_allclose(logits, expected, rtol=0, atol=1e-10)
    if name in FAMILIES:
        np.testing.assert_allclose(logits_of(name, jnp.float32), expected, rtol=0, atol=1e-5)
    single = jax.eval_shape(applied(name), cast(model_of(name)[1], jnp.float32))
    assert single.dtype == jnp.float32


@pytest.mark.parametrize("name", FAMILIES)
def test_bfloat16(name):
    """Outputs have the dtype of the parameters, and are those of full precision, rounded."""
    with jax.numpy_dtype_promotion("standard"):  # Flax takes moments of norms in float32
        half = logits_of(name, jnp.bfloat16)
    full = logits_of(name, jnp.float32)
    assert half.dtype == jnp.bfloat16
    assert 0 < np.abs(half.astype(full.dtype) - full).max() < 0.1 * np.abs(full).max()


def test_every_architecture_has_a_case():
    assert {name: CASES[name]["model_type"] for name in ARCHITECTURES} == {
        name: name for name in ARCHITECTURES
    }


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_a_round_trip_keeps_every_bit(name, tmp_path):
    config, params = model_of(name)
    save_classifier(tmp_path / "saved", config, params, None, labels=("a", "b", "c"))
    loaded = load_classifier(tmp_path / "saved")
    assert loaded.config == config and loaded.labels == ("a", "b", "c")
    before, after = (to_hugging_face(of, config) for of in (params, loaded.params))
    assert before.keys() == after.keys()
    assert all(np.array_equal(before[key], after[key]) for key in before)


@cache
def pools(name):
    """Float64 parameters, the label loss, and four examples of one label as a pool."""
    config, params = fewest_layers(name)
    batch = {**inputs(CASES[name]), "label": np.ones(4, np.int32)}
    examples = jax.tree.map(lambda leaf: leaf.reshape(2, 2, *leaf.shape[1:]), batch)
    pool = Pool(examples, np.ones((2, 2), bool))
    return cast(params, np.float64), make_classifier(config).loss, pool


STEP, WEIGHTS = 3e-4, (4 / 5, -1 / 5, 4 / 105, -1 / 280)
"""Central differences of eighth order: within 1e-11 of the slope, and sooner compiled than it."""


@cache
def slope(name):
    """A direction, and the influence loss of the pool, as defined, with its slope along it."""
    params, loss, pool = pools(name)
    rng = np.random.default_rng(0)
    direction = jax.tree.map(lambda leaf: rng.normal(size=leaf.shape), params)
    as_defined = jax.jit(pool_loss(loss))

    def at(step):
        moved = jax.tree.map(lambda leaf, along: leaf + step * along, params, direction)
        return float(as_defined(moved, pool)[0])

    steps = [number * STEP for number in range(1, 1 + len(WEIGHTS))]
    differences = [(at(step) - at(-step)) / STEP for step in steps]
    return direction, at(0), np.dot(WEIGHTS, differences)


BY_OTHER_ROUTES = (("albert", "ghost"), ("qwen3", "hvp"))
"""An encoder and a decoder. What is a family's own is how it is tapped, which pair_free shows."""


def pytest_generate_tests(metafunc):
    """BERT's routes are compared by tests/influence."""
    if "route" in metafunc.fixturenames:
        others = [(name, route) for name in FAMILIES[1:] for route in ("ghost", "hvp")]
        others = others if metafunc.config.option.all_families else list(BY_OTHER_ROUTES)
        pairs = [(name, PAIR_FREE) for name in FAMILIES[1:]] + others
        metafunc.parametrize(("name", "route"), pairs)


def test_the_derivative_is_exact(name, route):
    """Along a random direction of all parameters, each of which has a part.

    Its value has the cosines of whole gradients, of which taps must therefore lack nothing.
    """
    params, loss, pool = pools(name)
    result = jax.jit(value_and_grad(loss, route=route))(params, pool)
    (value, _), gradient = jax.device_get(result)
    direction, expected, expected_slope = slope(name)
    assert expected > 1e-3
    np.testing.assert_allclose(value, expected, rtol=1e-10)
    leaves = jax.tree.leaves(gradient)
    assert all(map(np.any, leaves))
    scale = max(np.abs(leaf).max() for leaf in leaves)
    of_direction = sum(map(np.vdot, leaves, jax.tree.leaves(direction)))
    np.testing.assert_allclose(of_direction, expected_slope, rtol=0, atol=1e-10 * scale)
