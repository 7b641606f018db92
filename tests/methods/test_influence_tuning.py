"""Influence tuning: updates by the mean influence loss of tuples or pools; ends of rounds."""

from dataclasses import replace
from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from jax.flatten_util import ravel_pytree

from itune.data.dataset import collate
from itune.errors import UserError
from itune.influence import Pool, Tuples, value_and_grad
from itune.methods import InfluenceConfig
from itune.methods.influence_tuning import influence_tuning
from itune.optimizers import bert_adam
from tests.helpers.influence_batches import ROWS, WEIGHTS, pool_chunk, tuple_chunk
from tests.helpers.plans import assert_same_plan
from tests.helpers.tiny_method import (
    CLASSIFIER,
    LABEL,
    TRAIN,
    Bag,
    TinyMethod,
    assert_close,
    assert_reset,
    assert_updated,
    expected_update,
    label_chunk,
)
from tests.methods.test_rounds import INFLUENCE as ROUNDS
from tests.methods.test_rounds import influence_plan

DRAWN = TinyMethod(influence_tuning, LABEL, InfluenceConfig(k=2, learning_rate=0.03, clip=0.02))
POOLED = TinyMethod(
    influence_tuning,
    LABEL,
    InfluenceConfig(k=2, learning_rate=0.03, clip=0.02, partners="pooled"),
)
BY_PAIRS = jax.jit(value_and_grad(CLASSIFIER.loss, route="autodiff"))


@pytest.mark.parametrize("target", [-2.1, 3.0])
def test_bad_targets(target):
    with pytest.raises(UserError, match=f"^target must be a number from -2 to 2, got {target}$"):
        InfluenceConfig(target=target)


@pytest.mark.parametrize(
    ("partners", "route", "taken"),
    [
        ("drawn", "fastest", "ghost"),
        ("pooled", "fastest", "pair_free"),
        ("drawn", "hvp", "hvp"),
        ("pooled", "ghost", "ghost"),
    ],
)
def test_exact_route(partners, route, taken):
    assert InfluenceConfig(partners=partners, route=route).exact_route == taken


def test_pools_are_computed_by_chunks(monkeypatch):
    options = []
    monkeypatch.setattr(
        "itune.methods.influence_tuning.value_and_grad", lambda loss, **of: options.append(of)
    )
    for partners, route in (("pooled", "fastest"), ("pooled", "hvp"), ("drawn", "fastest")):
        config = InfluenceConfig(partners=partners, route=route, pool_chunk=4)
        influence_tuning(CLASSIFIER, LABEL, config, TRAIN, 0)
    assert [of["microbatch"] for of in options] == [4, None, None]


@cache
def expected_influence():
    """Mean influence loss of all tuples and its gradient by the slow route, at the peak state."""
    examples = collate(TRAIN, ROWS)
    tuples = Tuples(
        jax.tree.map(lambda leaf: leaf[:, 0], examples),
        jax.tree.map(lambda leaf: leaf[:, 1:], examples),
        WEIGHTS,
    )
    (value, _), gradient = BY_PAIRS(DRAWN.at_peak().params, tuples)
    return value, gradient


@pytest.mark.parametrize("chunks", [([0, 1], [2]), ([2], [1], [0]), ([1, 2], [0])])
def test_influence_update(chunks):
    state = DRAWN.at_peak()
    work = [("tuples", tuple_chunk(np.array(rows))) for rows in chunks]
    after, info = DRAWN.run(state, [*work, ("influence_update", {})])
    tx = bert_adam(0.03, decays=lambda path: True, clip=0.02)
    value, gradient = expected_influence()
    assert value > 1e-3 and max(jnp.linalg.norm(g) for g in jax.tree.leaves(gradient)) > 0.02
    expected = expected_update(tx, state.influence.optimizer, state.params, (value, gradient))
    assert_updated(after.params, after.influence, info, "influence_loss", expected)
    assert_close(after.label, state.label)


IN_PIECES = TinyMethod(
    influence_tuning,
    LABEL,
    InfluenceConfig(k=2, learning_rate=0.03, clip=0.02, partners="pooled", pool_chunk=4),
)


