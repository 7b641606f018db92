"""CID, the confound influence difference of probes against the whole training set.

The CID of a probe is the mean influence on it of training examples with its label and confound,
minus that of examples with its label and another confound (Han & Tsvetkov 2021, section 5.2). Both
are made of the mean influence of each group on each probe, which two passes over the data give.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np

from itune.data.dataset import Dataset, chunks_by_length, collate
from itune.errors import UserError
from itune.groups import Group, groups_of
from itune.influence import LinenLoss
from itune.influence.differences import projections, unit_gradient_sum
from itune.influence.types import Params, Tensors
from itune.utils.compiling import jit, memoized
from itune.utils.resumable import NEVER_SAVED, Resumable, State

Chunk: TypeAlias = tuple[np.ndarray, np.ndarray]
"""Places of examples, ``(chunk,)``, and which of them are real rather than padding."""


@dataclass(frozen=True)
class GroupInfluences:
    """Influence of whole groups of the training set on some probes (NumPy).

    Attributes:
      probes: Indices of the probes in the training data, ``(P,)``, ascending.
      group: Place in ``groups`` of each probe's own group, ``(P,)``.
      groups: The K groups of the training set.
      sizes: Number of examples of each group, ``(K,)``.
      sums: Sum over each group of the influences of its examples on the probe, the probe's own
        among them, ``(P, K)``; NaN for groups of another label.
      own: Influence of each probe on itself, ``(P,)``: 1, or 0 where its gradient is exactly 0.
    """

    probes: np.ndarray
    group: np.ndarray
    groups: tuple[Group, ...]
    sizes: np.ndarray
    sums: np.ndarray
    own: np.ndarray

    def means(self, *, with_self: bool) -> np.ndarray:
        """Compute the mean influence of each group on each probe.

        Args:
          with_self: Whether a probe counts in its own group; if not, the mean is NaN for one that
            is alone there.

        Returns:
          Means ``(P, K)``; NaN for groups of another label.
        """
        rows, sums = np.arange(len(self.probes)), self.sums.copy()
        sizes = np.broadcast_to(self.sizes, sums.shape).astype(np.float64)
        if not with_self:
            sums[rows, self.group] -= self.own
            sizes[rows, self.group] -= 1
        return np.divide(sums, sizes, out=np.full_like(sums, np.nan), where=sizes > 0)

    def differences(self, *, with_self: bool) -> np.ndarray:
        """Compute the CID of each probe: its own group's mean, minus that of its label's others.

        Args:
          with_self: Whether a probe counts in its own group.

        Returns:
          Differences ``(P,)``; NaN for a probe that is alone in its group, unless it counts.
        """
        rows = np.arange(len(self.probes))
        is_other = ~np.isnan(self.sums)
        is_other[rows, self.group] = False
        others = np.where(is_other, self.sums, 0).sum(axis=1)
        different = others / np.where(is_other, self.sizes, 0).sum(axis=1)
        return self.means(with_self=with_self)[rows, self.group] - different


class CID(NamedTuple):
    """Confound influence differences of some probes (NumPy).

    Attributes:
      probes: Indices of the probes in the training data, ``(P,)``.
      with_self: Differences with the probe counted among its own same-confound group, ``(P,)``, as
        in the released numbers.
      without_self: Differences without it, ``(P,)``; NaN for a probe that is alone in its group.
    """

    probes: np.ndarray
    with_self: np.ndarray
    without_self: np.ndarray

    def by_group(self, data: Dataset) -> dict[Group, "CID"]:
        """Split by the probes' groups; ``summary`` of each part has its mean and error.

        Args:
          data: The training data that the probes index.
        """
        groups = groups_of(data.label[self.probes], data.confound[self.probes])
        return {group: CID(*(part[rows] for part in self)) for group, rows in groups.items()}

    def summary(self) -> dict[str, float]:
        """Compute means over probes, and the standard error of the one without self.

        Returns:
          ``cid``, ``cid_without_self`` and ``cid_standard_error``, unitless; NaN where there are
          too few probes.
        """
        known = self.without_self[~np.isnan(self.without_self)]
        spread = known.std(ddof=1) / np.sqrt(len(known)) if len(known) > 1 else float("nan")
        return {
            "cid": float(np.mean(self.with_self)),
            "cid_without_self": float(np.mean(known)) if len(known) else float("nan"),
            "cid_standard_error": float(spread),
        }


def make_cid(
    loss: LinenLoss, train: Dataset, *, probes: np.ndarray, chunk: int = 16
) -> Callable[[Params], CID]:
    """Build a function that computes the CID of probes against all of the training data.

    Exact over all parameters, in two passes (:func:`make_group_influences`).

    Args:
      loss: Label loss of one example and its module, without dropout.
      train: The training data.
      probes: Indices into ``train``; those whose label occurs with one confound only are left out.
      chunk: Number of examples computed at once.

    Returns:
      ``fun(params) -> CID``.

    Raises:
      UserError: No probe has training examples both of its confound and of another.
    """
    influences_of = make_group_influences(loss, train, probes=probes, chunk=chunk)

    def fun(params: Params) -> CID:
        influences = influences_of(params)
        return CID(
            influences.probes, *(influences.differences(with_self=it) for it in (True, False))
        )

    return fun


def make_group_influences(
    loss: LinenLoss,
    train: Dataset,
    *,
    probes: np.ndarray,
    chunk: int = 16,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
    resumable: Resumable = NEVER_SAVED,
) -> Callable[[Params], GroupInfluences]:
    """Build a function that computes the influence of whole groups on probes.

    Exact over all parameters, in two passes: unit gradients are summed over each group (one vector
    of the parameters' size a group), and each probe is projected on the groups of its label.

    Args:
      loss: Label loss of one example and its module, without dropout.
      train: The training data.
      probes: Indices into ``train``; those whose label occurs with one confound only are left out.
        ``np.arange(len(train))`` takes them all, for little more than a few.
      chunk: Number of examples computed at once.
      on_progress: Called with the number of chunks done and the number in all.
      resumable: Stores what is done, a vector of the parameters' size for each group, so that one
        call goes on after an interruption.

    Returns:
      ``fun(params) -> GroupInfluences``.

    Raises:
      UserError: No probe has training examples both of its confound and of another.
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

    def fun(params: Params) -> GroupInfluences:
        dtype = jnp.result_type(*jax.tree.leaves(params))
        before = 0

        def loop(
            kind: str,
            group: Group,
            state: State,
            chunks: Sequence[Chunk],
            step: Callable[[State, Chunk], State],
        ) -> State:
            nonlocal before
            name, start = f"{kind}-{group.label}-{group.confound}", before
            before += len(chunks)
            return resumable.fold(
                name, state, chunks, step, lambda done: on_progress(start + done, total)
            )

        def group_sum(group: Group) -> Tensors:
            def step(state: State, chunk: Chunk) -> State:
                places, is_real = chunk
                examples = collate(train, by_group[group][places])
                part = _by_name(unit_sum(params, examples, is_real.astype(dtype)))
                return add(state, part) if state else part

            return _by_path(loop("sum", group, {}, rows[group], step))

        def of_group(group: Group) -> _Part:
            directions = tuple(sums[other] for other in of_label[group])

            def step(state: State, chunk: Chunk) -> State:
                places, is_real = chunk
                examples = collate(train, probes_of[group][places])
                projected = project(params, examples, directions)
                for name, values in zip(("along", "own"), projected, strict=True):
                    state[name][places[is_real]] = np.asarray(values)[is_real]
                return state

            size, dtype_of = len(probes_of[group]), np.dtype(dtype)
            state = {
                "along": np.empty((size, len(directions)), dtype_of),
                "own": np.empty(size, dtype_of),
            }
            state = loop("group", group, state, columns[group], step)
            return _Part(group, probes_of[group], state["along"], state["own"])

        sums = {group: group_sum(group) for group in needed}
        parts = [of_group(group) for group in probes_of]
        return _gathered(parts, groups, of_label, [len(by_group[group]) for group in groups])

    return fun


@memoized
def _compiled(
    loss: LinenLoss,
) -> tuple[Callable[..., Tensors], Callable[..., tuple[jax.Array, jax.Array]], Callable[..., Any]]:
    """Compile sums of unit gradients, projections, and sums of such sums."""
    add = jit(lambda a, b: jax.tree.map(jnp.add, a, b))
    return jit(unit_gradient_sum(loss)), jit(projections(loss)), add


class _Part(NamedTuple):
    """What :func:`make_group_influences` computes for the probes of one group."""

    group: Group
    probes: np.ndarray
    along: np.ndarray
    own: np.ndarray


def _gathered(
    parts: Sequence[_Part],
    groups: tuple[Group, ...],
    of_label: Mapping[Group, Sequence[Group]],
    sizes: Sequence[int],
) -> GroupInfluences:
    """Join the parts and sort the probes."""
    place = {group: number for number, group in enumerate(groups)}
    probes = np.concatenate([part.probes for part in parts])
    sums = np.full((len(probes), len(groups)), np.nan)
    start = 0
    for part in parts:
        columns = [place[group] for group in of_label[part.group]]
        sums[start : start + len(part.probes), columns] = part.along
        start += len(part.probes)
    order = np.argsort(probes)
    own_group = np.concatenate([np.full(len(part.probes), place[part.group]) for part in parts])
    return GroupInfluences(
        probes=probes[order],
        group=own_group[order],
        groups=groups,
        sizes=np.array(sizes),
        sums=sums[order],
        own=np.concatenate([part.own for part in parts])[order],
    )


def _by_name(direction: Tensors) -> State:
    return {"/".join(path): value for path, value in direction.items()}


def _by_path(state: State) -> Tensors:
    return {tuple(name.split("/")): value for name, value in state.items()}
