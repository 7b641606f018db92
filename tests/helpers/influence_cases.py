"""Models with random parameters and examples, and the definition of J to compare with."""

from collections.abc import Callable
from functools import cache, partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen as nn
from jax.flatten_util import ravel_pytree

from itune.influence import LinenLoss, Tuples, cross_entropy, value_and_grad
from itune.models import BertClassifier, BertConfig
from tests.helpers.layer_models import (
    CLASSES,
    SEQUENCE,
    Attention,
    Convolved,
    Mlp,
    Norms,
    Recurrent,
    Scanned,
    Tied,
    Twice,
)

BERT = BertConfig(
    vocab_size=20,
    hidden_size=8,
    num_layers=1,
    num_heads=2,
    intermediate_size=12,
    max_positions=10,
    num_labels=CLASSES,
)


class Case(NamedTuple):
    """A model to test on, with float64 parameters and the kinds of term of its gradients.

    ``draw(rng, *lead)`` draws examples with these leading axes.
    """

    loss: LinenLoss  # unchecked, which takes a compilation: test_coverage.py checks
    params: Any
    draw: Callable
    terms: set[str]


# --- losses, parameters, examples ---------------------------------------------------------------


def classify(apply, z):
    """Cross entropy times ``scale``, with ``gap`` added to the label's logit."""
    logits = apply(z["x"])
    shift = z["gap"] * jax.nn.one_hot(z["y"], logits.shape[-1], dtype=logits.dtype)
    return z["scale"] * cross_entropy(logits + shift, z["y"])


def classify_text(apply, z):
    """Cross entropy of a BERT classifier."""
    return cross_entropy(apply(z["ids"], z["mask"], z["types"]).logits, z["y"])


def random_params(module, *inputs, seed=0):
    """Draw all parameters in float64: zero biases and unit scales would hide mistakes."""
    singles = cast(inputs, jnp.float32)
    shapes = jax.eval_shape(module.init, jax.random.key(0), *singles)["params"]
    rng = np.random.default_rng(seed)

    def draw(path, leaf):
        return jax.device_put((path[-1].key == "scale") + 0.4 * rng.normal(size=leaf.shape))

    return jax.tree.map_with_path(draw, shapes)


def cast(tree, dtype):
    """Return the tree with its floats as ``dtype``."""
    return jax.tree.map(
        lambda x: np.asarray(x).astype(dtype) if jnp.issubdtype(x.dtype, jnp.floating) else x, tree
    )


def draw_features(shape, rng, *lead):
    """Draw inputs ``x`` of a shape with labels, for :func:`classify`."""
    return put(
        {
            "x": rng.normal(size=(*lead, *shape)),
            "y": rng.integers(0, CLASSES, lead).astype(np.int32),
            "gap": np.zeros(lead),
            "scale": np.ones(lead),
        }
    )


def draw_tokens(rng, *lead):
    """Draw five ids out of 7, one of them twice, for :func:`classify`."""
    ids = rng.integers(0, 7, (*lead, 5)).astype(np.int32)
    ids[..., -1] = ids[..., 0]  # a repeated token
    labels = rng.integers(0, 7, lead).astype(np.int32)
    return put({"x": ids, "y": labels, "gap": np.zeros(lead), "scale": np.ones(lead)})


def draw_text(rng, *lead, width=9):
    """Draw sentences of 2 to 6 tokens with one of them twice, padded to ``width``."""
    lengths = rng.integers(2, 7, lead)
    ids = rng.integers(1, 20, (*lead, 6))
    ids[..., 1] = ids[..., 0]
    mask = np.arange(6) < lengths[..., None]
    leaves = {"ids": ids * mask, "mask": mask, "types": rng.integers(0, 2, mask.shape) * mask}
    pad = [(0, 0)] * len(lead) + [(0, width - 6)]
    text = {name: np.pad(leaf, pad).astype(np.int32) for name, leaf in leaves.items()}
    return put(text | {"y": rng.integers(0, CLASSES, lead).astype(np.int32)})


def put(tree):
    """Return NumPy's arrays as JAX's; ``jnp.asarray`` would compile a copy for each shape."""
    return jax.tree.map(jax.device_put, tree)


def draw_tuples(draw, rng, probes=3, partners=3):
    """Draw tuples with random weights."""
    weights = rng.normal(size=(probes, partners))
    return Tuples(draw(rng, probes), draw(rng, probes, partners), jax.device_put(weights))


def _case(module, shape, terms):
    params = random_params(module, jnp.zeros(shape))
    return Case(
        LinenLoss(module, classify, check=False), params, partial(draw_features, shape), terms
    )


def _tied_case():
    params = random_params(Tied(), jnp.zeros(5, jnp.int32))
    return Case(LinenLoss(Tied(), classify, check=False), params, draw_tokens, {"Lookup", "Outer"})


def _bert_case():
    ids = jnp.zeros(6, jnp.int32)
    params = random_params(BertClassifier(BERT), ids, ids)
    loss = LinenLoss(BertClassifier(BERT), classify_text, check=False)
    return Case(loss, params, draw_text, {"Lookup", "Outer", "Formed"})


