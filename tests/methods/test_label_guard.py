"""Influence updates that spare the labels: the examples they come with, and the projection."""

from collections import Counter
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree

from itune.data.dataset import collate
from itune.influence import Pool, value_and_grad
from itune.methods import EmbeddingConfig, InfluenceConfig
from itune.methods.base import Work
from itune.methods.embedding_tuning import embedding_tuning, embedding_value_and_grad
from itune.methods.influence_tuning import influence_tuning
from itune.methods.label_guard import shortened, with_examples
from itune.optimizers import bert_adam
from itune.training.batches import batch_of
from tests.helpers.influence_batches import WEIGHTS
from tests.helpers.plans import assert_same_plan
from tests.helpers.tiny_method import (
    CLASSIFIER,
    LABEL,
    TRAIN,
    TinyMethod,
    assert_close,
    assert_updated,
    expected_update,
    outputs,
)
from tests.methods.test_rounds import INFLUENCE, influence_plan, tuples_of

SETTINGS = {"k": 2, "learning_rate": 0.03, "partners": "pooled"}
FREE = TinyMethod(influence_tuning, LABEL, InfluenceConfig(**SETTINGS))
OF_POOL = jax.jit(value_and_grad(CLASSIFIER.loss, route="autodiff"))
IS_REAL = np.array([[True, True, True], [True, True, False]])
AGAINST, ALONG = [[23, 9, 18], [4, 12, 0]], [[7, 16, 10], [21, 15, 23]]


def update_of(rows, size=4):
    """The work of one update by a pool, and what its last piece comes with, in rows of a size."""
    pool = Work("pool", 1, {"is_real": IS_REAL}, np.array(rows), axis=1)
    plan = with_examples([pool, Work("influence_update", 1)], size, cost=0)
    return [(work.kind, batch_of(work, TRAIN)) for work in plan]


def label_loss(params, rows):
    examples = collate(TRAIN, np.array(rows)[IS_REAL])
    return jnp.mean(jax.vmap(CLASSIFIER.loss, (None, 0))(params, examples))


def by_hand(gradient, of_label):
    """The projection on one long vector, and the cosine before it."""
    (g, unravel), (of, _) = ravel_pytree(gradient), ravel_pytree(of_label)
    dot = np.vdot(g, of)
    left = g - dot / np.vdot(of, of) * of if dot < 0 else g
    return unravel(left), dot / (np.linalg.norm(g) * np.linalg.norm(of))


@pytest.mark.parametrize(("rows", "sign"), [(AGAINST, -1), (ALONG, 1)])
def test_a_gradient_that_opposes_the_label_gradient_is_projected(rows, sign):
    method = TinyMethod(
        influence_tuning, LABEL, InfluenceConfig(directions="projected", **SETTINGS)
    )
    state = FREE.at_peak()
    after, info = method.run(state, update_of(rows))
    pool = Pool(collate(TRAIN, np.array(rows)), IS_REAL)
    (value, _), gradient = OF_POOL(state.params, pool)
    left, cosine = by_hand(gradient, jax.jit(jax.grad(lambda p: label_loss(p, rows)))(state.params))
    assert sign * cosine > 0.01
    assert_close(info["gradient_cosine"], cosine)
    tx = bert_adam(0.03, decays=lambda path: True)
    expected = expected_update(tx, state.influence.optimizer, state.params, (value, left))
    assert_updated(after.params, after.influence, info, "influence_loss", expected)
    if sign > 0:
        assert_close(after, FREE.run(state, update_of(rows))[0])


def test_rounds_of_embedding_tuning_leave_the_head_alone():
    """Neither the projection nor the cosine is of parameters that a round does not train."""
    config = EmbeddingConfig(directions="projected", **SETTINGS)
    method = TinyMethod(embedding_tuning, LABEL, config)
    state = method.at_peak()
    found = []
    for rows in (AGAINST, ALONG):
        after, info = method.run(state, update_of(rows))
        assert_close(after.params["classifier"], state.params["classifier"])
        derivative = jax.jit(embedding_value_and_grad(lambda p, z: outputs(p, z, None).pooled))
        _, gradient = derivative(state.params, Pool(collate(TRAIN, np.array(rows)), IS_REAL))
        of_label = jax.jit(jax.grad(lambda p, rows=rows: label_loss(p, rows)))(state.params)
        trained = [
            {k: v for k, v in of.items() if k != "classifier"} for of in (gradient, of_label)
        ]
        left, cosine = by_hand(*trained)
        assert_close(info["gradient_cosine"], cosine)
        assert_close(info["gradient_norm"], np.linalg.norm(ravel_pytree(left)[0]))
        found.append(cosine < 0)
    assert found == [True, False]


