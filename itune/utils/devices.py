"""Devices: how many work at once, and which part of an array lies on which.

Work is data parallel: examples are shared out, each device computes those that it has, and XLA adds
up what is summed over examples. Parameters, and states of training, lie whole on every device, or
divided among them too (:func:`use_devices`). Compiled functions know nothing of this: they say what
is computed, the places of their arguments say where. On one device nothing is placed at all.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple, TypeAlias

import jax
import numpy as np
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec

from itune.errors import UserError

AXIS = "devices"

PyTree: TypeAlias = Any


class Layout(NamedTuple):
    """Which devices are used, and what is divided among them.

    Attributes:
      devices: The devices, in order; several.
      divides_params: Whether parameters, and states of training, are divided among them.
    """

    devices: tuple[jax.Device, ...]
    divides_params: bool

    @property
    def mesh(self) -> Mesh:
        """The devices as an axis that arrays can be divided along."""
        return Mesh(np.array(self.devices), (AXIS,), axis_types=(AxisType.Auto,))

    @property
    def whole(self) -> NamedSharding:
        """The place of an array that lies whole on every device."""
        return NamedSharding(self.mesh, PartitionSpec())

    def along(self, axis: int) -> NamedSharding:
        """Return the place of an array that is divided along one of its axes."""
        return NamedSharding(self.mesh, PartitionSpec(*[None] * axis, AXIS))

    def place_of(self, shape: Sequence[int]) -> NamedSharding:
        """Return the place of a parameter: its longest axis that can be divided is, or none."""
        count = len(self.devices)
        axes = [axis for axis, size in enumerate(shape) if size and size % count == 0]
        if not self.divides_params or not axes:
            return self.whole
        return self.along(max(axes, key=lambda axis: shape[axis]))


_chosen: tuple[int | None, bool] = (None, False)


def use_devices(count: int | None = None, *, divide_params: bool = False) -> None:
    """Choose the devices of all later work of this process.

    Results do not depend on them, but for rounding: batches and dropout are the same.

    Args:
      count: Number of devices, the first ones that JAX lists; None uses all.
      divide_params: Whether the parameters and the states of optimizers are divided among the
        devices, along one axis of each array that allows it, rather than lying whole on each. It
        takes less memory and more time.

    Raises:
      UserError: There are not so many devices.
    """
    there = len(jax.devices())
    if count is not None and not 1 <= count <= there:
        raise UserError(f"devices must be from 1 to {there}, as many as there are, got {count}")
    global _chosen
    _chosen = count, divide_params


def layout() -> Layout | None:
    """Return the layout of arrays; None on one device."""
    return _layout(*_chosen)


@cache
def _layout(count: int | None, divides_params: bool) -> Layout | None:
    devices = tuple(jax.devices()[:count])
    return Layout(devices, divides_params) if len(devices) > 1 else None


def device_count() -> int:
    """Return the number of devices that are used."""
    of = layout()
    return 1 if of is None else len(of.devices)


def on_all(size: int) -> int:
    """Return how many examples are computed at once where each device has ``size`` of them."""
    return size * device_count()


def places(tree: PyTree) -> PyTree:
    """Return the places of parameters, or of a state of training: a tree of the same structure."""
    of = layout()
    assert of is not None, "one device"
    return jax.tree.map(lambda leaf: of.place_of(np.shape(leaf)), tree)


def lay_out(tree: PyTree) -> PyTree:
    """Put parameters, or a state of training, where they belong; on one device leave them alone."""
    return tree if layout() is None else jax.device_put(tree, places(tree))


def share_out(batch: PyTree, axis: int = 0) -> PyTree:
    """Divide arrays along an axis, which all have; not where the devices' number divides it not."""
    of = layout()
    if of is None or jax.tree.leaves(batch)[0].shape[axis] % len(of.devices):
        return batch
    return jax.device_put(batch, of.along(axis))
