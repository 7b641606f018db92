"""CID, the confound influence difference of probes against the whole training set.

The CID of a probe is the mean influence on it of training examples with its label and confound,
minus that of examples with its label and another confound (Han & Tsvetkov 2021, section 5.2). Both
are made of the mean influence of each group on each probe, which two passes over the data give.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from itune.data.dataset import Dataset, chunks_by_length, collate
from itune.errors import UserError
from itune.groups import Group, groups_of
from itune.influence import LinenLoss
from itune.influence.differences import Direction, projections, unit_gradient_sum
from itune.utils.compiling import jit, shared
from itune.utils.resumable import NEVER_SAVED, Resumable, State


class GroupInfluences(NamedTuple):
    """Influence of whole groups of the training set on some probes (NumPy).

    Attributes:
      probes: indices of the probes, ``(P,)``, ascending.
      group: for each probe the place of its own group in ``groups``, ``(P,)``.
      groups: the K groups of the training set.
      sizes: how many examples each has, ``(K,)``.
      sums: sum over each group of the influences of its examples on the probe, the probe's own
        among them, ``(P, K)``; NaN for groups of another label.
      own: the probe's influence on itself, ``(P,)``: 1, or 0 where its gradient is exactly 0.
    """

    probes: np.ndarray
    group: np.ndarray
    groups: tuple[Group, ...]
    sizes: np.ndarray
    sums: np.ndarray
    own: np.ndarray

    def means(self, *, with_self: bool) -> np.ndarray:
        """Mean influence of each group on each probe, ``(P, K)``.

        Args:
          with_self: whether a probe counts in its own group; if not, one alone there has NaN.
        """
        rows, sums = np.arange(len(self.probes)), self.sums.copy()
        sizes = np.broadcast_to(self.sizes, sums.shape).astype(np.float64)
        if not with_self:
            sums[rows, self.group] -= self.own
            sizes[rows, self.group] -= 1
        return np.divide(sums, sizes, out=np.full_like(sums, np.nan), where=sizes > 0)

    def differences(self, *, with_self: bool) -> np.ndarray:
        """CID of each probe, ``(P,)``: its own group's mean, minus that of its label's others."""
        rows = np.arange(len(self.probes))
        is_other = ~np.isnan(self.sums)
        is_other[rows, self.group] = False
        others = np.where(is_other, self.sums, 0).sum(axis=1)
        different = others / np.where(is_other, self.sizes, 0).sum(axis=1)
        return self.means(with_self=with_self)[rows, self.group] - different


class CID(NamedTuple):
    """Confound influence differences of some probes (NumPy).

    Attributes:
      probes: indices of the probes, ``(P,)``.
      with_self: differences with the probe counted among its own same-confound group, ``(P,)``, as
        in the released numbers.
      without_self: differences without it, ``(P,)``; NaN for a probe that is alone in its group.
    """

    probes: np.ndarray
    with_self: np.ndarray
    without_self: np.ndarray

    def by_group(self, data: Dataset) -> dict[Group, "CID"]:
        """The same, group by group of the probes; ``summary`` of each has its mean and error."""
        groups = groups_of(data.label[self.probes], data.confound[self.probes])
        return {group: CID(*(part[rows] for part in self)) for group, rows in groups.items()}

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

    Exact over all parameters, in two passes; arguments and errors as of
    :func:`make_group_influences`.
    """
    influences = make_group_influences(loss, train, probes=probes, chunk=chunk)

    def fun(params):
        found = influences(params)
        return CID(found.probes, *(found.differences(with_self=it) for it in (True, False)))

    return fun


