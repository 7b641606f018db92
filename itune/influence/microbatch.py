"""The number of tuples, or of a pool's examples, that fit into a given memory."""

import jax

from itune.influence.gradient import PAIR_FREE, value_and_grad
from itune.influence.pools import Pool
from itune.influence.subsets import Select
from itune.influence.tuples import Tuples
from itune.influence.types import LossFn, Params


def largest_microbatch(
    loss: LossFn,
    params: Params,
    batch: Tuples | Pool,
    *,
    most_bytes: int,
    route: str = "ghost",
    select: Select = None,
) -> int:
    """Find the largest ``microbatch`` of :func:`~itune.influence.value_and_grad` within a memory.

    Compiles the derivative for all tuples, or for all examples of a pool, then for half as many and
    so on, and reads what XLA says about temporary and output memory; nothing is run. Parameters and
    the batch are not counted, since they are in memory anyway.

    Args:
        loss: ``loss(params, example) -> scalar``; a :class:`~itune.influence.LinenLoss` for routes
            ``ghost`` and ``pair_free``.
        params: Parameters, or their shapes (``jax.ShapeDtypeStruct``).
        batch: Tuples like those to come, or a pool, or their shapes.
        most_bytes: Upper bound on the memory, in bytes.
        route: Route of the derivative, one that :func:`~itune.influence.value_and_grad` takes.
        select: Restricts influences to a subset of the parameters
            (:data:`~itune.influence.Select`).

    Returns:
        The microbatch, from 1 to the number of tuples or, for ``pair_free``, of examples.

    Raises:
        ValueError: One tuple, or one example, alone needs more memory.
        RuntimeError: The backend does not tell how much memory a function needs.
    """
    unit = "example" if route == PAIR_FREE else "tuple"
    if isinstance(batch, Tuples):
        size = batch.weights.shape[0]
    elif route == PAIR_FREE:
        size = batch.is_real.size
    else:
        size = jax.eval_shape(Pool.tuples, batch).weights.shape[0]
    while True:
        fun = value_and_grad(loss, route=route, select=select, microbatch=size)
        memory = jax.jit(fun).lower(params, batch).compile().memory_analysis()
        if memory is None:
            raise RuntimeError(
                f"backend {jax.default_backend()!r} does not tell how much memory a function needs"
            )
        needed = memory.temp_size_in_bytes + memory.output_size_in_bytes
        if needed <= most_bytes:
            return size
        if size == 1:
            raise ValueError(
                f"most_bytes must be at least {needed}, which one {unit} needs, got {most_bytes}; "
                "allow more, shorten the examples, or draw fewer partners"
            )
        size = (size + 1) // 2
