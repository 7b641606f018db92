"""Models of the cases of every family, with the weights that transformers was given."""

import json
import tempfile
from dataclasses import replace
from functools import cache
from pathlib import Path

import jax
import numpy as np

from itune.influence import LinenLoss, cross_entropy
from itune.influence.factors import factored_gradient, gradient_of
from itune.influence.subsets import by_path, selected_shapes
from itune.models import from_hugging_face, make_model
from itune.models.hf_config import load_config
from itune.models.registry import ARCHITECTURES, architecture_of
from tests.models.make_golden_families import CASES, weights

FAMILIES = tuple({of.module: name for name, of in ARCHITECTURES.items()}.values())
"""A case for each module."""


@cache
def model_of(name):
    """Return the configuration and the float32 parameters of a case."""
    with tempfile.TemporaryDirectory() as folder:
        about = {**CASES[name], "id2label": dict(enumerate("abc"))}
        Path(folder, "config.json").write_text(json.dumps(about))
        config = load_config(folder)
    return config, params_of(config)


def params_of(config):
    """Draw float32 parameters by the names that transformers has for them."""
    architecture = architecture_of(config)
    shapes = {
        architecture.saved_name(spec.name): spec.shape for spec in architecture.tensors(config)
    }
    return from_hugging_face(weights(shapes), config, jax.random.key(0))


def fewest_layers(name):
    """Return :func:`model_of` without layers that are like one before: they take long, to no end.

    ModernBERT's first two differ, and so do the first two of DeBERTa with a convolution.
    """
    config, params = model_of(name)
    if "layer_1" not in params:  # ALBERT calls its one layer twice
        return config, params
    first, second = (jax.tree.structure(params[f"layer_{n}"]) for n in (0, 1))
    count = 1 if first == second else 2
    dropped = {f"layer_{n}" for n in range(count, config.num_layers)}
    kept = {name: leaf for name, leaf in params.items() if name not in dropped}
    return replace(config, num_layers=count), kept


def cast(params, dtype):
    """Return NumPy's parameters of a dtype."""
    return jax.tree.map(lambda leaf: np.asarray(leaf).astype(dtype), params)


def assert_taps_see_the_whole_gradient(name):
    """Compare with ``jax.grad``, in float64; no parameter is without gradient."""
    config, params = fewest_layers(name)
    params, ids = cast(params, np.float64), np.array([1, 5, 2, 9, 3, 8, 7])
    loss = LinenLoss(
        make_model(config), lambda apply, z: cross_entropy(apply(z, np.ones_like(z)).logits, 1)
    )

    @jax.jit
    def both(params):
        factors = factored_gradient(loss, params, ids, unit_residual=False)
        tapped = gradient_of(factors, selected_shapes(None, params))
        return tapped, by_path(jax.grad(loss)(params, ids))

    tapped, whole = jax.device_get(both(params))
    assert tapped.keys() == whole.keys()
    for path, gradient in whole.items():
        assert np.any(gradient != 0), path
        np.testing.assert_allclose(tapped[path], gradient, rtol=1e-9, atol=1e-12, err_msg=str(path))
