"""CID of a number, such as an age: how influence falls as two examples differ in it.

For a probe p of a label with n examples, whose numbers x are standardised within the label (mean 0,
mean square 1), let ``b_p`` be the slope of the least-squares line through the influences of the
others on p against their numbers. Then

    CID = 2 / n  sum_p  x_p b_p

is without bias twice the squared norm of the slope of unit gradients on x: half the squared
distance of the mean unit gradients one standard deviation above the mean and one below. If x has
two values it is ``4 n_1 n_0 / n²`` times the CID of the two groups as a pair, and so that very CID
where they are equally large.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate

import jax
import jax.numpy as jnp
import numpy as np

from itune.data.dataset import Dataset, chunks_by_length, collate_shared
from itune.errors import UserError
from itune.influence import LinenLoss
from itune.influence.differences import projections, unit_gradient_sums
from itune.influence.types import Params, Tensors
from itune.utils.compiling import jit, memoized
from itune.utils.devices import lay_out, on_all
from itune.utils.resumable import NEVER_SAVED, Resumable, State


@dataclass(frozen=True)
class LinearCID:
    """CID of a number, of each probe (NumPy).

    Attributes:
      probes: Indices of the probes in the training data, ``(P,)``, ascending.
      values: ``2 x_p b_p`` of each, ``(P,)``, whose mean is the CID.
      own: Influence of each probe on itself, ``(P,)``: 1, or 0 where its gradient is exactly 0.
    """

    probes: np.ndarray
    values: np.ndarray
    own: np.ndarray


def standardise(x: np.ndarray) -> np.ndarray | None:
    """Shift and scale numbers to mean 0 and mean square 1.

    None if all are equal, or all but one: then no line goes through the others.
    """
    ordered = np.sort(x)
    if len(x) < 3 or ordered[0] == ordered[-2] or ordered[1] == ordered[-1]:
        return None
    centred = x - x.mean()
    return centred / np.sqrt(np.mean(centred**2))


def numbers_by_label(
    label: np.ndarray, number: np.ndarray
) -> dict[int, tuple[np.ndarray, np.ndarray]]:
    """Return the rows of each label that has a slope, and their standardised numbers."""
    found = {}
    for y in np.unique(label).tolist():
        rows = np.flatnonzero((label == y) & ~np.isnan(number))
        if (x := standardise(number[rows])) is not None:
            found[y] = rows, x
    return found


def slope_products(
    x: np.ndarray, weighted: np.ndarray, total: np.ndarray, own: np.ndarray
) -> np.ndarray:
    """Compute ``2 x_p b_p`` of each probe from sums of influences over its label.

    ``x`` are n standardised numbers, ``weighted`` the sums of influences times numbers, ``total``
    the sums of influences, both with the probe's own, which is ``own``; axes after the first are
    separate cases.
    """
    n = len(x)
    others = weighted - x * own + x * (total - own) / (n - 1)
    return 2 * x * others / (n - x * x * n / (n - 1))


def make_linear_cid(
    loss: LinenLoss,
    train: Dataset,
    number: np.ndarray,
    *,
    chunk: int = 16,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
    resumable: Resumable = NEVER_SAVED,
) -> Callable[[Params], LinearCID]:
    """Build a function that computes the CID of a number over all of the training data.

    Exact over all parameters and without pairs, in two passes: unit gradients, as they are and
    times the numbers, are summed over each label, and each example is projected on both sums.
    ``number`` has one for each example, NaN where there is none; such examples are left out.
    """
    labels = numbers_by_label(train.label, number)
    if not labels:
        raise UserError("no label of the training data has three rows whose numbers differ")
    sums_of, project, add = _compiled(loss)
    chunks = {y: chunks_by_length(train, rows, on_all(chunk)) for y, (rows, _) in labels.items()}
    *starts, total = accumulate((2 * len(of) for of in chunks.values()), initial=0)

    def fold(
        kind: str, y: int, state: State, step: Callable[[State, tuple], State], done: int
    ) -> State:
        return resumable.fold(
            f"{kind}-{y}", state, chunks[y], step, lambda more: on_progress(done + more, total)
        )

    def sums(params: Params, y: int, start: int) -> tuple[Tensors, ...]:
        rows, x = labels[y]
        dtype = jnp.result_type(*jax.tree.leaves(params))

        def step(state: State, chunk: tuple[np.ndarray, np.ndarray]) -> State:
            places, is_real = chunk
            weights = (np.stack([np.ones_like(x), x], 1)[places] * is_real[:, None]).astype(dtype)
            part = sums_of(params, collate_shared(train, rows[places]), weights)
            named = {
                f"{order}/{'/'.join(path)}": value
                for order, tensors in enumerate(part)
                for path, value in tensors.items()
            }
            return add(state, named) if state else named

        state = fold("linear-sum", y, {}, step, start)
        split = [(name.split("/"), value) for name, value in state.items()]
        return tuple({tuple(p): v for (o, *p), v in split if o == order} for order in "01")

    def fun(params: Params) -> LinearCID:
        params, parts = lay_out(params), []
        for start, (y, (rows, x)) in zip(starts, labels.items(), strict=False):
            directions = sums(params, y, start)

            def step(
                state: State,
                chunk: tuple[np.ndarray, np.ndarray],
                rows: np.ndarray = rows,
                directions: tuple[Tensors, ...] = directions,
            ) -> State:
                places, is_real = chunk
                along, own = project(params, collate_shared(train, rows[places]), directions)
                state["along"][places[is_real]] = np.asarray(along)[is_real]
                state["own"][places[is_real]] = np.asarray(own)[is_real]
                return state

            state: State = {"along": np.empty((len(rows), 2)), "own": np.empty(len(rows))}
            state = fold("linear-probes", y, state, step, start + len(chunks[y]))
            plain, weighted = state["along"].T
            values = slope_products(x, weighted, plain, state["own"])
            parts.append((rows, values, state["own"]))
        rows, values, own = map(np.concatenate, zip(*parts, strict=True))
        order = np.argsort(rows)
        return LinearCID(rows[order], values[order], own[order])

    return fun


@memoized
def _compiled(loss: LinenLoss) -> tuple[Callable, Callable, Callable]:
    """Compile both passes, and sums of sums."""
    add = jit(lambda a, b: jax.tree.map(jnp.add, a, b))
    return jit(unit_gradient_sums(loss)), jit(projections(loss)), add
