"""Chunks of examples, on the host: everything here is NumPy, and loops that call compiled code."""

from collections.abc import Callable, Iterator

import jax
import jax.numpy as jnp
import numpy as np

from itune.attribution.checks import require_examples
from itune.influence.types import Examples
from itune.utils.devices import on_all, share_out


def each_chunk(examples: Examples, size: int) -> Iterator[tuple[Examples, int]]:
    """Yield chunks of equal length, each with its number of real rows; ``size`` for each device.

    The last chunk repeats the last example where it is not full.
    """
    count = require_examples(examples, "examples")
    size = min(on_all(size), count)
    for start in range(0, count, size):
        rows = np.minimum(np.arange(start, start + size), count - 1)
        yield jax.tree.map(lambda leaf, rows=rows: leaf[rows], examples), min(size, count - start)


def stack_chunks(examples: Examples, size: int) -> tuple[Examples, np.ndarray]:
    """Stack all examples, ``(chunks, size, …)`` in order, and tell which are real.

    They stay on the devices, ``size`` of a chunk on each.
    """
    count = require_examples(examples, "examples")
    size = min(on_all(size), count)
    rows = np.arange(-(-count // size) * size)

    def stack(leaf: np.ndarray | jax.Array) -> jax.Array:
        leaf = leaf[np.minimum(rows, count - 1)]
        return jnp.asarray(leaf.reshape((-1, size) + leaf.shape[1:]))

    stacked = share_out(jax.tree.map(stack, examples), axis=1)
    return stacked, (rows < count).reshape(-1, size)


def map_examples(
    fun: Callable[[Examples], np.ndarray | jax.Array], examples: Examples, size: int
) -> np.ndarray:
    """Apply ``fun(chunk) -> (n, ...)`` to all examples, ``(count, ...)``."""
    return np.concatenate([np.asarray(fun(chunk))[:n] for chunk, n in each_chunk(examples, size)])


def pair_matrix(
    fun: Callable[[Examples, Examples], np.ndarray | jax.Array],
    probes: Examples,
    train: Examples,
    size: int,
) -> np.ndarray:
    """Apply ``fun(probes, train) -> (p, n)`` to all pairs of chunks, ``(P, N)``."""

    def rows(chunk: Examples) -> np.ndarray:
        return map_examples(lambda other: np.asarray(fun(chunk, other)).T, train, size).T

    return map_examples(rows, probes, size)
