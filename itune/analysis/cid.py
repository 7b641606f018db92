"""CID, the confound influence difference of probes against the whole training set.

The CID of a probe is the mean influence on it of training examples with its label and confound,
minus that of examples with its label and another confound (Han & Tsvetkov 2021, section 5.2).
"""

import functools
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from itune.compiling import jit
from itune.data.cells import Cell, cells_of
from itune.data.dataset import Dataset, chunks_by_length, collate
from itune.errors import UserError
from itune.influence import LinenLoss
from itune.influence.differences import projections, unit_gradient_sum


class CID(NamedTuple):
    """Confound influence differences of some probes (NumPy).

    Attributes:
      probes: indices of the probes, ``(P,)``.
      with_self: differences with the probe counted among its own same-confound group, ``(P,)``, as
        in the released numbers.
      without_self: differences without it, ``(P,)``; NaN for a probe that is alone in its cell.
    """

    probes: np.ndarray
    with_self: np.ndarray
    without_self: np.ndarray

    def by_cell(self, data: Dataset) -> dict[Cell, "CID"]:
        """The same, cell by cell of the probes; ``summary`` of each has its mean and error."""
        cells = cells_of(data.label[self.probes], data.confound[self.probes])
        return {cell: CID(*(part[rows] for part in self)) for cell, rows in cells.items()}

    def summary(self) -> dict[str, float]:
        """Means over probes, and the standard error of the one without self."""
        known = self.without_self[~np.isnan(self.without_self)]
        spread = known.std(ddof=1) / np.sqrt(len(known)) if len(known) > 1 else float("nan")
        return {
            "cid": float(np.mean(self.with_self)),
            "cid_without_self": float(np.mean(known)) if len(known) else float("nan"),
            "cid_standard_error": float(spread),
        }


def make_cid(
    loss: LinenLoss, train: Dataset, *, probes: np.ndarray, chunk: int = 16
) -> Callable[[Any], CID]:
    """Builds ``fun(params) -> CID`` of the probes against all of ``train``.

    Exact over all parameters, in two passes: unit gradients are summed over each cell (one vector
    of the parameters' size a cell), and each probe is projected on its cell's direction.

    Args:
      loss: one example's label loss, without dropout.
      train: the training data.
      probes: indices into ``train``; those whose label occurs with one confound only are left out.
        ``np.arange(len(train))`` takes them all, for little more than a few.
      chunk: examples computed at once.

    Raises:
      UserError: no probe has both groups.
    """
    cells = cells_of(train.label, train.confound)
    others = {cell: [c for c in cells if c.label == cell.label and c != cell] for cell in cells}
    groups = {cell: np.intersect1d(probes, indices) for cell, indices in cells.items()}
    groups = {cell: group for cell, group in groups.items() if len(group) and others[cell]}
    if not groups:
        raise UserError(
            f"CID is undefined: none of the {len(probes)} probes has training examples of its "
            "label with another confound; add some, or set cid_probes higher"
        )
    needed = sorted({c for cell in groups for c in (cell, *others[cell])})
    unit_sum = jit(unit_gradient_sum(loss))
    project = jit(projections(loss))
    add = jit(lambda a, b: jax.tree.map(jnp.add, a, b))

    def cell_sum(params, cell):
        total, dtype = None, jnp.result_type(*jax.tree.leaves(params))
        for indices, is_real in _chunks(train, cells[cell], chunk):
            part = unit_sum(params, collate(train, indices), is_real.astype(dtype))
            total = part if total is None else add(total, part)
        return total

    def of_group(params, sums, cell):
        same_size, different_size = len(cells[cell]), sum(len(cells[c]) for c in others[cell])
        different = functools.reduce(add, [sums[c] for c in others[cell]])
        along, own = [], []
        for indices, is_real in _chunks(train, groups[cell], chunk):
            parts = project(params, collate(train, indices), (sums[cell], different))
            along.append(np.asarray(parts[0])[is_real])
            own.append(np.asarray(parts[1])[is_real])
        to_same, to_different = np.concatenate(along).astype(np.float64).T
        without = to_same - np.concatenate(own)
        is_alone = same_size == 1
        mean_without = np.full_like(without, np.nan) if is_alone else without / (same_size - 1)
        to_different /= different_size
        return to_same / same_size - to_different, mean_without - to_different

    def fun(params):
        sums = {cell: cell_sum(params, cell) for cell in needed}
        found = [of_group(params, sums, cell) for cell in groups]
        order = np.concatenate([_in_chunk_order(train, groups[cell], chunk) for cell in groups])
        by_probe = np.argsort(order)
        with_self, without_self = (np.concatenate(parts) for parts in zip(*found, strict=True))
        return CID(order[by_probe], with_self[by_probe], without_self[by_probe])

    return fun


def _chunks(train: Dataset, indices: np.ndarray, size: int) -> Iterator[tuple]:
    """Chunks of example indices, each with its ``is_real``."""
    for chunk, is_real in chunks_by_length(train, indices, size):
        yield indices[chunk], is_real


def _in_chunk_order(train, indices, size) -> np.ndarray:
    return np.concatenate([chunk[is_real] for chunk, is_real in _chunks(train, indices, size)])
