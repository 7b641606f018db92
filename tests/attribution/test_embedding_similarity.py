"""Three measures of likeness, written out."""

from functools import cache

import jax.numpy as jnp
import numpy as np
import pytest

from itune.attribution import embedding_similarity
from tests.helpers.attribution_cases import assert_close

W = np.random.default_rng(0).normal(size=(3, 4))
TRAIN, PROBES = (np.random.default_rng(seed).normal(size=(n, 3)) for seed, n in ((1, 10), (2, 6)))

MEASURES = {
    "cosine": lambda a, b: a @ b / (np.linalg.norm(a) * np.linalg.norm(b)),
    "dot": lambda a, b: a @ b,
    "euclidean": lambda a, b: -np.sqrt(((a - b) ** 2).sum()),
}


def features(params, z):
    return jnp.tanh(z @ params)


@cache
def method(measure, chunk=4):
    return embedding_similarity(features, measure=measure, chunk=chunk)


@pytest.mark.parametrize("chunk", [4, 100])
@pytest.mark.parametrize("measure", MEASURES)
def test_definition(measure, chunk):
    scores = method(measure, chunk).fit(W, TRAIN).score(PROBES)
    pairs = [[MEASURES[measure](np.tanh(p @ W), np.tanh(t @ W)) for t in TRAIN] for p in PROBES]
    assert_close(scores, np.array(pairs), 1e-12)


@pytest.mark.parametrize("measure", ["cosine", "euclidean"])
def test_nothing_is_more_like_an_example_than_itself(measure):
    scores = method(measure).fit(W, TRAIN).score(TRAIN)
    assert scores.argmax(axis=1).tolist() == list(range(10))


def test_cosine_is_the_default():
    scores = embedding_similarity(features, chunk=4).fit(W, TRAIN).score(PROBES)
    assert scores.tolist() == method("cosine").fit(W, TRAIN).score(PROBES).tolist()


def test_cosine_of_zero_and_of_vanishing_features():
    train = TRAIN.astype(np.float32)
    train[3] = 0
    scores = method("cosine").fit(W.astype(np.float32), train).score(train)
    assert np.all(scores[3] == 0) and np.all(scores[:, 3] == 0)
    vanishing = method("cosine").fit(W.astype(np.float32), train * np.float32(1e-30)).score(train)
    linear = np.delete(train, 3, axis=0) @ W
    linear /= np.linalg.norm(linear, axis=1, keepdims=True)
    expected = np.tanh(np.delete(train, 3, axis=0) @ W)
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    assert_close(np.delete(np.delete(vanishing, 3, 0), 3, 1), expected @ linear.T, 1e-5)
    assert scores.dtype == vanishing.dtype == np.float32


def test_unknown_measure():
    with pytest.raises(ValueError, match="measure must be one of cosine, dot, euclidean, got 'l2'"):
        embedding_similarity(features, measure="l2")


def test_features_must_be_vectors():
    with pytest.raises(
        ValueError, match=r"features of one example must be a vector \(d,\), got shape \(3, 2\)"
    ):
        embedding_similarity(lambda params, z: jnp.stack([z, z], axis=1)).fit(W, TRAIN)


def test_features_that_are_not_finite():
    train = TRAIN.copy()
    train[7] = np.nan
    with pytest.raises(ValueError, match="the feature vector of training example 7 is not finite"):
        method("dot").fit(W, train)
