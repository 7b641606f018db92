"""Types of the influence engine's arguments: parameters, examples, losses."""

from typing import Any, Protocol, TypeAlias

import jax

PyTree: TypeAlias = Any
"""A pytree: dicts, lists, tuples and NamedTuples, nested in any way, with arrays as leaves."""

Params: TypeAlias = PyTree
"""A pytree of floating-point parameters, such as the nested dict of a Flax module."""

Example: TypeAlias = PyTree
"""One example: a pytree of arrays without a batch axis."""

Examples: TypeAlias = PyTree
"""Several examples: a pytree of arrays that share one or more leading axes."""

Path: TypeAlias = tuple[str, ...]
"""The place of a tensor in the parameters, such as ``("layer_0", "query", "kernel")``."""

Tensors: TypeAlias = dict[Path, jax.Array]
"""Arrays by path, one for each selected parameter."""

Shapes: TypeAlias = dict[Path, tuple[int, ...]]
"""Shapes by path, one for each selected parameter."""


class LossFn(Protocol):
    """A loss of one example, ``loss(params, example) -> scalar``."""

    def __call__(self, params: Params, example: Example, /) -> jax.Array:
        """Return the loss of one example, a floating-point scalar."""
        ...
