"""TracInCP is the sum of products by checkpoints, times the rates."""

from functools import cache

import jax.numpy as jnp
import numpy as np
import pytest

from itune.attribution import gradient_product, tracin
from tests.helpers.attribution_cases import (
    any_loss,
    assert_close,
    entries,
    flat_gradients,
    linen_loss,
    net_examples,
    net_params,
)

RATES = (0.1, 0.05, 0.2)
CHECKPOINTS = tuple(map(net_params, range(3)))
TRAIN, PROBES = net_examples(0, 10), net_examples(1, 6)


@cache
def method():
    return tracin(linen_loss, RATES, chunk=4)


def brute_force(selected=np.s_[:]):
    total = 0
    for rate, params in zip(RATES, CHECKPOINTS, strict=True):
        probes, train = (flat_gradients(any_loss, params, z)[:, selected] for z in (PROBES, TRAIN))
        total = total + rate * probes @ train.T
    return total


def test_sum_of_products():
    assert_close(method().fit(CHECKPOINTS, TRAIN).score(PROBES), brute_force(), 1e-12)


def test_one_checkpoint_is_the_gradient_product():
    product = gradient_product(linen_loss, chunk=4).fit(CHECKPOINTS[0], TRAIN).score(PROBES)
    scores = tracin(linen_loss, [0.5], chunk=4).fit(CHECKPOINTS[:1], TRAIN).score(PROBES)
    assert scores.tolist() == (0.5 * product).tolist()


def test_select():
    scores = tracin(linen_loss, RATES, select="*/bias").fit(CHECKPOINTS, TRAIN).score(PROBES)
    selected = entries(CHECKPOINTS[0], {"layers_0/bias": ..., "layers_2/bias": ...})
    assert_close(scores, brute_force(selected), 1e-12)


def test_checkpoints_are_read_one_at_a_time():
    read = []

    class Stored:
        def __len__(self):
            return 3

        def __getitem__(self, number):
            read.append(number)
            return CHECKPOINTS[number]

    fitted = method().fit(Stored(), TRAIN)
    assert read == []
    fitted.score(PROBES)
    assert read == [0, 1, 2]


@pytest.mark.parametrize("count", [0, 2])
def test_as_many_rates_as_checkpoints(count):
    with pytest.raises(
        ValueError, match=f"checkpoints must be as many as learning_rates, 3, got {count}"
    ):
        method().fit(CHECKPOINTS[:count], TRAIN)


def test_no_rates():
    with pytest.raises(ValueError, match="learning_rates must have one rate for each checkpoint"):
        tracin(linen_loss, [])


def test_one_set_of_parameters():
    with pytest.raises(
        ValueError, match="checkpoints must be a list, one for each rate, got one set"
    ):
        method().fit(CHECKPOINTS[0], TRAIN)


def test_the_checkpoint_that_is_not_finite_is_named():
    broken = net_params(1)
    broken["layers_2"]["bias"] = broken["layers_2"]["bias"].at[0].set(jnp.nan)
    fitted = method().fit((CHECKPOINTS[0], broken, CHECKPOINTS[2]), TRAIN)
    with pytest.raises(ValueError, match="checkpoint 1: the score of training example 0 on probe"):
        fitted.score(PROBES)
