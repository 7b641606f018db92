"""Methods on a tiny classifier, piece by piece, and updates worked out without them."""

from functools import cache
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import linen as nn
from jax.flatten_util import ravel_pytree

from itune.data.dataset import Dataset, collate
from itune.data.twins import add_twins
from itune.influence import LinenLoss, cross_entropy
from itune.methods import Classifier, LabelConfig
from itune.optimizers import BertAdamState
from itune.training.batches import batch_of

TOLERANCE = 1e-10  # sums in another order, in float64


class BagOutput(NamedTuple):
    logits: jax.Array
    pooled: jax.Array


class Bag(nn.Module):
    """A bag of word vectors, with dropout."""

    @nn.compact
    def __call__(self, input_ids, attention_mask, *, deterministic=True):
        words = nn.Embed(9, 4, param_dtype=jnp.float64)(input_ids)
        mean = (words * attention_mask[..., None]).sum(axis=-2) / attention_mask.sum()
        pooled = nn.Dropout(0.5)(jnp.tanh(mean), deterministic=deterministic)
        return BagOutput(nn.Dense(3, param_dtype=jnp.float64, name="classifier")(pooled), pooled)


def loss_of(apply, example):
    mask = example["attention_mask"].astype(jnp.float64)
    dropout = {}
    if "dropout" in example:
        dropout = {"deterministic": False, "rngs": {"dropout": jax.random.key(example["dropout"])}}
    return cross_entropy(apply(example["input_ids"], mask, **dropout).logits, example["label"])


def outputs(params, examples, key):
    def one(example, key):
        rngs = None if key is None else {"dropout": key}
        mask = example["attention_mask"].astype(jnp.float64)
        return Bag().apply(
            {"params": params}, example["input_ids"], mask, deterministic=key is None, rngs=rngs
        )

    keys = None if key is None else jax.random.split(key, len(examples["label"]))
    return jax.vmap(one, (0, None if key is None else 0))(examples, keys)


@jax.jit
def one_by_one(params, examples):
    """Label losses of examples without dropout, ``(n,)``, and their flat gradients, ``(n, P)``."""

    def loss(params, example):
        alone = jax.tree.map(lambda leaf: leaf[None], example)
        return cross_entropy(outputs(params, alone, None).logits, alone["label"])[0]

    def of(example):
        value, gradient = jax.value_and_grad(loss)(params, example)
        return value, ravel_pytree(gradient)[0]

    return jax.vmap(of)(examples)


CLASSIFIER = Classifier(LinenLoss(Bag(), loss_of), outputs, width=4)
RNG = np.random.default_rng(0)
TRAIN = Dataset(
    [RNG.integers(1, 9, length).astype(np.int32) for length in RNG.integers(2, 9, 24)],
    RNG.integers(0, 3, 24).astype(np.int32),
    RNG.integers(0, 2, 24).astype(np.int32),
)
EVEN = Dataset(  # 4 of each of 6 groups
    TRAIN.input_ids,
    *(np.arange(24, dtype=np.int32) // step % size for step, size in ((1, 3), (3, 2))),
)
WITH_TWIN = np.arange(0, 24, 2)
TWINNED = add_twins(  # their twins lack the first token
    EVEN,
    Dataset([EVEN.input_ids[row][1:] for row in WITH_TWIN], *EVEN.subset(WITH_TWIN)[1:3]),
    WITH_TWIN,
)
LABEL = LabelConfig(epochs=5, batch=6, learning_rate=0.1)  # rate 0 at first, then the peak


@cache
def initial_params():
    shapes = jax.eval_shape(Bag().init, jax.random.key(0), jnp.zeros(3, int), jnp.ones(3))
    rng = np.random.default_rng(1)
    return jax.tree.map(lambda leaf: jnp.asarray(rng.normal(size=leaf.shape)), shapes["params"])


def label_chunk(indices, size=3, seed=0, data=TRAIN):
    """A chunk as a plan makes it: filled up by an example that is not real."""
    indices = np.array(indices)
    is_real = np.arange(size) < len(indices)
    rows = np.concatenate([indices, np.repeat(indices[:1], size - len(indices))])
    return {"is_real": is_real, "dropout": np.uint32(seed), "examples": collate(data, rows)}


class TinyMethod:
    """A method on the tiny classifier, whose steps are compiled once."""

    def __init__(self, factory, label, *config, train=TRAIN):
        self.method, self.train = factory(CLASSIFIER, label, *config, train, 0), train
        self.steps = {kind: jax.jit(step) for kind, step in self.method.steps.items()}

    def initial(self):
        return self.method.init(initial_params())

    def at_peak(self, kind="label_without_dropout"):
        """The state after two updates, where neither the rate nor Adam's moments are 0."""
        state = self.initial()
        for indices in ([0, 1, 2], [3, 4, 5]):
            state, _ = self.run(state, [(kind, label_chunk(indices)), ("label_update", {})])
        return state

    def run(self, state, work):
        """Does some work, pairs of a kind and a batch; the state and what the last step logs."""
        info = {}
        for kind, batch in work:
            assert info == {}  # only updates have something to log
            state, info = self.steps[kind](state, batch)
        return state, info

    def run_planned(self, plan, state=None, data=None):
        """Do the work of a plan but for evaluations, on these data or others; the state."""
        state = self.initial() if state is None else state
        for work in plan:
            if work.kind in self.steps:
                state, _ = self.steps[work.kind](state, batch_of(work, data or self.train))
        return state


class Update(NamedTuple):
    """What an update should come to."""

    params: dict
    optimizer: tuple
    value: jax.Array
    norm: jax.Array


def expected_update(tx, optimizer, params, value_and_gradient):
    """One optax update by a gradient, with the mean loss and the gradient's norm."""
    value, gradient = value_and_gradient
    updates, optimizer = tx.update(gradient, optimizer, params)
    norm = jnp.sqrt(sum(jnp.sum(leaf**2) for leaf in jax.tree.leaves(gradient)))
    return Update(optax.apply_updates(params, updates), optimizer, value, norm)


def assert_updated(params, phase, info, name, expected):
    """The parameters, optimizer and what is logged are as expected; nothing is left collected."""
    assert_close((params, phase.optimizer), (expected.params, expected.optimizer))
    assert_close((info[name], info["gradient_norm"]), (expected.value, expected.norm))
    collected = (phase.gradient, phase.sums, phase.count)
    assert all(not np.any(leaf) for leaf in jax.tree.leaves(collected))


def assert_reset(phase, phase_before):
    """The phase's moments are 0 and were not; what was collected stays."""

    def is_moments(node):
        return isinstance(node, BertAdamState)

    nodes = jax.tree.leaves(phase.optimizer, is_leaf=is_moments)
    nodes_before = jax.tree.leaves(phase_before.optimizer, is_leaf=is_moments)
    for node, before in zip(nodes, nodes_before, strict=True):
        if is_moments(node):
            assert any(np.any(leaf) for leaf in jax.tree.leaves(before))
            assert not any(np.any(leaf) for leaf in jax.tree.leaves(node))
        else:
            assert node == before
    assert phase.count > 0
    assert_close(phase[1:], phase_before[1:])


def assert_close(actual, expected):
    def compare(a, b):
        np.testing.assert_allclose(a, b, rtol=TOLERANCE, atol=TOLERANCE)

    jax.tree.map(compare, actual, expected)
