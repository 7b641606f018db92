"""Label steps in bfloat16: rounded on the way, and nothing else is."""

from dataclasses import dataclass, field

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from itune.errors import UserError
from itune.methods import Classifier, LabelConfig
from itune.methods.mixed_precision import in_precision
from itune.methods.registry import MethodSpec
from tests.helpers.tiny_method import BagOutput

X = {"x": jnp.asarray(np.random.default_rng(0).normal(size=(3, 4)), jnp.float32)}
PARAMS = {"kernel": jnp.asarray(np.random.default_rng(1).normal(size=(4, 2)), jnp.float32)}


def outputs(params, examples, dropout_key):
    del dropout_key
    x = examples["x"].astype(params["kernel"].dtype)
    return BagOutput(x @ params["kernel"], x)


FULL = Classifier(None, outputs)
HALF = in_precision(FULL, "bfloat16")


def loss(classifier, params, key):
    return jnp.sum(classifier.outputs(params, X, key).logits ** 2)


def test_what_has_dropout_is_rounded():
    half = HALF.outputs(PARAMS, X, jax.random.key(0))
    full = FULL.outputs(PARAMS, X, jax.random.key(0))
    assert {half.logits.dtype, half.pooled.dtype} == {jnp.dtype("f4")}
    assert 0 < np.abs(half.logits - full.logits).max() < 0.03 * np.abs(full.logits).max()
    np.testing.assert_array_equal(half.pooled, full.pooled.astype(jnp.bfloat16))


def test_gradients_are_of_the_weights():
    """They have the weights' dtype, and more bits than bfloat16 where batches are added up."""
    half, full = (jax.grad(loss, 1)(of, PARAMS, jax.random.key(0))["kernel"] for of in (HALF, FULL))
    assert half.dtype == jnp.float32
    assert 0 < np.abs(half - full).max() < 0.03 * np.abs(full).max()


def test_what_has_no_dropout_is_as_it_was():
    np.testing.assert_array_equal(
        HALF.outputs(PARAMS, X, None).logits, FULL.outputs(PARAMS, X, None).logits
    )
    assert HALF.loss is FULL.loss and in_precision(FULL, "full") is FULL


@dataclass
class Config:
    label: LabelConfig = field(default_factory=lambda: LabelConfig(precision="bfloat16"))


def test_methods_get_the_precision_of_label_steps():
    made = []

    def factory(classifier, label, train, seed):
        made.append(classifier.outputs)
        raise StopIteration

    with pytest.raises(StopIteration):
        MethodSpec(factory).make(Config(), FULL, None, 0)
    assert made[0](PARAMS, X, jax.random.key(0)).logits.dtype == jnp.float32
    assert np.any(made[0](PARAMS, X, jax.random.key(0)).logits != X["x"] @ PARAMS["kernel"])


def test_other_precisions_are_refused():
    with pytest.raises(UserError, match="precision must be .*full.*bfloat16, got 'float16'"):
        LabelConfig(precision="float16")
