"""BertAdam against a loop in NumPy that follows the released code's description."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from itune.methods import LabelConfig
from itune.methods.label_steps import label_optimizer
from itune.optimizers import (
    BertAdamState,
    bert_adam,
    clip_each_tensor,
    has_decay,
    reset_moments,
    scale_by_bert_adam,
    warmup_linear,
)

STEPS = 7
RNG = np.random.default_rng(0)
SHAPES = {
    "dense": {"kernel": (3, 2), "bias": (2,)},
    "norm": {"scale": (4,), "bias": (4,)},
    "word": {"embedding": (5, 2)},
}
DECAYING = {("dense", "kernel"), ("word", "embedding")}


def draw(scale):
    def leaf(shape):
        return jnp.asarray(scale * RNG.normal(size=shape))

    return jax.tree.map(leaf, SHAPES, is_leaf=lambda x: isinstance(x, tuple))


PARAMS = draw(1.0)
GRADIENTS = [draw(scale) for scale in (0.01, 3.0, 1e-7, 0.3, 0.0, 1.0, 0.2)]  # clipped or not


def reference(rates, *, weight_decay, decays, clip):
    """Parameters after every step."""
    leaves = {(a, b): np.array(x) for a, sub in PARAMS.items() for b, x in sub.items()}
    m = {path: np.zeros_like(leaf) for path, leaf in leaves.items()}
    v = {path: np.zeros_like(leaf) for path, leaf in leaves.items()}
    for gradients, rate in zip(GRADIENTS, rates, strict=True):
        for path, leaf in leaves.items():
            g = np.asarray(gradients[path[0]][path[1]])
            if clip is not None:
                norm = np.sqrt((g**2).sum())
                if norm > clip:
                    g = g * clip / (norm + 1e-6)
            m[path] = 0.9 * m[path] + 0.1 * g
            v[path] = 0.999 * v[path] + 0.001 * g**2
            update = m[path] / (np.sqrt(v[path]) + 1e-6)
            if path in decays:
                update = update + weight_decay * leaf
            leaves[path] = leaf - rate * update
    return leaves


def ours(tx):
    params, state = PARAMS, tx.init(PARAMS)
    for gradients in GRADIENTS:
        updates, state = tx.update(gradients, state, params)
        params = optax.apply_updates(params, updates)
    return {(a, b): x for a, sub in params.items() for b, x in sub.items()}


def assert_same(found, expected):
    assert found.keys() == expected.keys()
    for path in expected:
        np.testing.assert_allclose(found[path], expected[path], rtol=1e-10, atol=0, err_msg=path)


@pytest.mark.parametrize(("weight_decay", "clip"), [(0.01, 1.0), (0.3, 0.5)])
def test_label_optimizer(weight_decay, clip):
    """Of 2 epochs of 5 updates, of which the first is the warmup."""
    settings = {"learning_rate": 0.1, "weight_decay": weight_decay, "clip": clip}
    found = ours(label_optimizer(LabelConfig(epochs=2, batch=5, **settings), 29))
    rates = [0.1 * min(step / 1, (10 - step) / 9) for step in range(STEPS)]
    assert_same(found, reference(rates, weight_decay=weight_decay, decays=DECAYING, clip=clip))


@pytest.mark.parametrize("clip", [None, 0.5])
def test_influence_optimizer(clip):
    everything = {(a, b) for a, sub in SHAPES.items() for b in sub}
    found = ours(bert_adam(0.05, weight_decay=0.3, decays=lambda path: True, clip=clip))
    expected = reference([0.05] * STEPS, weight_decay=0.3, decays=everything, clip=clip)
    assert_same(found, expected)


def test_no_bias_correction():
    """The first update is 0.1 / sqrt(0.001) times the gradient's sign, whatever its size."""
    tx = scale_by_bert_adam()
    gradient = jnp.array([1e3, -1e3])
    update, state = tx.update(gradient, tx.init(gradient))
    np.testing.assert_allclose(update, [0.1 / 0.001**0.5, -0.1 / 0.001**0.5], rtol=1e-6)
    np.testing.assert_allclose(state.mu, 0.1 * gradient, rtol=1e-12)


def test_clipping_is_by_tensor():
    updates = {"large": jnp.array([3.0, 4.0]), "small": jnp.array([0.3, 0.4])}
    clipped, _ = clip_each_tensor(1.0).update(updates, optax.EmptyState())
    np.testing.assert_allclose(clipped["large"], [0.6, 0.8], rtol=1e-6)
    np.testing.assert_array_equal(clipped["small"], updates["small"])
    zeros, _ = clip_each_tensor(1.0).update(jnp.zeros(3), optax.EmptyState())
    np.testing.assert_array_equal(zeros, np.zeros(3))


def test_decay_mask():
    paths = {(a, b) for a, sub in SHAPES.items() for b in sub}
    assert {path for path in paths if has_decay(path)} == DECAYING


@pytest.mark.parametrize(
    ("warmup", "expected"),
    [
        (0.4, [0, 0.25, 0.5, 0.75, 1, 5 / 6, 4 / 6, 3 / 6, 2 / 6, 1 / 6, 0, 0]),
        (0.0, [0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0, 0]),
        (1.0, [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0, 0]),
    ],
)
def test_warmup_linear(warmup, expected):
    schedule = warmup_linear(2e-5, 10, warmup)
    found = [float(schedule(jnp.asarray(step))) for step in range(12)]
    np.testing.assert_allclose(found, 2e-5 * np.array(expected), atol=1e-14)


def test_first_update_moves_nothing():
    tx = bert_adam(warmup_linear(0.1, 10))
    updates, state = tx.update(GRADIENTS[1], tx.init(PARAMS), PARAMS)
    assert all(np.all(leaf == 0) for leaf in jax.tree.leaves(updates))
    updates, _ = tx.update(GRADIENTS[1], state, PARAMS)
    assert all(np.all(leaf != 0) for leaf in jax.tree.leaves(updates))


def test_reset_moments():
    tx = bert_adam(warmup_linear(0.1, 10))
    state = tx.init(PARAMS)
    for gradients in GRADIENTS[:2]:
        _, state = tx.update(gradients, state, PARAMS)
    cleared = reset_moments(state)
    assert jax.tree.structure(cleared) == jax.tree.structure(state)

    def split(state):
        is_moments = lambda node: isinstance(node, BertAdamState)  # noqa: E731
        nodes = jax.tree.leaves(state, is_leaf=is_moments)
        return [n for n in nodes if is_moments(n)], [n for n in nodes if not is_moments(n)]

    (before,), schedule = split(state)
    (after,), schedule_after = split(cleared)
    assert all(np.any(leaf != 0) for leaf in jax.tree.leaves(before))
    assert all(np.all(leaf == 0) for leaf in jax.tree.leaves(after))
    assert schedule == schedule_after and optax.tree.get(cleared, "count") == 2
