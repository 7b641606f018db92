"""What is measured of a model does not depend on the number of devices."""

from functools import cache

import jax
import numpy as np
import pytest

from itune.data.dataset import chunks_by_length, collate
from itune.discovery.sketching import sketch_rows
from itune.influence import PAIR_FREE, Pool, value_and_grad
from itune.metrics import make_cid, make_logits
from itune.metrics.linear_cid import make_linear_cid
from itune.metrics.matrix import influences_among
from itune.metrics.probe_influences import probe_influences
from itune.utils.compiling import jit
from itune.utils.devices import lay_out, on_all, share_out
from tests.helpers.many_devices import on_devices
from tests.helpers.tiny_method import CLASSIFIER, EVEN, assert_close, initial_params

LOSS, EVERYONE = CLASSIFIER.loss, np.arange(len(EVEN))


def cid():
    return list(make_cid(LOSS, EVEN, probes=EVERYONE, chunk=2)(initial_params()))


def linear_cid():
    numbers = np.random.default_rng(0).normal(size=len(EVEN))
    found = make_linear_cid(LOSS, EVEN, numbers, chunk=2)(initial_params())
    return list(vars(found).values())


def matrix():
    return influences_among(LOSS, initial_params(), EVEN, EVERYONE, chunk=8)


def of_probes():
    found = probe_influences(LOSS, initial_params(), EVEN, probes=[0, 3, 7], chunk=2)
    return [(one.same, one.different) for one in found]


def logits():
    of_examples = make_logits(lambda params, z: CLASSIFIER.outputs(params, z, None).logits, chunk=2)
    return of_examples(initial_params(), EVEN)


def sketched():
    sketches = sketch_rows(LOSS, initial_params(), EVEN, size=16, chunk=2)
    return np.asarray(sketches.values, np.float64), sketches.nearest(EVEN.subset(EVERYONE[:3]))[0]


@cache
def on_one_device(measured):
    return measured()


@pytest.mark.parametrize("measured", [cid, linear_cid, matrix, of_probes, logits, sketched])
@pytest.mark.parametrize(("count", "divides"), [(3, False), (8, True)])
def test_as_on_one_device(measured, count, divides):
    """24 rows; on 3 devices a chunk of 2 is one of 6, on 8 one of 16, which they fill not twice."""
    expected = on_one_device(measured)
    with on_devices(count, divide_params=divides):
        found = measured()
    if measured is sketched:  # which are float32
        jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-6), found, expected)
    else:
        assert_close(found, expected)


def test_gradients_of_rows_stay_where_they_are_made():
    """What a block of rows needs on one of 4 devices is a quarter of it, not all of it."""
    from itune.influence.scores import gradients

    make = gradients(LOSS, kind="cosine", partners=24)
    with on_devices(4):
        made = jit(make, out_shardings=None)(
            lay_out(initial_params()), share_out(collate(EVEN, EVERYONE))
        )
    for leaf in jax.tree.leaves(made):
        assert leaf.addressable_shards[0].data.shape[0] == 6


def test_chunks_are_of_all_devices():
    with on_devices(4):
        assert [len(rows) for rows, _ in chunks_by_length(EVEN, EVERYONE, on_all(3))] == [12, 12]


@pytest.mark.parametrize("labels", [1, 3])
def test_examples_of_a_pool_are_divided(labels):
    """Also where the number of confounds, or of labels, is none that devices divide."""
    rows = EVERYONE.reshape(labels, 2, -1)
    rows = np.concatenate([rows] * labels, axis=-1)
    rows = rows[0] if labels == 1 else rows
    derivative = value_and_grad(LOSS, route=PAIR_FREE)

    def flops(count):
        with on_devices(count):
            examples = share_out(collate(EVEN, rows), axis=rows.ndim - 1)
            pool = Pool(examples, np.ones(rows.shape, bool))
            compiled = jit(derivative).lower(lay_out(initial_params()), pool).compile()
        return compiled.cost_analysis()["flops"]

    assert flops(4) < 0.45 * flops(1)