@pytest.mark.parametrize("method", [POOLED, IN_PIECES], ids=["at once", "in pieces"])
def test_pooled_update(method):
    """One update by the mean over the probes of all pools, of unlike sizes."""
    state = method.at_peak()
    pools = [
        pool_chunk([[0, 1, 2], [3, 4, 5]], [[True, True, True], [True, True, False]]),
        pool_chunk([[6, 7, 8], [9, 10, 11]], np.ones((2, 3), bool)),
    ]
    work = [*(("pool", pool) for pool in pools), ("influence_update", {})]
    after, info = method.run(state, work)
    results = [BY_PAIRS(state.params, Pool(p["examples"], p["is_real"])) for p in pools]
    (five, _), gradient_of_five = results[0]
    (six, _), gradient_of_six = results[1]
    assert not np.isclose(five, six)
    gradient = jax.tree.map(lambda a, b: (5 * a + 6 * b) / 11, gradient_of_five, gradient_of_six)
    tx = bert_adam(0.03, decays=lambda path: True, clip=0.02)
    value = (5 * five + 6 * six) / 11
    expected = expected_update(tx, state.influence.optimizer, state.params, (value, gradient))
    assert_updated(after.params, after.influence, info, "influence_loss", expected)


def test_update_of_a_pool_of_all_labels():
    """One pool with an axis of labels, of which the first has no third confound."""
    state = POOLED.at_peak()
    is_real = [[[True, True], [True, True], [False, False]], [[True, True]] * 3]
    batch = pool_chunk([[[0, 1], [2, 3], [0, 0]], [[4, 5], [6, 7], [8, 9]]], is_real)
    after, info = POOLED.run(state, [("pool", batch), ("influence_update", {})])
    pool = Pool(batch["examples"], jnp.asarray(batch["is_real"]))
    (value, _), gradient = BY_PAIRS(state.params, pool)
    tx = bert_adam(0.03, decays=lambda path: True, clip=0.02)
    expected = expected_update(tx, state.influence.optimizer, state.params, (value, gradient))
    assert_updated(after.params, after.influence, info, "influence_loss", expected)


def test_update_towards_a_target():
    config = InfluenceConfig(k=2, learning_rate=0.03, partners="pooled", target=0.5)
    method = TinyMethod(influence_tuning, LABEL, config)
    state, batch = method.at_peak(), pool_chunk([[0, 1, 2], [3, 4, 5]], np.ones((2, 3), bool))
    after, info = method.run(state, [("pool", batch), ("influence_update", {})])

    def loss(params):
        pool = Pool(batch["examples"], batch["is_real"])
        (_, of_pool), _ = value_and_grad(CLASSIFIER.loss, route="autodiff")(params, pool)
        return jnp.mean((of_pool.delta - 0.5) ** 2)

    tx = bert_adam(0.03, decays=lambda path: True)
    found = jax.jit(jax.value_and_grad(loss))(state.params)
    expected = expected_update(tx, state.influence.optimizer, state.params, found)
    assert_updated(after.params, after.influence, info, "influence_loss", expected)


SEEDS = np.arange(20, 26, dtype=np.uint32).reshape(2, 3)


DROPPED = pool_chunk([[0, 1, 2], [3, 4, 5]], [[True, True, True], [True, True, False]])
DROPPED["dropout"] = SEEDS


@jax.jit
@jax.value_and_grad
def by_definition(params):
    """The influence loss of all pairs of a pool with dropout, from gradients one by one."""
    examples = jax.tree.map(lambda leaf: leaf.reshape(-1, *leaf.shape[2:]), DROPPED["examples"])

    def gradient(example, seed):
        mask = example["attention_mask"].astype(jnp.float64)
        rngs = {"dropout": jax.random.key(seed)}

        def loss(params):
            ids = example["input_ids"]
            found = Bag().apply({"params": params}, ids, mask, deterministic=False, rngs=rngs)
            return -jax.nn.log_softmax(found.logits)[example["label"]]

        vector = ravel_pytree(jax.grad(loss)(params))[0]
        return vector / jnp.linalg.norm(vector)

    units = jax.vmap(gradient)(examples, SEEDS.ravel())
    is_real, row = DROPPED["is_real"].ravel(), np.repeat(np.arange(2), 3)
    is_same = is_real & (row[:, None] == row) & ~np.eye(6, dtype=bool)
    is_different = is_real & (row[:, None] != row)
    weights = (
        is_same / is_same.sum(axis=1)[:, None] - is_different / is_different.sum(axis=1)[:, None]
    )
    delta = jnp.sum(units @ units.T * weights, axis=1)[is_real]
    return jnp.mean(delta**2)


