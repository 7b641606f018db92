"""What the step functions compute: one optax update of a mean, however it was collected."""

from dataclasses import replace
from functools import cache
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import linen as nn

from itune.data.dataset import Dataset, collate
from itune.influence import LinenLoss, Pool, Tuples, cross_entropy, value_and_grad
from itune.methods import Classifier, InfluenceConfig, LabelConfig, finetuning, influence_tuning
from itune.training.optimizers import BertAdamState, bert_adam, warmup_linear

TOLERANCE = 1e-10  # sums in another order, in float64


class Bag(nn.Module):
    """A bag of word vectors, with dropout."""

    @nn.compact
    def __call__(self, input_ids, attention_mask, *, deterministic=True):
        words = nn.Embed(9, 4, param_dtype=jnp.float64)(input_ids)
        mean = (words * attention_mask[..., None]).sum(axis=-2) / attention_mask.sum()
        mean = nn.Dropout(0.5)(jnp.tanh(mean), deterministic=deterministic)
        return nn.Dense(3, param_dtype=jnp.float64)(mean)


def loss_of(apply, example):
    mask = example["attention_mask"].astype(jnp.float64)
    return cross_entropy(apply(example["input_ids"], mask), example["label"])


def batch_losses(params, examples, key):
    def one(example, key):
        def apply(*args):
            rngs = None if key is None else {"dropout": key}
            is_off = key is None
            return Bag().apply({"params": params}, *args, deterministic=is_off, rngs=rngs)

        return loss_of(apply, example)

    keys = None if key is None else jax.random.split(key, len(examples["label"]))
    return jax.vmap(one, (0, None if key is None else 0))(examples, keys)


CLASSIFIER = Classifier(LinenLoss(Bag(), loss_of), batch_losses)
RNG = np.random.default_rng(0)
TRAIN = Dataset(
    [RNG.integers(1, 9, length).astype(np.int32) for length in RNG.integers(2, 9, 24)],
    RNG.integers(0, 3, 24).astype(np.int32),
    RNG.integers(0, 2, 24).astype(np.int32),
)
LABEL = LabelConfig(epochs=5, batch=6, learning_rate=0.1)  # rate 0 at first, then the peak
INFLUENCE = InfluenceConfig(k=2, learning_rate=0.03, clip=0.02)


class Compiled(NamedTuple):
    method: NamedTuple
    steps: dict


@cache
def compiled(name):
    if name == "finetuning":
        method = finetuning(CLASSIFIER, LABEL, len(TRAIN), 0)
    else:
        partners = "pooled" if name == "pooled" else "drawn"
        influence = replace(INFLUENCE, partners=partners)
        method = influence_tuning(CLASSIFIER, LABEL, influence, len(TRAIN), 0)
    return Compiled(method, {kind: jax.jit(step) for kind, step in method.steps.items()})


@cache
def initial_params():
    shapes = jax.eval_shape(Bag().init, jax.random.key(0), jnp.zeros(3, int), jnp.ones(3))
    rng = np.random.default_rng(1)
    return jax.tree.map(lambda leaf: jnp.asarray(rng.normal(size=leaf.shape)), shapes["params"])


def start(name="finetuning", *, at_peak=True):
    """A fresh state; ``at_peak`` after two updates, where the rate is not 0 and moments are not."""
    method, steps = compiled(name)
    state = method.init(initial_params())
    for indices in ([0, 1, 2], [3, 4, 5]) if at_peak else ():
        state, _ = steps["label_without_dropout"](state, label_chunk(indices))
        state, _ = steps["label_update"](state, {})
    return state


def label_chunk(indices, size=3, seed=0):
    """A chunk as a plan makes it: filled up by an example that is not real."""
    indices = np.array(indices)
    is_real = np.arange(size) < len(indices)
    rows = np.concatenate([indices, np.repeat(indices[:1], size - len(indices))])
    return {
        "is_real": is_real,
        "dropout": np.uint32(seed),
        "examples": collate(TRAIN, rows),
    }


def run(name, state, kinds_and_batches):
    info = {}
    for kind, batch in kinds_and_batches:
        assert info == {}  # only updates have something to log
        state, info = compiled(name).steps[kind](state, batch)
    return state, info


