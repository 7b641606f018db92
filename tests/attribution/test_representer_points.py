"""Contributions of all training examples add up to the refitted logit."""

from functools import cache

import jax.numpy as jnp
import numpy as np
import pytest

from itune.attribution import representer_points
from tests.helpers.attribution_cases import assert_close

LAMBDA = 0.01
W = np.random.default_rng(0).normal(size=(3, 4))  # of the features


def examples(seed, count, classes=3):
    rng = np.random.default_rng(seed)
    return {"x": rng.normal(size=(count, 3)), "y": rng.integers(0, classes, count)}


def features(params, z):
    return jnp.append(jnp.tanh(z["x"] @ params), jnp.ones((), z["x"].dtype))


def label(z):
    return z["y"]


def make(**settings):
    settings = {"classes": 3, "regularisation": LAMBDA, "tolerance": 1e-12} | settings
    return representer_points(features, label, **settings)


TRAIN, PROBES = examples(1, 30), examples(2, 8)
FEATURES = {
    name: np.c_[np.tanh(z["x"] @ W), np.ones(len(z["y"]))]
    for name, z in (("train", TRAIN), ("probes", PROBES))
}


@cache
def fitted(chunk=16):
    return make(chunk=chunk).fit(W, TRAIN)


def softmax(logits):
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)


def test_contributions_add_up_to_the_logit():
    logits = FEATURES["probes"] @ fitted().info.kernel
    sums = fitted().score(PROBES).sum(axis=1)
    assert_close(sums, logits[np.arange(8), PROBES["y"]], 1e-8)


def test_every_class_of_every_probe():
    logits = FEATURES["probes"] @ fitted().info.kernel
    for of_class in range(3):
        sums = fitted().score(PROBES | {"y": np.full(8, of_class)}).sum(axis=1)
        assert_close(sums, logits[:, of_class], 1e-8)


def test_the_layer_is_a_minimum_of_the_objective():
    residuals = softmax(FEATURES["train"] @ fitted().info.kernel) - np.eye(3)[TRAIN["y"]]
    gradient = FEATURES["train"].T @ residuals / 30 + 2 * LAMBDA * fitted().info.kernel
    assert np.abs(gradient).max() < 1e-13
    assert np.linalg.norm(fitted().info.kernel) > 1
    assert fitted().info.residual <= 1e-12


def test_formula():
    probabilities = softmax(FEATURES["train"] @ fitted().info.kernel)
    alpha = (np.eye(3)[TRAIN["y"]] - probabilities) / (2 * LAMBDA * 30)
    assert_close(fitted().info.alpha, alpha, 1e-12)
    expected = alpha[:, PROBES["y"]].T * (FEATURES["probes"] @ FEATURES["train"].T)
    assert_close(fitted().score(PROBES), expected, 1e-12)


def test_a_training_example_helps_itself_by_its_own_label():
    scores = fitted().score(TRAIN)
    assert np.all(np.diag(scores) > 0)
    others = fitted().score(TRAIN | {"y": (TRAIN["y"] + 1) % 3})
    assert np.all(np.diag(others) < 0)


@pytest.mark.parametrize("chunk", [7, 100])
def test_chunks_do_not_change_the_scores(chunk):
    assert_close(fitted(chunk).score(PROBES), fitted().score(PROBES), 1e-11)


def test_separable_data_and_little_regularisation():
    train = examples(1, 30) | {"y": (TRAIN["x"][:, 0] > 0).astype(int)}
    method = make(classes=2, regularisation=1e-7, tolerance=1e-9)
    info = method.fit(W, train).info
    assert info.residual <= 1e-9 and np.linalg.norm(info.kernel) > 20


def test_features_of_zero():
    info = make().fit(np.zeros((3, 4)), TRAIN | {"x": np.zeros((30, 3))}).info
    assert np.all(info.kernel[:4] == 0) and np.any(info.kernel[4] != 0)
    nothing = representer_points(
        lambda params, z: 0 * z["x"], label, classes=3, regularisation=LAMBDA
    ).fit(None, TRAIN)
    assert nothing.info.residual == 0 and np.all(nothing.score(PROBES) == 0)


# --- refusals -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"classes": 1}, "classes must be at least 2, got 1"),
        ({"regularisation": 0.0}, "regularisation must be positive, got 0.0"),
        ({"chunk": 0}, "chunk must be positive, got 0"),
    ],
)
def test_settings(settings, message):
    with pytest.raises(ValueError, match=message):
        make(**settings)


@pytest.mark.parametrize("value", [-1, 3])
def test_labels_that_are_no_class(value):
    message = f"must be from 0 to 2, one of 3 classes, got {value}"
    wrong = PROBES | {"y": np.where(np.arange(8) == 5, value, PROBES["y"])}
    with pytest.raises(ValueError, match=f"the label of training example 5 {message}"):
        make().fit(W, wrong)
    with pytest.raises(ValueError, match=f"the label of probe 5 {message}"):
        fitted().score(wrong)


def test_a_layer_that_is_not_fitted():
    with pytest.raises(ValueError, match="not fitted in 1 Newton steps, its residual is .*raise"):
        make(max_steps=1).fit(W, TRAIN)


def test_features_that_are_not_finite():
    wrong = PROBES | {"x": PROBES["x"].copy()}
    wrong["x"][2, 0] = np.nan
    with pytest.raises(ValueError, match="the feature vector of probe 2 is not finite"):
        fitted().score(wrong)
