"""Devices: how many work at once, and which part of an array lies on which.

Work is data parallel: examples are shared out, each device computes those that it has, and XLA adds
up what is summed over examples. Parameters, and states of training, lie whole on every device, or
divided among them too (:func:`use_devices`). Compiled functions know nothing of this: they say what
is computed, the places of their arguments say where. On one device nothing is placed at all.
"""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import jax
import numpy as np
from jax.experimental import multihost_utils
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
_runs: int | None = None


def use_devices(
    count: int | None = None, *, divide_params: bool = False, together: int | None = None
) -> None:
    """Choose the devices of all later work of this process.

    Results do not depend on them, but for rounding: batches and dropout are the same.

    Args:
      count: Number of devices, the first ones that JAX lists; None uses all. Where several
        processes work together, of each of them.
      divide_params: Whether the parameters and the states of optimizers are divided among the
        devices, along one axis of each array that allows it, rather than lying whole on each. It
        takes less memory and more time.
      together: Number of runs that may advance together in one program, on one device; None
        leaves it to the kind of device.

    Raises:
      UserError: There are not so many devices, or the number of runs is less than 1.
    """
    if together is not None and together < 1:
        raise UserError(f"together must be a positive integer, got {together}")
    there = jax.local_device_count()
    if count is not None and not 1 <= count <= there:
        raise UserError(f"devices must be from 1 to {there}, as many as there are, got {count}")
    global _chosen, _runs
    _chosen, _runs = (count, divide_params), together


def layout() -> Layout | None:
    """Return the layout of arrays; None on one device."""
    return _layout(*_chosen)


@cache
def _layout(count: int | None, divides_params: bool) -> Layout | None:
    devices = [
        device for number in range(jax.process_count()) for device in _of_process(number)[:count]
    ]
    return Layout(tuple(devices), divides_params) if len(devices) > 1 else None


def _of_process(number: int) -> list[jax.Device]:
    return [device for device in jax.devices() if device.process_index == number]


def device_count() -> int:
    """Return the number of devices that are used."""
    of = layout()
    return 1 if of is None else len(of.devices)


def chosen_together() -> int | None:
    """Return the number of runs that was chosen to advance together; None if none was."""
    return _runs


def free_device_memory() -> int | None:
    """Return the bytes that the first device has left; None if it does not tell."""
    memory = jax.local_devices()[0].memory_stats() or {}
    if "bytes_limit" not in memory:
        return None
    return memory["bytes_limit"] - memory.get("bytes_in_use", 0)


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
    return tree if layout() is None else jax.tree.map(_put, tree, places(tree))


def gather(tree: PyTree) -> PyTree:
    """Return parameters that every process has whole, so that NumPy can read them."""
    of = layout()
    return tree if of is None else jax.tree.map(lambda leaf: _put(leaf, of.whole), tree)


def share_out(batch: PyTree, axis: int = 0) -> PyTree:
    """Divide arrays along an axis, which all have; not where the devices' number divides it not."""
    of = layout()
    if of is None or not divides(jax.tree.leaves(batch)[0].shape[axis]):
        return batch
    return jax.tree.map(lambda leaf: _put(leaf, of.along(axis)), batch)


def divides(size: int) -> bool:
    """Return whether an axis of some length can be divided among the devices."""
    return size % device_count() == 0


def _put(leaf: Any, place: NamedSharding) -> jax.Array:
    """Put an array, which all processes have alike, into a place."""
    if jax.process_count() == 1:
        return jax.device_put(leaf, place)
    if isinstance(leaf, jax.Array) and not leaf.is_fully_addressable:
        if leaf.sharding.is_equivalent_to(place, leaf.ndim):
            return leaf
        return jax.jit(lambda x: x, out_shardings=place)(leaf)
    array = np.asarray(leaf)
    return jax.make_array_from_callback(array.shape, place, lambda index: array[index])


# Several processes that do one piece of work together


def is_first_process() -> bool:
    """Return whether this is the process that writes and prints."""
    return jax.process_index() == 0


def own_part(size: int) -> slice:
    """Return which part of an axis of some length lies on the devices of this process."""
    each = size // jax.process_count()
    return slice(each * jax.process_index(), each * (jax.process_index() + 1))


def from_parts(part: np.ndarray, axis: int, size: int) -> jax.Array:
    """Return the array that each process has its own part of, along an axis of some length."""
    of = layout()
    assert of is not None, "one device"
    shape = (*part.shape[:axis], size, *part.shape[axis + 1 :])
    return jax.make_array_from_process_local_data(of.along(axis), part, shape)


def wait_for_all(what: str) -> None:
    """Wait until every process has come here."""
    if jax.process_count() > 1:
        multihost_utils.sync_global_devices(what)


def of_any(*flags: bool) -> list[bool]:
    """Return which of some flags are set in any of the processes."""
    if jax.process_count() == 1:
        return list(flags)
    return np.any(multihost_utils.process_allgather(np.array(flags)), axis=0).tolist()


def of_first(value: np.ndarray) -> np.ndarray:
    """Return the first process's value, which others may have otherwise, such as a time."""
    return value if jax.process_count() == 1 else multihost_utils.broadcast_one_to_all(value)


_copies: dict[Path, Path] = {}


def share_folder(copy: Path, original: Path) -> None:
    """Note that a folder of this process stands for one that processes have in common."""
    _copies[copy.resolve()] = original.resolve()


def shared_path(path: Path) -> Path:
    """Return the path, of one in a copy, that the processes have in common."""
    path = path.resolve()
    for copy, original in _copies.items():
        if path.is_relative_to(copy):
            return original / path.relative_to(copy)
    return path