def assert_close(actual, expected):
    def compare(a, b):
        np.testing.assert_allclose(a, b, rtol=TOLERANCE, atol=TOLERANCE)

    jax.tree.map(compare, actual, expected)


def plain_step(tx, optimizer, params, value, gradient):
    updates, optimizer = tx.update(gradient, optimizer, params)
    norm = jnp.sqrt(sum(jnp.sum(leaf**2) for leaf in jax.tree.leaves(gradient)))
    return optax.apply_updates(params, updates), optimizer, value, norm


def assert_updated(state, phase, info, name, expected):
    params, optimizer, value, norm = expected
    assert_close((state.params, phase.optimizer), (params, optimizer))
    assert_close((info[name], info["gradient_norm"]), (value, norm))
    collected = (phase.gradient, phase.value, phase.count)
    assert all(not np.any(leaf) for leaf in jax.tree.leaves(collected))


@pytest.mark.parametrize("name", ["finetuning", "influence_tuning"])
@pytest.mark.parametrize(
    "chunks", [([7, 8, 9], [10, 11, 12]), ([12, 7], [8, 11, 9], [10]), ([9], [7, 8, 12], [10, 11])]
)
def test_label_step(name, chunks):
    """However six examples are cut into chunks: one update by the mean over all six."""
    state = start(name)
    work = [("label_without_dropout", label_chunk(chunk)) for chunk in chunks]
    after, info = run(name, state, [*work, ("label_update", {})])

    def mean_loss(params):
        return batch_losses(params, collate(TRAIN, np.arange(7, 13)), None).mean()

    tx = bert_adam(warmup_linear(0.1, 20))
    step = plain_step(
        tx, state.label.optimizer, state.params, *jax.value_and_grad(mean_loss)(state.params)
    )
    assert_updated(after, after.label, info, "loss", step)
    assert np.any(after.params["Dense_0"]["bias"] != state.params["Dense_0"]["bias"])


def test_dropout_follows_its_seed():
    state = start()

    def gradient(kind, seed):
        after, _ = compiled("finetuning").steps[kind](state, label_chunk([7, 8, 9], seed=seed))
        return np.asarray(after.label.gradient["Dense_0"]["kernel"])

    plain = gradient("label_without_dropout", 1)
    np.testing.assert_array_equal(plain, gradient("label_without_dropout", 2))
    np.testing.assert_array_equal(gradient("label", 1), gradient("label", 1))
    assert np.any(gradient("label", 1) != gradient("label", 2))
    assert np.any(gradient("label", 1) != plain)


def test_rows_that_are_not_real():
    """Neither what they hold nor how many there are changes anything."""
    state = start()
    step = compiled("finetuning").steps["label_without_dropout"]
    chunk = label_chunk([7])
    other = chunk | {"examples": collate(TRAIN, np.array([7, 20, 21]))}
    assert_close(step(state, chunk)[0], step(state, other)[0])
    assert float(step(state, chunk)[0].label.count) == 1
    for_two = step(state, label_chunk([7, 7]))[0]
    assert_close(
        jax.tree.map(lambda g: 2 * g, step(state, chunk)[0].label.gradient), for_two.label.gradient
    )


def test_first_update_has_rate_0():
    state = start(at_peak=False)
    after, _ = run(
        "finetuning", state, [("label_without_dropout", label_chunk([1])), ("label_update", {})]
    )
    assert_close(after.params, state.params)
    assert any(np.any(leaf) for leaf in jax.tree.leaves(after.label.optimizer))


# --- influence ----------------------------------------------------------------------------------

ROWS = np.array([[0, 1, 2, 3, 4], [5, 6, 7, 8, 9], [10, 11, 12, 10, 10]])  # the probe first
WEIGHTS = np.array([[0.5, 0.5, -0.5, -0.5], [0.5, 0.5, -0.5, -0.5], [0.5, 0.5, 0.0, 0.0]])


def tuple_chunk(rows, size=2):
    is_real = np.arange(size) < len(rows)
    rows = np.concatenate([rows, np.repeat(rows[:1], size - len(rows))])
    return {
        "examples": collate(TRAIN, ROWS[rows]),
        "weights": (WEIGHTS[rows] * is_real[:, None]).astype(np.float32),
        "is_real": is_real,
    }


