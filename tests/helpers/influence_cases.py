"""Tiny models that use layers in every way the influence engine covers, and the definition of J."""

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

TAPS = {"tap_in": 0, "tap_out": 0}
POSITIONS, WIDTH, CLASSES = 3, 16, 3  # a kernel (16, 16) at 3 positions is kept as Outer


class Case(NamedTuple):
    """A loss, its random float64 parameters, ``draw(rng, *lead) -> examples``, and its terms.

    ``terms`` are the kinds of term that the weights of the model's layers are kept as.
    """

    loss: LinenLoss
    params: Any
    draw: Callable
    terms: set[str]


# --- models -------------------------------------------------------------------------------------


def norm(kind, x):
    # Otherwise Flax asks for float64 promoted with float32, which strict promotion forbids.
    return kind(param_dtype=x.dtype, use_fast_variance=False, force_float32_reductions=False)(x)


class Mlp(nn.Module):
    @nn.compact
    def __call__(self, x):
        x = jnp.tanh(nn.Dense(8)(x))
        x = jnp.tanh(nn.Dense(2)(x))
        return nn.Dense(CLASSES)(x)


class Block(nn.Module):
    @nn.compact
    def __call__(self, x, _=None):
        return x + jnp.tanh(nn.Dense(WIDTH)(norm(nn.LayerNorm, x))), None


class Scanned(nn.Module):
    """Two blocks whose parameters ``nn.scan`` stacks; a lifted class at the head."""

    axes: tuple = (("params", 0), *TAPS.items())

    @nn.compact
    def __call__(self, x):
        rngs = {"params": True}
        x, _ = nn.scan(Block, variable_axes=dict(self.axes), split_rngs=rngs, length=2)()(x, None)
        return nn.remat(nn.Dense)(CLASSES)(x.mean(axis=0))


class Group(nn.Module):
    @nn.compact
    def __call__(self, carry, x):
        return jnp.tanh(nn.Dense(WIDTH)(carry) + x), None


class Recurrent(nn.Module):
    """One group called at every position, its parameters shared by ``nn.scan``."""

    @nn.compact
    def __call__(self, x):
        scan = nn.scan(
            Group, variable_broadcast="params", variable_axes=TAPS, split_rngs={"params": False}
        )
        return nn.Dense(CLASSES)(scan()(jnp.ones_like(x[0]), x)[0])


class Twice(nn.Module):
    """One layer called on all positions, and then on their mean."""

    @nn.compact
    def __call__(self, x):
        dense = nn.Dense(WIDTH)
        x = jnp.tanh(dense(x))
        return nn.Dense(CLASSES)(jnp.tanh(dense(x.mean(axis=0))))


class Tied(nn.Module):
    """One table that reads tokens and scores them, and is called a second time."""

    @nn.compact
    def __call__(self, ids):
        embed = nn.Embed(7, 4)
        return embed.attend(jnp.tanh(embed(ids)).mean(axis=0) * embed(ids[0]))


class Attention(nn.Module):
    @nn.compact
    def __call__(self, x):
        x = nn.MultiHeadDotProductAttention(num_heads=2, qkv_features=8)(x)
        return nn.DenseGeneral(CLASSES, axis=(-2, -1))(x)


class Convolved(nn.Module):
    """Convolutions in one and two dimensions; in the first the layer's batch axis is missing."""

    @nn.compact
    def __call__(self, x):
        x = jnp.tanh(nn.Conv(6, 2, padding="VALID")(x))
        image = jnp.tanh(nn.Conv(3, (3, 2), strides=(2, 1), kernel_dilation=(1, 2))(x[..., None]))
        return nn.Dense(CLASSES)(image.mean(axis=(0, 1)))


class Norms(nn.Module):
    """Both normalisations, and no bias."""

    @nn.compact
    def __call__(self, x):
        x = norm(nn.RMSNorm, x)
        x = norm(nn.LayerNorm, jnp.sin(x))
        return nn.Dense(CLASSES, use_bias=False)(x.mean(axis=0))


BERT = BertConfig(
    vocab_size=20,
    hidden_size=8,
    num_layers=1,
    num_heads=2,
    intermediate_size=12,
    max_positions=10,
    num_labels=CLASSES,
)


# --- losses, parameters, examples ---------------------------------------------------------------


def classify(apply, z):
    """Cross entropy times ``scale``, with ``gap`` added to the label's logit."""
    logits = apply(z["x"])
    shift = z["gap"] * jax.nn.one_hot(z["y"], logits.shape[-1], dtype=logits.dtype)
    return z["scale"] * cross_entropy(logits + shift, z["y"])


def classify_text(apply, z):
    return cross_entropy(apply(z["ids"], z["mask"], z["types"]).logits, z["y"])


def random_params(module, *inputs, seed=0):
    """Float64, all of them random: zero biases and unit scales would hide mistakes."""
    singles = cast(inputs, jnp.float32)
    shapes = jax.eval_shape(module.init, jax.random.key(0), *singles)["params"]
    rng = np.random.default_rng(seed)

    def draw(path, leaf):
        return jnp.asarray((path[-1].key == "scale") + 0.4 * rng.normal(size=leaf.shape))

    return jax.tree.map_with_path(draw, shapes)


