"""What the step functions compute: one optax update of a mean, however it was collected."""

from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from itune.data.dataset import Dataset, collate
from itune.influence import Pool, Tuples, cosines, cross_entropy, value_and_grad
from itune.methods import adversarial
from itune.methods.adversarial import reverse
from itune.optimizers import BertAdamState, bert_adam, warmup_linear
from tests.helpers.method_cases import (
    ADVERSARIAL,
    CLASSIFIER,
    LABEL,
    TRAIN,
    assert_close,
    assert_updated,
    compiled,
    initial_params,
    label_chunk,
    mean_label_loss,
    outputs,
    plain_step,
    run,
    start,
)


@pytest.mark.parametrize("name", ["finetuning", "influence_tuning", "embedding_tuning"])
@pytest.mark.parametrize(
    "chunks", [([7, 8, 9], [10, 11, 12]), ([12, 7], [8, 11, 9], [10]), ([9], [7, 8, 12], [10, 11])]
)
def test_label_step(name, chunks):
    """However six examples are cut into chunks: one update by the mean over all six."""
    state = start(name)
    work = [("label_without_dropout", label_chunk(chunk)) for chunk in chunks]
    after, info = run(name, state, [*work, ("label_update", {})])

    six = collate(TRAIN, np.arange(7, 13))

    def mean_loss(params):
        return mean_label_loss(params, six)

    tx = bert_adam(warmup_linear(0.1, 20))
    step = plain_step(
        tx,
        state.label.optimizer,
        state.params,
        *jax.jit(jax.value_and_grad(mean_loss))(state.params),
    )
    assert_updated(after, after.label, info, "loss", step)
    assert np.any(after.params["classifier"]["bias"] != state.params["classifier"]["bias"])
    predicted = np.asarray(outputs(state.params, six, None).logits).argmax(axis=-1)
    assert float(info["accuracy"]) == pytest.approx(np.mean(predicted == six["label"]))


def test_dropout_follows_its_seed():
    state = start()

    def gradient(kind, seed):
        after, _ = compiled("finetuning").steps[kind](state, label_chunk([7, 8, 9], seed=seed))
        return np.asarray(after.label.gradient["classifier"]["kernel"])

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
        pool_chunk([[6, 7, 8], [9, 10, 11]], np.ones((2, 3))),
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

    phases = [(after.label, state.label), (after.influence, state.influence)]
    for phase, before in phases:
        assert_reset(phase, before)
    counts = [int(c) for c in jax.tree.leaves(after.label.optimizer) if c.ndim == 0]
    assert counts == [2]  # the schedule goes on


def assert_reset(phase, phase_before):
    """Its moments are 0 and were not; what was collected stays."""

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


def test_reset_control():
    state, _ = run(
        name := "finetuning_with_resets",
        start(name),
        [("label_without_dropout", label_chunk([7, 8]))],
    )
    after, info = run(name, state, [("reset", {})])
    assert info == {}
    assert_close(after.params, state.params)
    assert_reset(after.label, state.label)


# --- embedding tuning ---------------------------------------------------------------------------


def unit_rows(params, indices):
    h = outputs(params, collate(TRAIN, np.ravel(indices)), None).pooled
    return (h / jnp.linalg.norm(h, axis=-1, keepdims=True)).reshape(*np.shape(indices), -1)


def embedding_loss(params):
    """Mean over all tuples of ROWS, by the formula."""
    units = unit_rows(params, ROWS)
    influences = jnp.einsum("md,mkd->mk", units[:, 0], units[:, 1:])
    return jnp.mean(jnp.sum(influences * WEIGHTS, axis=1) ** 2)


def assert_embedding_update(state, after, info, value, gradient):
    """Updated as by BertAdam, and the head is left alone."""
    tx = bert_adam(0.03, decays=lambda path: path[0] != "classifier", clip=0.02)
    step = plain_step(tx, state.influence.optimizer, state.params, value, gradient)
    assert_updated(after, after.influence, info, "influence_loss", step)
    jax.tree.map(
        np.testing.assert_array_equal, after.params["classifier"], state.params["classifier"]
    )
    assert np.any(after.params["Embed_0"]["embedding"] != state.params["Embed_0"]["embedding"])


@pytest.mark.parametrize("chunks", [([0, 1], [2]), ([1, 2], [0])])
def test_embedding_update(chunks):
    state = start("embedding_tuning")
    work = [("tuples", tuple_chunk(np.array(rows))) for rows in chunks]
    after, info = run("embedding_tuning", state, [*work, ("influence_update", {})])
    value, gradient = jax.jit(jax.value_and_grad(embedding_loss))(state.params)
    assert value > 1e-3
    assert_embedding_update(state, after, info, value, gradient)