def test_a_step_that_raises_the_label_loss_is_halved():
    """After more than 5 times it is left out."""
    state = FREE.at_peak()
    whole, of_whole = FREE.run(state, update_of(AGAINST))
    loss = jax.jit(lambda params: label_loss(params, AGAINST))
    ends = [
        jax.tree.map(lambda a, b, s=0.5**times: a + s * (b - a), state.params, whole.params)
        for times in range(6)
    ]
    rises = [float(loss(end) - loss(state.params)) for end in ends]
    assert rises == sorted(rises, reverse=True) and rises[-1] > 0
    limits = {halvings: rises[halvings] * 1.01 for halvings in (0, 1, 3, 5)}
    for halvings, limit in (limits | {6: rises[-1] * 0.99}).items():
        is_left_out = halvings > 5
        config = InfluenceConfig(max_label_rise=limit, **SETTINGS)
        after, info = TinyMethod(influence_tuning, LABEL, config).run(state, update_of(AGAINST))
        assert info["halvings"] == min(halvings, 5)
        share = 0 if is_left_out else 0.5**halvings
        assert_close(info["step_norm"], share * of_whole["step_norm"])
        of = state if is_left_out else whole
        assert_close(after.params, state.params if is_left_out else ends[halvings])
        assert_close(after.influence.optimizer, of.influence.optimizer)
        assert after.influence.count == 0


def test_a_step_to_a_loss_that_is_no_number_is_left_out():
    before, after = {"w": jnp.zeros(2)}, {"w": jnp.ones(2)}
    found = jax.jit(
        lambda: shortened(lambda p, _: jnp.log(-p["w"][0] + 0.02), before, after, {}, 9)
    )
    assert [float(of) for of in found()[1:]] == [0, 5]


def examples_used(plan):
    """How often each example takes part, and how many places there are, for each update."""
    uses, places, updates = Counter(), 0, []
    for work in plan:
        if work.kind == "tuples":
            places += work.examples.size
            for probe, same, different in tuples_of(work):
                uses.update([int(probe), *same.tolist(), *different.tolist()])
        elif work.kind == "pool":
            places += work.examples.size
            uses.update(work.examples[work.arrays["is_real"]].tolist())
        elif work.kind == "influence_update":
            updates.append((uses, places))
            uses, places = Counter(), 0
    return updates


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"partners": "pooled", "batch": 13},
        {"partners": "pooled", "batch": 30, "labels": "all"},  # groups smaller than their share
        {"interval": 4, "batch": 20, "schedule": "released"},  # tuples that wait for a round
    ],
)
def test_updates_come_with_their_examples(settings):
    config = replace(INFLUENCE, **settings)
    guards = {"directions": "projected", "max_label_rise": 0.1}
    plan, plain = influence_plan(replace(config, **guards)), influence_plan(config)
    updates = [work for work in plan if work.kind == "influence_update"]
    for work, (uses, places) in zip(updates, examples_used(plain), strict=True):
        assert work.examples.shape == work.arrays["is_real"].shape == (-(-places // 3), 3)
        assert Counter(work.examples[work.arrays["is_real"]].tolist()) == uses
        assert np.isclose(work.cost, (1 + 2 / 3) * places)
    kind, bare = "influence_update", {"arrays": {}, "examples": None, "cost": 0, "axis": 0}
    plan = [work._replace(**bare) if work.kind == kind else work for work in plan]
    assert_same_plan(plan, plain)


def test_places_of_tuples_that_are_not_real_are_left_out():
    is_real = np.array([True, False, True])
    arrays = {"weights": WEIGHTS * is_real[:, None], "is_real": is_real}
    plan = [Work("tuples", 1, arrays, np.arange(15).reshape(3, 5)), Work("influence_update", 1)]
    _, update = with_examples(plan, 4, cost=0.5)
    used = update.examples[update.arrays["is_real"]]
    assert used.tolist() == [*range(5), 10, 11, 12]
    assert update.cost == 7.5
