"""A BERT classifier hands its methods the right inputs, tokens of a second text included."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from itune.influence import PAIR_FREE, Pool, cross_entropy, value_and_grad
from itune.models import BertClassifier, BertConfig
from itune.training.classifier import make_classifier
from tests.helpers.influence_cases import pool_loss
from tests.helpers.tiny_method import CLASSIFIER, initial_params

CONFIG = BertConfig(vocab_size=20, hidden_size=8, num_layers=1, num_heads=2, intermediate_size=8)
MODEL = BertClassifier(CONFIG)
IDS = jnp.array([[2, 7, 3, 9, 3], [2, 5, 3, 0, 0]])
TYPES = jnp.array([[0, 0, 0, 1, 1], [0, 0, 0, 0, 0]])
EXAMPLES = {"input_ids": IDS, "attention_mask": IDS > 0, "label": jnp.array([1, 0])}


@pytest.fixture(scope="module")
def params():
    shapes = jax.eval_shape(MODEL.init, jax.random.key(0), IDS, IDS)["params"]
    rng = np.random.default_rng(0)
    return jax.tree.map(lambda leaf: jnp.asarray(rng.normal(size=leaf.shape)), shapes)


@pytest.mark.parametrize("is_pair", [False, True])
def test_inputs(params, is_pair):
    classifier = make_classifier(CONFIG)
    examples = EXAMPLES | ({"token_type_ids": TYPES} if is_pair else {})
    types = TYPES if is_pair else None
    expected = jax.jit(MODEL.apply)({"params": params}, IDS, IDS > 0, types)
    found = jax.jit(lambda p, z: classifier.outputs(p, z, None))(params, examples)
    np.testing.assert_allclose(found.logits, expected.logits, rtol=1e-12)
    assert found.pooled.shape == (2, classifier.width)
    losses = jax.jit(jax.vmap(classifier.loss, (None, 0)))(params, examples)
    np.testing.assert_allclose(
        losses, cross_entropy(expected.logits, EXAMPLES["label"]), rtol=1e-10
    )


def test_the_second_text_is_told_from_the_first(params):
    classifier = make_classifier(CONFIG)
    plain, pair = (
        jax.jit(lambda p, z: classifier.outputs(p, z, None))(params, EXAMPLES | more).logits
        for more in ({}, {"token_type_ids": TYPES})
    )
    assert np.abs(plain - pair)[0].max() > 1e-3
    np.testing.assert_array_equal(plain[1], pair[1])


def test_the_loss_of_an_example_has_dropout_by_its_seed(params):
    classifier = make_classifier(CONFIG)
    example = jax.tree.map(lambda leaf: leaf[0], EXAMPLES)
    seeds = np.array([5, 6, 5], np.uint32)
    loss = jax.jit(lambda p, seed: classifier.loss(p, example | {"dropout": seed}))
    losses = [loss(params, seed) for seed in seeds]
    outputs = jax.jit(lambda p, seed: classifier.outputs(p, example, jax.random.key(seed)))
    expected = cross_entropy(outputs(params, seeds[0]).logits, example["label"])
    np.testing.assert_allclose(losses, [expected, losses[1], expected], rtol=1e-10)
    assert losses[0] != losses[1]


@pytest.mark.parametrize("microbatch", [None, 2])
def test_routes_agree_with_dropout(params, microbatch):
    """An encoder's layers drop the same units whichever way its gradients are taken.

    In pieces, which know of no layers, as those of a bag of words do.
    """
    loss, rows = make_classifier(CONFIG).loss, EXAMPLES
    if microbatch is not None:
        loss, params = CLASSIFIER.loss, initial_params()
        rows = {**EXAMPLES, "input_ids": EXAMPLES["input_ids"] % 9}
    places = np.array([[0, 1, 0], [1, 0, 1]])
    seeds = np.arange(6, dtype=np.uint32).reshape(2, 3)
    examples = jax.tree.map(lambda leaf: leaf[places], rows) | {"dropout": seeds}
    pool = Pool(examples, np.ones((2, 3), bool))
    rng = np.random.default_rng(1)
    direction = jax.tree.map(lambda leaf: rng.normal(size=leaf.shape), params)

    @jax.jit
    def as_defined(params, direction):
        return jax.jvp(lambda p: pool_loss(loss)(p, pool), (params,), (direction,))

    (value, delta), (slope, _) = as_defined(params, direction)
    routed = jax.jit(value_and_grad(loss, route=PAIR_FREE, microbatch=microbatch))
    (found, info), gradient = routed(params, pool)
    assert value > 1e-4
    np.testing.assert_allclose((found, *info.delta.ravel()), (value, *delta.ravel()), rtol=1e-8)
    along = sum(jax.tree.leaves(jax.tree.map(np.vdot, gradient, direction)))
    np.testing.assert_allclose(along, slope, rtol=1e-8)