def test_embedding_update_of_a_pool():
    """All pairs, padding left out, by two loops."""
    state = start("embedding_tuning")
    rows, is_real = [[0, 1, 2], [3, 4, 5]], np.array([[1, 1, 1], [1, 1, 0]], bool)

    def loss(params):
        units, total = unit_rows(params, rows), 0
        places = [tuple(place) for place in np.argwhere(is_real)]
        for place in places:
            groups = {True: [], False: []}
            for other in places:
                if other != place:
                    groups[other[0] == place[0]].append(units[place] @ units[other])
            same, different = (sum(group) / len(group) for group in groups.values())
            total += (same - different) ** 2
        return total / len(places)

    work = [("pool", pool_chunk(rows, is_real)), ("influence_update", {})]
    after, info = run("embedding_tuning", state, work)
    value, gradient = jax.jit(jax.value_and_grad(loss))(state.params)
    assert_embedding_update(state, after, info, value, gradient)


@pytest.mark.parametrize("label", [0, 1, 2])
def test_influence_on_the_labels_weights_is_the_cosine_of_pooled_vectors(label):
    """Section 4.1 of the paper: W_(y) of two examples of label y."""
    params = start().params
    rows = np.flatnonzero(TRAIN.label == label)[:4]
    column = f"classifier/kernel[:, {label}:{label + 1}]"
    influences = cosines(CLASSIFIER.loss, select=column)
    examples = jax.tree.map(jnp.asarray, collate(TRAIN, rows))
    units = unit_rows(params, rows)
    assert_close(jax.jit(influences)(params, examples, examples), units @ units.T)


# --- adversarial --------------------------------------------------------------------------------


def test_reverse():
    value, gradient = jax.value_and_grad(lambda x: jnp.sum(reverse(0.3, x) ** 3))(jnp.array([2.0]))
    assert float(value) == 8 and gradient.tolist() == pytest.approx([-3.6])


@pytest.mark.parametrize("hidden", [[], [8, 11]])
def test_adversarial_update(hidden):
    """Encoder descends label loss minus 0.3 confound loss; the adversary its own loss."""
    indices = np.arange(7, 13)
    state, key = start("adversarial"), 5
    examples = collate(TRAIN, indices)
    is_seen = ~np.isin(indices, hidden)
    examples["confound"] = np.where(is_seen, examples["confound"], -1).astype(np.int32)
    chunk = {"examples": examples, "is_real": np.ones(6, bool), "dropout": np.uint32(key)}
    after, info = run("adversarial", state, [("label", chunk), ("label_update", {})])

    @jax.jit
    def losses(params, adversary):
        out = outputs(params, examples, jax.random.key(key))
        logits = out.pooled @ adversary["kernel"] + adversary["bias"][None]
        own = jnp.take_along_axis(
            jax.nn.log_softmax(logits), jnp.maximum(examples["confound"], 0)[:, None], axis=1
        )[:, 0]
        label_loss = cross_entropy(out.logits, examples["label"]).mean()
        return label_loss, -jnp.sum(jnp.where(is_seen, own, 0)) / 6

    def encoder_loss(params):
        label_loss, confound_loss = losses(params, state.adversary)
        return label_loss - 0.3 * confound_loss

    gradient = {
        "params": jax.jit(jax.grad(encoder_loss))(state.params),
        "adversary": jax.jit(jax.grad(lambda a: losses(state.params, a)[1]))(state.adversary),
    }
    both = {"params": state.params, "adversary": state.adversary}
    tx = bert_adam(warmup_linear(0.1, 20))
    updates, _ = tx.update(gradient, state.label.optimizer, both)
    expected = optax.apply_updates(both, updates)
    assert_close((after.params, after.adversary), (expected["params"], expected["adversary"]))
    assert_close((info["loss"], info["confound_loss"]), losses(state.params, state.adversary))
    assert np.any(after.adversary["kernel"] != state.adversary["kernel"])


def test_hidden_confounds_are_made_up_for():
    """Half of them visible: each counts twice."""
    confound = TRAIN.confound.copy()
    confound[::2] = -1
    train = Dataset(TRAIN.input_ids, TRAIN.label, confound)
    half = adversarial(CLASSIFIER, LABEL, ADVERSARIAL, train, 0)
    chunk = label_chunk([7, 9, 11])  # visible to both
    sums = [
        jax.jit(method.steps["label"])(method.init(initial_params()), chunk)[0].label.sums
        for method in (compiled("adversarial").method, half)
    ]
    assert float(sums[1]["confound_loss"]) == pytest.approx(2 * float(sums[0]["confound_loss"]))