@cache
def expected_influence():
    """Mean influence loss of all tuples and its gradient by the slow route, at the peak state."""
    examples = collate(TRAIN, ROWS)
    tuples = Tuples(
        jax.tree.map(lambda leaf: leaf[:, 0], examples),
        jax.tree.map(lambda leaf: leaf[:, 1:], examples),
        WEIGHTS,
    )
    derivative = jax.jit(value_and_grad(CLASSIFIER.loss, route="autodiff"))
    (value, _), gradient = derivative(start("influence_tuning").params, tuples)
    return value, gradient


@pytest.mark.parametrize("chunks", [([0, 1], [2]), ([2], [1], [0]), ([1, 2], [0])])
def test_influence_update(chunks):
    state = start("influence_tuning")
    work = [("tuples", tuple_chunk(np.array(rows))) for rows in chunks]
    after, info = run("influence_tuning", state, [*work, ("influence_update", {})])
    tx = bert_adam(0.03, decays=lambda path: True, clip=0.02)
    value, gradient = expected_influence()
    assert value > 1e-3 and max(jnp.linalg.norm(g) for g in jax.tree.leaves(gradient)) > 0.02
    step = plain_step(tx, state.influence.optimizer, state.params, value, gradient)
    assert_updated(after, after.influence, info, "influence_loss", step)
    assert_close(after.label, state.label)


def pool_chunk(rows, is_real):
    return {"examples": collate(TRAIN, np.array(rows)), "is_real": np.array(is_real)}


def test_pooled_update():
    """One update by the mean over the probes of all pools, of unlike sizes."""
    state = start("pooled")
    pools = [
        pool_chunk([[0, 1, 2], [3, 4, 5]], [[1, 1, 1], [1, 1, 0]]),
        pool_chunk([[6, 7], [8, 9], [10, 11]], np.ones((3, 2))),
    ]
    pools = [p | {"is_real": p["is_real"].astype(bool)} for p in pools]
    after, info = run("pooled", state, [*(("pool", p) for p in pools), ("influence_update", {})])
    by_pairs = jax.jit(value_and_grad(CLASSIFIER.loss, route="autodiff"))
    results = [by_pairs(state.params, Pool(p["examples"], p["is_real"])) for p in pools]
    (five, _), gradient_of_five = results[0]
    (six, _), gradient_of_six = results[1]
    assert not np.isclose(five, six)
    gradient = jax.tree.map(lambda a, b: (5 * a + 6 * b) / 11, gradient_of_five, gradient_of_six)
    tx = bert_adam(0.03, decays=lambda path: True, clip=0.02)
    value = (5 * five + 6 * six) / 11
    step = plain_step(tx, state.influence.optimizer, state.params, value, gradient)
    assert_updated(after, after.influence, info, "influence_loss", step)


def test_end_round():
    work = [
        ("tuples", tuple_chunk(np.array([0, 1]))),
        ("influence_update", {}),
    ]
    state, _ = run("influence_tuning", start("influence_tuning"), work)
    pending = [
        ("tuples", tuple_chunk(np.array([2]))),
        ("label_without_dropout", label_chunk([7, 8])),
    ]
    state, _ = run("influence_tuning", state, pending)
    after, info = run("influence_tuning", state, [("end_round", {})])
    assert info == {} and jax.tree.structure(after) == jax.tree.structure(state)
    assert_close(after.params, state.params)

    def is_moments(node):
        return isinstance(node, BertAdamState)

    for phase, phase_before in ((after.label, state.label), (after.influence, state.influence)):
        nodes = jax.tree.leaves(phase.optimizer, is_leaf=is_moments)
        nodes_before = jax.tree.leaves(phase_before.optimizer, is_leaf=is_moments)
        for node, before in zip(nodes, nodes_before, strict=True):
            if is_moments(node):
                assert any(np.any(leaf) for leaf in jax.tree.leaves(before))
                assert not any(np.any(leaf) for leaf in jax.tree.leaves(node))
            else:
                assert node == before
        assert phase.count > 0  # what was collected stays
        assert_close(phase[1:], phase_before[1:])
    counts = [int(c) for c in jax.tree.leaves(after.label.optimizer) if c.ndim == 0]
    assert counts == [2]  # the schedule goes on