_CASES = {
    "mlp": lambda: _case(Mlp(), (5,), {"Outer", "Formed"}),
    "bert": _bert_case,
    "scan": lambda: _case(Scanned(), SEQUENCE, {"Outer"}),
    "recurrent": lambda: _case(Recurrent(), SEQUENCE, {"Outer"}),
    "twice in remat": lambda: _case(nn.remat(Twice)(), SEQUENCE, {"Outer"}),
    "tied": _tied_case,
    "attention": lambda: _case(Attention(), SEQUENCE, {"Outer", "Formed"}),
    "convolutions": lambda: _case(Convolved(), SEQUENCE, {"Outer", "Formed"}),
    "norms, no bias": lambda: _case(Norms(), SEQUENCE, {"Outer"}),
}
CASES = tuple(_CASES)


@cache
def get_case(name) -> Case:
    """Return one of :data:`CASES`."""
    return _CASES[name]()


@cache
def compiled(name, route, microbatch=None):
    """Compile ``value_and_grad`` of a case's loss, once for the whole suite."""
    return jax.jit(value_and_grad(get_case(name).loss, route=route, microbatch=microbatch))


# --- the definition -----------------------------------------------------------------------------


def flat_gradient(loss, params, example, select=None):
    """Return the gradient in the selected parameters as one vector, by ``jax.grad``."""
    leaves = jax.tree_util.tree_leaves_with_path(jax.grad(loss)(params, example))
    return ravel_pytree(
        [leaf for path, leaf in leaves if select is None or select(tuple(k.key for k in path))]
    )[0]


def influence(loss, params, a, b, select=None):
    """Return the cosine of two examples' gradients, as one would write it down."""
    g, h = (flat_gradient(loss, params, example, select) for example in (a, b))
    return g @ h / jnp.sqrt((g @ g) * (h @ h))


def definition(loss, select=None):
    """Build ``(params, tuples) -> ((J, influences), grad J)`` by reverse mode of the definition."""

    def mean_loss(params, tuples):
        def of_probe(probe, partners, weights):
            both = jax.tree.map(
                lambda one, more: jnp.concatenate([one[None], more]), probe, partners
            )
            gradients = jax.vmap(partial(flat_gradient, loss, params, select=select))(both)
            g = gradients / jnp.linalg.norm(gradients, axis=1, keepdims=True)
            influences = g[1:] @ g[0]
            return (weights @ influences) ** 2, influences

        losses, influences = jax.vmap(of_probe)(*tuples)
        return losses.mean(), influences

    return jax.value_and_grad(mean_loss, has_aux=True)


@cache
def compiled_definition(name):
    """Compile the definition with a case's loss, once for the whole suite."""
    return jax.jit(definition(get_case(name).loss))


def pool_loss(loss, select=None):
    """Build ``(params, pool) -> (J, differences)`` of one label: all cosines, means over masks."""

    def mean_loss(params, pool):
        rows, columns = pool.is_real.shape
        flat = jax.tree.map(lambda x: x.reshape((-1,) + x.shape[2:]), pool.examples)
        gradients = jax.vmap(partial(flat_gradient, loss, select=select), (None, 0))(params, flat)
        g = gradients / jnp.linalg.norm(gradients, axis=1, keepdims=True)
        influences, real = g @ g.T, pool.is_real.ravel()
        row = np.repeat(np.arange(rows), columns)
        is_same = (row[:, None] == row) & ~np.eye(len(row), dtype=bool)
        means = [
            jnp.sum(jnp.where(group, influences, 0), axis=1)
            / jnp.maximum(group.sum(axis=1, dtype=float), 1)
            for group in (real[None] & is_same, real[None] & (row[:, None] != row))
        ]
        delta = jnp.where(real, means[0] - means[1], 0)
        return jnp.sum(delta**2) / real.sum(dtype=float), delta.reshape(rows, columns)

    return mean_loss


# --- comparing ----------------------------------------------------------------------------------


def assert_close(actual, expected, tolerance):
    """Assert that every element is right to ``tolerance`` times the tree's largest."""
    assert jax.tree.structure(actual) == jax.tree.structure(expected)
    size = max(np.max(np.abs(leaf)) for leaf in jax.tree.leaves(expected))

    def compare(path, a, b):
        assert a.shape == b.shape, (jax.tree_util.keystr(path), a.shape, b.shape)
        error = np.max(np.abs(np.asarray(a, np.float64) - np.asarray(b, np.float64)))
        assert error <= tolerance * size, (
            f"{jax.tree_util.keystr(path)}: error {error:.2g} on a tree up to {size:.2g}"
        )

    jax.tree.map_with_path(compare, actual, expected)


def assert_same_result(actual, expected, tolerance):
    """Compare two results ``((J, influences or info), gradient)`` part by part."""
    ((value, info), gradient), ((value_, influences_), gradient_) = actual, expected
    assert_close(value, value_, tolerance)
    assert_close(getattr(info, "influences", info), influences_, tolerance)
    assert_close(gradient, gradient_, tolerance)
