"""Every architecture: equal to transformers, whole after a round trip, exact by every route."""

import json
from dataclasses import replace
from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from itune.influence import PAIR_FREE, Pool, value_and_grad
from itune.models import from_hugging_face, load_classifier, make_model, save_classifier
from itune.models.hf_config import load_config
from itune.models.hf_weights import to_hugging_face
from itune.models.registry import ARCHITECTURES, architecture_of
from itune.training import make_classifier
from tests.models.make_golden_families import CASES, GOLDEN, inputs, weights

FAMILIES = tuple({of.module: name for name, of in ARCHITECTURES.items()}.values())
"""A case for each module."""


@cache
def config_of(name, folder):
    path = folder / name
    path.mkdir(exist_ok=True)
    about = {**CASES[name], "id2label": dict(enumerate("abc"))}
    (path / "config.json").write_text(json.dumps(about))
    return load_config(path)


def model_of(name, folder=None):
    """Configuration and float32 parameters of a case."""
    import tempfile
    from pathlib import Path

    config = config_of(name, folder or Path(tempfile.mkdtemp()))
    architecture = architecture_of(config)
    shapes = {
        architecture.saved_name(spec.name): spec.shape for spec in architecture.tensors(config)
    }
    return config, from_hugging_face(weights(shapes), config, jax.random.key(0))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("families")


@pytest.mark.parametrize("name", CASES)
def test_logits_are_those_of_transformers(name, folder):
    config, params = model_of(name, folder)
    batch = {key: jnp.asarray(value) for key, value in inputs(CASES[name]).items()}
    expected = json.loads(GOLDEN.read_text(encoding="utf-8"))["logits"][name]
    apply = jax.jit(lambda params: make_model(config).apply({"params": params}, **batch).logits)
    for dtype, bound in ((jnp.float32, 1e-5), (jnp.float64, 1e-10)):
        logits = apply(jax.tree.map(dtype, params))
        assert logits.dtype == dtype
        np.testing.assert_allclose(logits, expected, rtol=0, atol=bound)


@pytest.mark.parametrize("name", FAMILIES)
def test_bfloat16(name, folder):
    """Outputs have the dtype of the parameters, and are those of full precision, rounded."""
    config, params = model_of(name, folder)
    batch = {key: jnp.asarray(value) for key, value in inputs(CASES[name]).items()}
    apply = jax.jit(lambda params: make_model(config).apply({"params": params}, **batch).logits)
    with jax.numpy_dtype_promotion("standard"):  # Flax takes moments of norms in float32
        half = apply(jax.tree.map(jnp.bfloat16, params))
    full = apply(params)
    assert half.dtype == jnp.bfloat16
    assert 0 < np.abs(half.astype(full.dtype) - full).max() < 0.1 * np.abs(full).max()


def test_every_architecture_has_a_case():
    assert {name: CASES[name]["model_type"] for name in ARCHITECTURES} == {
        name: name for name in ARCHITECTURES
    }


@pytest.mark.parametrize("name", [name for name in CASES if name in ARCHITECTURES])
def test_a_round_trip_keeps_every_bit(name, folder):
    config, params = model_of(name, folder)
    save_classifier(folder / f"{name}-saved", config, params, None, labels=("a", "b", "c"))
    loaded = load_classifier(folder / f"{name}-saved")
    assert loaded.config == config and loaded.labels == ("a", "b", "c")
    before, after = (to_hugging_face(of, config) for of in (params, loaded.params))
    assert before.keys() == after.keys()
    assert all(np.array_equal(before[key], after[key]) for key in before)


@cache
def pools(name, folder):
    """Float64 parameters, the label loss, and four examples of one label as a pool."""
    config, params = model_of(name, folder)
    same = jax.tree.structure(params.get("layer_1")) == jax.tree.structure(params["layer_0"])
    if same:  # two take twice as long to compile, and show no more
        config = replace(config, num_layers=1)
        del params["layer_1"]
    batch = {key: jnp.asarray(value) for key, value in inputs(CASES[name]).items()}
    batch["label"] = jnp.ones(4, jnp.int32)
    examples = jax.tree.map(lambda leaf: leaf.reshape(2, 2, *leaf.shape[1:]), batch)
    params = jax.tree.map(lambda leaf: leaf.astype(jnp.float64), params)
    return params, make_classifier(config).loss, Pool(examples, jnp.ones((2, 2), bool))


@cache
def by_autodiff(name, folder):
    params, loss, pool = pools(name, folder)
    return jax.jit(value_and_grad(loss, route="autodiff"))(params, pool)


EVERY_ROUTE = ("albert", "llama")
"""Families, one of encoders and one of decoders, that are compared by every route in each run.
What is a family's own is how it is tapped, which pair_free shows of all."""


def pytest_generate_tests(metafunc):
    """BERT's routes are compared by tests/influence."""
    if "route" in metafunc.fixturenames:
        every = FAMILIES[1:] if metafunc.config.option.all_families else EVERY_ROUTE
        cases = [(name, route) for name in every for route in ("ghost", "hvp")]
        metafunc.parametrize(("name", "route"), [(n, PAIR_FREE) for n in FAMILIES[1:]] + cases)


def test_routes_agree(name, route, folder):
    params, loss, pool = pools(name, folder)
    (value, _), gradient = jax.jit(value_and_grad(loss, route=route))(params, pool)
    (expected, _), expected_gradient = by_autodiff(name, folder)
    assert expected > 1e-3
    np.testing.assert_allclose(value, expected, rtol=1e-10)
    scale = max(jnp.abs(leaf).max() for leaf in jax.tree.leaves(expected_gradient))
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, rtol=0, atol=1e-10 * float(scale)),
        gradient,
        expected_gradient,
    )


@pytest.mark.parametrize("name", FAMILIES)
def test_every_parameter_counts(name, folder):
    gradient = by_autodiff(name, folder)[1]
    assert all(jnp.any(leaf != 0) for leaf in jax.tree.leaves(gradient))
