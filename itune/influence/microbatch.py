"""How many tuples fit into a given memory."""

from typing import Any

import jax

from itune.influence.gradient import value_and_grad
from itune.influence.objective import Params
from itune.influence.subsets import Select
from itune.influence.tuples import Tuples


def largest_microbatch(
    loss: Any,
    params: Params,
    tuples: Tuples,
    *,
    most_bytes: int,
    route: str = "ghost",
    select: Select = None,
) -> int:
    """The largest ``microbatch`` of :func:`~itune.influence.value_and_grad` within a memory.

    Compiles the derivative for all tuples, then for half as many and so on, and reads what XLA says
    about temporary and output memory; nothing is run. Parameters and tuples are not counted: they
    are there anyway.

    Args:
        loss: as of ``value_and_grad``.
        params: parameters, or their shapes (``jax.ShapeDtypeStruct``).
        tuples: a batch like those to come, or its shapes.
        most_bytes: the bound.
        route: as of ``value_and_grad``.
        select: as of ``value_and_grad``.

    Returns:
        A microbatch from 1 to the number of tuples.

    Raises:
        ValueError: one tuple alone needs more.
    """
    size = tuples.weights.shape[0]
    while True:
        fun = value_and_grad(loss, route=route, select=select, microbatch=size)
        memory = jax.jit(fun).lower(params, tuples).compile().memory_analysis()
        needed = memory.temp_size_in_bytes + memory.output_size_in_bytes
        if needed <= most_bytes:
            return size
        if size == 1:
            raise ValueError(
                f"most_bytes is {most_bytes} but one tuple needs {needed}; allow that much, "
                "shorten the examples, or draw fewer partners"
            )
        size = (size + 1) // 2