@pytest.mark.parametrize("settings", [{}, {"pool_chunk": 4}, {"route": "ghost"}, {"route": "hvp"}])
def test_update_with_dropout(settings):
    """Each example has a mask of its own, in all passes over a pool."""
    config = InfluenceConfig(k=2, learning_rate=0.03, partners="pooled", dropout=True, **settings)
    method = TinyMethod(influence_tuning, LABEL, config)
    state = POOLED.at_peak()
    after, info = method.run(state, [("pool", DROPPED), ("influence_update", {})])
    tx = bert_adam(0.03, decays=lambda path: True)
    state_before = state.influence.optimizer, state.params
    expected = expected_update(tx, *state_before, by_definition(state.params))
    assert_updated(after.params, after.influence, info, "influence_loss", expected)


def test_tuples_with_dropout():
    state = DRAWN.at_peak()
    chunk = tuple_chunk(np.array([0, 1])) | {
        "dropout": np.arange(10, dtype=np.uint32).reshape(2, 5)
    }
    after, _ = DRAWN.run(state, [("tuples", chunk)])
    examples = chunk["examples"] | {"dropout": chunk["dropout"]}
    probe, partners = (
        jax.tree.map(lambda leaf, of=of: leaf[:, of], examples) for of in (0, slice(1, None))
    )
    (value, _), _ = BY_PAIRS(
        state.params, Tuples(probe, partners, jnp.asarray(chunk["weights"], float))
    )
    assert_close(after.influence.sums["influence_loss"], 2 * value)
    plain = tuple_chunk(np.array([0, 1]))
    without, _ = DRAWN.run(state, [("tuples", plain)])
    assert not np.isclose(without.influence.sums["influence_loss"], 2 * value)


@pytest.mark.parametrize("partners", ["drawn", "pooled"])
def test_the_plan_has_a_seed_of_dropout_for_each_use(partners):
    """They are drawn beside all else, and do not depend on chunks."""
    rounds = replace(ROUNDS, partners=partners, batch=13)
    plain = influence_plan(rounds)
    seeds = []
    for chunk in (2, 3):
        plan = influence_plan(replace(rounds, dropout=True, chunk=chunk))
        work = [w for w in plan if w.kind in ("tuples", "pool")]
        assert all(w.arrays["dropout"].shape == w.examples.shape for w in work)
        seeds.append(
            np.concatenate([w.arrays["dropout"][w.arrays["is_real"]].ravel() for w in work])
        )
    assert len(np.unique(seeds[0])) == len(seeds[0])
    np.testing.assert_array_equal(*seeds)
    bare = [
        w._replace(
            arrays={k: v for k, v in w.arrays.items() if k != "dropout" or w.kind == "label"}
        )
        for w in plan
    ]
    assert_same_plan(bare, plain)


def test_end_round():
    work = [
        ("tuples", tuple_chunk(np.array([0, 1]))),
        ("influence_update", {}),
    ]
    state, _ = DRAWN.run(DRAWN.at_peak(), work)
    pending = [
        ("tuples", tuple_chunk(np.array([2]))),
        ("label_without_dropout", label_chunk([7, 8])),
    ]
    state, _ = DRAWN.run(state, pending)
    after, info = DRAWN.run(state, [("end_round", {})])
    assert info == {} and jax.tree.structure(after) == jax.tree.structure(state)
    assert_close(after.params, state.params)

    assert_reset(after.label, state.label)
    assert_reset(after.influence, state.influence)
    assert optax.tree.get(after.label.optimizer, "count") == 2  # the schedule goes on
