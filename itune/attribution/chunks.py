"""Chunks of examples, on the host: everything here is NumPy, and loops that call compiled code."""

from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from itune.attribution.checks import require_examples


def each_chunk(examples: Any, size: int) -> Iterator[tuple[Any, int]]:
    """Yields chunks of equal length, each with its number of real rows.

    The last chunk repeats the last example where it is not full.
    """
    count = require_examples(examples, "examples")
    size = min(size, count)
    for start in range(0, count, size):
        rows = np.minimum(np.arange(start, start + size), count - 1)
        yield jax.tree.map(lambda leaf, rows=rows: leaf[rows], examples), min(size, count - start)


def stack_chunks(examples: Any, size: int) -> tuple[Any, np.ndarray]:
    """All examples on the device as ``(chunks, size, ...)``, and which of the rows are real.

    Example i is row i of the flattened leading axes.
    """
    count = require_examples(examples, "examples")
    size = min(size, count)
    rows = np.arange(-(-count // size) * size)

    def stack(leaf):
        leaf = leaf[np.minimum(rows, count - 1)]
        return jnp.asarray(leaf.reshape((-1, size) + leaf.shape[1:]))

    return jax.tree.map(stack, examples), (rows < count).reshape(-1, size)


def map_examples(fun: Callable[[Any], Any], examples: Any, size: int) -> np.ndarray:
    """``fun(chunk) -> (n, ...)`` over all examples, ``(count, ...)``."""
    return np.concatenate([np.asarray(fun(chunk))[:n] for chunk, n in each_chunk(examples, size)])


def pair_matrix(fun: Callable[[Any, Any], Any], probes: Any, train: Any, size: int) -> np.ndarray:
    """``fun(probes, train) -> (p, n)`` over all pairs of chunks, ``(P, N)``."""

    def rows(chunk):
        return map_examples(lambda other: np.asarray(fun(chunk, other)).T, train, size).T

    return map_examples(rows, probes, size)