def cast(tree, dtype):
    """The tree with its floats as ``dtype``; float32 and back is how float32 is tested."""
    return jax.tree.map(
        lambda x: x.astype(dtype) if jnp.issubdtype(x.dtype, jnp.floating) else x, tree
    )


def draw_features(shape, rng, *lead):
    return {
        "x": jnp.asarray(rng.normal(size=(*lead, *shape))),
        "y": jnp.asarray(rng.integers(0, CLASSES, lead), jnp.int32),
        "gap": jnp.zeros(lead),
        "scale": jnp.ones(lead),
    }


def draw_tokens(rng, *lead):
    ids = rng.integers(0, 7, (*lead, 5))
    ids[..., -1] = ids[..., 0]  # a repeated token
    return {
        "x": jnp.asarray(ids, jnp.int32),
        "y": jnp.asarray(rng.integers(0, 7, lead), jnp.int32),
        "gap": jnp.zeros(lead),
        "scale": jnp.ones(lead),
    }


def draw_text(rng, *lead, width=9):
    """Sentences of 2 to 6 tokens with one of them twice, padded to ``width``."""
    lengths = rng.integers(2, 7, lead)
    ids = rng.integers(1, 20, (*lead, 6))
    ids[..., 1] = ids[..., 0]
    mask = np.arange(6) < lengths[..., None]
    leaves = {"ids": ids * mask, "mask": mask, "types": rng.integers(0, 2, mask.shape) * mask}
    pad = [(0, 0)] * len(lead) + [(0, width - 6)]
    text = {name: jnp.asarray(np.pad(leaf, pad), jnp.int32) for name, leaf in leaves.items()}
    return text | {"y": jnp.asarray(rng.integers(0, CLASSES, lead), jnp.int32)}


def draw_tuples(draw, rng, probes=3, partners=3):
    weights = rng.normal(size=(probes, partners))
    return Tuples(draw(rng, probes), draw(rng, probes, partners), jnp.asarray(weights))


def _case(module, shape, terms):
    params = random_params(module, jnp.zeros(shape))
    return Case(LinenLoss(module, classify), params, partial(draw_features, shape), terms)


def _tied_case():
    params = random_params(Tied(), jnp.zeros(5, jnp.int32))
    return Case(LinenLoss(Tied(), classify), params, draw_tokens, {"Lookup", "Outer"})


def _bert_case():
    ids = jnp.zeros(6, jnp.int32)
    params = random_params(BertClassifier(BERT), ids, ids)
    loss = LinenLoss(BertClassifier(BERT), classify_text)
    return Case(loss, params, draw_text, {"Lookup", "Outer", "Formed"})


SEQUENCE = (POSITIONS, WIDTH)
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
    return _CASES[name]()


@cache
def compiled(name, route, microbatch=None):
    """``value_and_grad`` of a case's loss, compiled once for the whole suite."""
    return jax.jit(value_and_grad(get_case(name).loss, route=route, microbatch=microbatch))


# --- the definition -----------------------------------------------------------------------------


def flat_gradient(loss, params, example, select=None):
    """The selected parameters' gradient as one vector, by ``jax.grad``."""
    leaves = jax.tree_util.tree_leaves_with_path(jax.grad(loss)(params, example))
    return ravel_pytree(
        [leaf for path, leaf in leaves if select is None or select(tuple(k.key for k in path))]
    )[0]


def influence(loss, params, a, b, select=None):
    """The cosine of two examples' gradients, as one would write it down."""
    g, h = (flat_gradient(loss, params, example, select) for example in (a, b))
    return g @ h / jnp.sqrt((g @ g) * (h @ h))


def definition(loss, select=None):
    """``(params, tuples) -> ((J, influences), grad J)`` by reverse mode of the definition."""

    def mean_loss(params, tuples):
        def of_probe(probe, partners, weights):
            one = partial(influence, loss, params, b=probe, select=select)
            influences = jax.vmap(lambda a: one(a=a))(partners)
            return (weights @ influences) ** 2, influences

        losses, influences = jax.vmap(of_probe)(*tuples)
        return losses.mean(), influences

    return jax.value_and_grad(mean_loss, has_aux=True)


@cache
def compiled_definition(name):
    return jax.jit(definition(get_case(name).loss))


# --- comparing ----------------------------------------------------------------------------------


def assert_close(actual, expected, tolerance):
    """Every element to ``tolerance`` times the tree's largest; the message names the leaf."""
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
    """``((J, influences or info), gradient)``: each part by :func:`assert_close`."""
    ((value, info), gradient), ((value_, influences_), gradient_) = actual, expected
    assert_close(value, value_, tolerance)
    assert_close(getattr(info, "influences", info), influences_, tolerance)
    assert_close(gradient, gradient_, tolerance)
