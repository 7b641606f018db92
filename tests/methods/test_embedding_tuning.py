"""Embedding tuning: influences are cosines of pooled vectors, and the head is left alone."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from itune.data.dataset import collate
from itune.influence import cosines
from itune.methods import EmbeddingConfig
from itune.methods.embedding_tuning import embedding_tuning
from itune.optimizers import bert_adam
from tests.helpers.influence_batches import ROWS, WEIGHTS, pool_chunk, tuple_chunk
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

EMBEDDING = TinyMethod(embedding_tuning, LABEL, EmbeddingConfig(k=2, learning_rate=0.03, clip=0.02))


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
    expected = expected_update(tx, state.influence.optimizer, state.params, (value, gradient))
    assert_updated(after.params, after.influence, info, "influence_loss", expected)
    jax.tree.map(
        np.testing.assert_array_equal, after.params["classifier"], state.params["classifier"]
    )
    assert np.any(after.params["Embed_0"]["embedding"] != state.params["Embed_0"]["embedding"])


@pytest.mark.parametrize("chunks", [([0, 1], [2]), ([1, 2], [0])])
def test_embedding_update(chunks):
    state = EMBEDDING.at_peak()
    work = [("tuples", tuple_chunk(np.array(rows))) for rows in chunks]
    after, info = EMBEDDING.run(state, [*work, ("influence_update", {})])
    value, gradient = jax.jit(jax.value_and_grad(embedding_loss))(state.params)
    assert value > 1e-3
    assert_embedding_update(state, after, info, value, gradient)


def test_embedding_update_of_a_pool():
    """All pairs, padding left out, by two loops."""
    state = EMBEDDING.at_peak()
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
    after, info = EMBEDDING.run(state, work)
    value, gradient = jax.jit(jax.value_and_grad(loss))(state.params)
    assert_embedding_update(state, after, info, value, gradient)


def test_embedding_update_of_a_pool_of_all_labels():
    """Each example towards each label, by loops; where another label lacks a row it is 0."""
    state = EMBEDDING.at_peak()
    rows = [[[0, 1], [2, 3]], [[4, 5], [0, 0]]]
    is_real = np.array([[[1, 1], [1, 1]], [[1, 1], [0, 0]]], bool)

    def loss(params):
        places = [tuple(place) for place in np.argwhere(is_real)]
        units = dict(zip(np.ndindex(2, 2, 2), unit_rows(params, np.ravel(rows)), strict=True))
        total = 0
        for place in places:
            for label in range(2):
                groups = {True: [], False: []}
                for other in places:
                    if other != place and other[0] == label:
                        groups[other[1] == place[1]].append(units[place] @ units[other])
                if label == place[0] or all(groups.values()):
                    same, different = (sum(of) / max(len(of), 1) for of in groups.values())
                    total += (same - different) ** 2
        return total / (2 * len(places))

    work = [("pool", pool_chunk(rows, is_real)), ("influence_update", {})]
    after, info = EMBEDDING.run(state, work)
    value, gradient = jax.jit(jax.value_and_grad(loss))(state.params)
    assert_embedding_update(state, after, info, value, gradient)


@pytest.mark.parametrize("label", [0, 1, 2])
def test_influence_on_the_labels_weights_is_the_cosine_of_pooled_vectors(label):
    """Section 4.1 of the paper: W_(y) of two examples of label y."""
    params = EMBEDDING.at_peak().params
    rows = np.flatnonzero(TRAIN.label == label)[:4]
    column = f"classifier/kernel[:, {label}:{label + 1}]"
    influences = cosines(CLASSIFIER.loss, select=column)
    examples = jax.tree.map(jnp.asarray, collate(TRAIN, rows))
    units = unit_rows(params, rows)
    assert_close(jax.jit(influences)(params, examples, examples), units @ units.T)