def make_group_influences(
    loss: LinenLoss,
    train: Dataset,
    *,
    probes: np.ndarray,
    chunk: int = 16,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
    resumable: Resumable = NEVER_SAVED,
) -> Callable[[Any], GroupInfluences]:
    """Builds ``fun(params) -> GroupInfluences`` of the probes against all of ``train``.

    Exact over all parameters, in two passes: unit gradients are summed over each group (one vector
    of the parameters' size a group), and each probe is projected on the groups of its label.

    Args:
      loss: one example's label loss, without dropout.
      train: the training data.
      probes: indices into ``train``; those whose label occurs with one confound only are left out.
        ``np.arange(len(train))`` takes them all, for little more than a few.
      chunk: examples computed at once.
      on_progress: called with chunks done and chunks in all.
      resumable: keeps what is done, of one call: a vector of the parameters' size for each group.

    Raises:
      UserError: no probe has both groups.
    """
    by_group = groups_of(train.label, train.confound)
    groups = tuple(by_group)
    of_label = {group: [c for c in groups if c.label == group.label] for group in groups}
    probes_of = {group: np.intersect1d(probes, rows) for group, rows in by_group.items()}
    probes_of = {c: rows for c, rows in probes_of.items() if len(rows) and len(of_label[c]) > 1}
    if not probes_of:
        raise UserError(
            f"CID is undefined: none of the {len(probes)} probes has training examples of its "
            "label with another confound; add some, or set cid_probes higher"
        )
    needed = sorted({other for group in probes_of for other in of_label[group]})
    rows = {group: chunks_by_length(train, by_group[group], chunk) for group in needed}
    columns = {c: chunks_by_length(train, rows, chunk) for c, rows in probes_of.items()}
    total = sum(map(len, [*rows.values(), *columns.values()]))
    unit_sum, project, add = _compiled(loss)

    def fun(params):
        dtype = jnp.result_type(*jax.tree.leaves(params))
        before = 0

        def loop(kind, group, state, chunks, step):
            nonlocal before
            name, start = f"{kind}-{group.label}-{group.confound}", before
            before += len(chunks)
            return resumable.fold(
                name, state, chunks, step, lambda done: on_progress(start + done, total)
            )

        def group_sum(group):
            def step(state, chunk):
                places, is_real = chunk
                examples = collate(train, by_group[group][places])
                part = _by_name(unit_sum(params, examples, is_real.astype(dtype)))
                return add(state, part) if state else part

            return _by_path(loop("sum", group, {}, rows[group], step))

        def of_group(group):
            directions = tuple(sums[other] for other in of_label[group])

            def step(state, chunk):
                places, is_real = chunk
                examples = collate(train, probes_of[group][places])
                found = project(params, examples, directions)
                for name, values in zip(("along", "own"), found, strict=True):
                    state[name][places[is_real]] = np.asarray(values)[is_real]
                return state

            size, dtype_of = len(probes_of[group]), np.dtype(dtype)
            state = {
                "along": np.empty((size, len(directions)), dtype_of),
                "own": np.empty(size, dtype_of),
            }
            state = loop("group", group, state, columns[group], step)
            return group, probes_of[group], state["along"], state["own"]

        sums = {group: group_sum(group) for group in needed}
        parts = [of_group(group) for group in probes_of]
        return _gathered(parts, groups, of_label, [len(by_group[group]) for group in groups])

    return fun


@shared
def _compiled(loss: LinenLoss) -> tuple[Callable, Callable, Callable]:
    """Sums of unit gradients, projections, and sums of such sums."""
    add = jit(lambda a, b: jax.tree.map(jnp.add, a, b))
    return jit(unit_gradient_sum(loss)), jit(projections(loss)), add


def _gathered(parts, groups, of_label, sizes: Sequence[int]) -> GroupInfluences:
    """Groups of probes put in order."""
    place = {group: number for number, group in enumerate(groups)}
    probes, own = (np.concatenate([part[field] for part in parts]) for field in (1, 3))
    own_group = np.concatenate([np.full(len(part[1]), place[part[0]]) for part in parts])
    sums = np.full((len(probes), len(groups)), np.nan)
    start = 0
    for group, indices, along, _ in parts:
        sums[start : start + len(indices), [place[c] for c in of_label[group]]] = along
        start += len(indices)
    order = np.argsort(probes)
    return GroupInfluences(
        probes[order], own_group[order], groups, np.array(sizes), sums[order], own[order]
    )


def _by_name(direction: Direction) -> State:
    return {"/".join(path): value for path, value in direction.items()}


def _by_path(state: State) -> Direction:
    return {tuple(name.split("/")): value for name, value in state.items()}
