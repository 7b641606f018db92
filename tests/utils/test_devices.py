"""Devices: which arrays lie where."""

import jax
import numpy as np
import pytest
from jax.sharding import PartitionSpec

from itune.errors import UserError
from itune.utils.compiling import jit, memoized
from itune.utils.devices import device_count, lay_out, layout, on_all, share_out, use_devices
from tests.helpers.many_devices import on_devices


def test_one_device_places_nothing():
    batch = {"x": np.zeros((4, 2))}
    assert layout() is None and device_count() == 1 and on_all(5) == 5
    assert share_out(batch) is batch and lay_out(batch) is batch


@pytest.mark.parametrize("count", [0, -1, 9])
def test_devices_that_are_not_there(count):
    with pytest.raises(UserError, match=f"devices must be from 1 to 8, .* got {count}"):
        use_devices(count)


def test_all_devices_by_default():
    with on_devices(None):
        assert device_count() == 8 and on_all(5) == 40


@pytest.mark.parametrize(
    ("shape", "divides", "expected"),
    [
        ((8, 12), False, PartitionSpec()),
        ((8, 12), True, PartitionSpec(None, "devices")),  # the longest of those that can be
        ((8, 13), True, PartitionSpec("devices")),
        ((3, 5), True, PartitionSpec()),
        ((), True, PartitionSpec()),
    ],
)
def test_places_of_parameters(shape, divides, expected):
    with on_devices(4, divide_params=divides):
        placed = lay_out({"w": np.zeros(shape)})["w"]
    assert placed.sharding.spec == expected and len(placed.sharding.device_set) == 4


def test_examples_are_shared_out():
    batch = {"x": np.arange(24).reshape(2, 4, 3), "y": np.arange(8).reshape(2, 4)}
    with on_devices(4):
        shared = share_out(batch, axis=1)
        assert share_out(batch, axis=0) is batch  # two rows for four devices
    for name, leaf in shared.items():
        shapes = {piece.data.shape for piece in leaf.addressable_shards}
        assert shapes == {(2, 1, *batch[name].shape[2:])}
        np.testing.assert_array_equal(leaf, batch[name])


def test_results_lie_whole_on_each_device():
    with on_devices(4):
        x = share_out(np.arange(8.0))
        assert jit(lambda x: 2 * x)(x).sharding.is_fully_replicated
        assert not jit(lambda x: 2 * x, out_shardings=None)(x).sharding.is_fully_replicated


def test_what_is_memoized_is_made_anew_for_other_devices():
    build = memoized(lambda name: [name])
    one = build("a")
    with on_devices(2):
        assert build("a") is not one
    assert build("a") is one
    assert jax.device_count() == 8
