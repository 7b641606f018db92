"""CID, the confound influence difference of probes against the whole training set.

It is the mean influence on a probe of training examples with its label and confound, minus that of
examples with its label and another confound (Han & Tsvetkov 2021, section 5.2).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np

from itune.data.dataset import Dataset, chunks_by_length, collate_shared
from itune.errors import UserError
from itune.groups import Group, groups_of, paired_groups
from itune.influence import LinenLoss
from itune.influence.differences import projections, unit_gradient_sum
from itune.influence.types import Params, Tensors
from itune.utils.compiling import jit, memoized
from itune.utils.devices import lay_out, on_all
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
      has_gradient: Whether the gradient of each probe differs from 0, ``(P,)``, bool. Influences on
        one without are 0 whatever the model goes by.
    """

    probes: np.ndarray
    with_self: np.ndarray
    without_self: np.ndarray
    has_gradient: np.ndarray

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
          ``cid``, ``cid_without_self`` and ``cid_standard_error``, unitless, NaN where there are
          too few probes; and ``cid_without_gradient``, the share of probes without gradient.
        """
        known = self.without_self[~np.isnan(self.without_self)]
        spread = known.std(ddof=1) / np.sqrt(len(known)) if len(known) > 1 else float("nan")
        return {
            "cid": float(np.mean(self.with_self)),
            "cid_without_self": float(np.mean(known)) if len(known) else float("nan"),
            "cid_standard_error": float(spread),
            "cid_without_gradient": float(np.mean(~self.has_gradient)),
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
      chunk: Number of examples computed at once on each device.

    Returns:
      ``fun(params) -> CID``.

    Raises:
      UserError: No probe has training examples both of its confound and of another.
    """
    influences_of = make_group_influences(loss, train, probes=probes, chunk=chunk)

    def fun(params: Params) -> CID:
        influences = influences_of(params)
        differences = (influences.differences(with_self=it) for it in (True, False))
        return CID(influences.probes, *differences, has_gradient=influences.own > 0)

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
      chunk: Number of examples computed at once on each device.
      on_progress: Called with the number of chunks done and the number in all.
      resumable: Stores what is done, a vector of the parameters' size for each group, so that one
        call goes on after an interruption.

    Returns:
      ``fun(params) -> GroupInfluences``.

    Raises:
      UserError: No probe has training examples both of its confound and of another.
    """
    return _TwoPasses(loss, train, np.asarray(probes), chunk, on_progress, resumable).run


class _TwoPasses:
    """Loops over the chunks of groups, then of the probes of groups, each with a name."""

    def __init__(
        self,
        loss: LinenLoss,
        train: Dataset,
        probes: np.ndarray,
        chunk: int,
        on_progress: Callable[[int, int], None],
        resumable: Resumable,
    ) -> None:
        self._train, self._on_progress, self._resumable = train, on_progress, resumable
        self._unit_sum, self._project, self._add = compiled_sums(loss)
        self._groups = groups_of(train.label, train.confound)
        self._probes = _probes_by_group(train, probes)
        labels = {group.label for group in self._probes}
        passes = {
            "sum": {group: rows for group, rows in self._groups.items() if group.label in labels},
            "group": self._probes,
        }
        self._chunks = {
            (kind, group): chunks_by_length(train, rows, on_all(chunk))
            for kind, rows_of in passes.items()
            for group, rows in rows_of.items()
        }
        *starts, self._total = accumulate(map(len, self._chunks.values()), initial=0)
        self._starts = dict(zip(self._chunks, starts, strict=True))

    def run(self, params: Params) -> GroupInfluences:
        """Sum up the groups, then project the probes on the groups of their label."""
        params = lay_out(params)
        sums = {group: self._sum(params, group) for kind, group in self._chunks if kind == "sum"}
        names = tuple(self._groups)
        probes = np.sort(np.concatenate(list(self._probes.values())))
        result = GroupInfluences(
            probes=probes,
            group=np.empty(len(probes), int),
            groups=names,
            sizes=np.array([len(rows) for rows in self._groups.values()]),
            sums=np.full((len(probes), len(names)), np.nan),
            own=np.empty(len(probes)),
        )
        for group, of_group in self._probes.items():
            alike = [other for other in names if other.label == group.label]
            along, own = self._projections(params, group, tuple(sums[other] for other in alike))
            rows = np.searchsorted(probes, of_group)
            columns = np.array([names.index(other) for other in alike])
            result.sums[np.ix_(rows, columns)] = along
            result.own[rows], result.group[rows] = own, names.index(group)
        return result

    def _sum(self, params: Params, group: Group) -> Tensors:
        """Sum the unit gradients of a group."""
        dtype = jnp.result_type(*jax.tree.leaves(params))

        def step(state: State, chunk: Chunk) -> State:
            places, is_real = chunk
            examples = collate_shared(self._train, self._groups[group][places])
            part = _by_name(self._unit_sum(params, examples, is_real.astype(dtype)))
            return self._add(state, part) if state else part

        return _by_path(self._fold("sum", group, {}, step))

    def _projections(
        self, params: Params, group: Group, directions: tuple[Tensors, ...]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Project the unit gradient of each probe of a group on directions, and on itself."""
        probes = self._probes[group]
        dtype = np.dtype(jnp.result_type(*jax.tree.leaves(params)))

        def step(state: State, chunk: Chunk) -> State:
            places, is_real = chunk
            along, own = self._project(
                params, collate_shared(self._train, probes[places]), directions
            )
            state["along"][places[is_real]] = np.asarray(along)[is_real]
            state["own"][places[is_real]] = np.asarray(own)[is_real]
            return state

        shapes = {"along": (len(probes), len(directions)), "own": len(probes)}
        state = {name: np.empty(shape, dtype) for name, shape in shapes.items()}
        state = self._fold("group", group, state, step)
        return state["along"], state["own"]

    def _fold(
        self, kind: str, group: Group, state: State, step: Callable[[State, Chunk], State]
    ) -> State:
        """Do a loop over all of its chunks, those left out that an earlier call has saved."""
        name, start = f"{kind}-{group.label}-{group.confound}", self._starts[kind, group]
        chunks = self._chunks[kind, group]
        return self._resumable.fold(
            name, state, chunks, step, lambda done: self._on_progress(start + done, self._total)
        )


def _probes_by_group(train: Dataset, probes: np.ndarray) -> Mapping[Group, np.ndarray]:
    """Return the probes of each group that can be compared with others of its label."""
    groups = paired_groups(train.label, train.confound)
    of_groups = {group: np.intersect1d(probes, rows) for group, rows in groups.items()}
    of_groups = {group: rows for group, rows in of_groups.items() if len(rows)}
    if not of_groups:
        raise UserError(
            f"CID is undefined: none of the {len(probes)} probes has training examples of its "
            "label with another confound; add some, or set cid_probes higher"
        )
    return of_groups


@memoized
def compiled_sums(
    loss: LinenLoss,
) -> tuple[Callable[..., Tensors], Callable[..., tuple[jax.Array, jax.Array]], Callable[..., Any]]:
    """Compile sums of unit gradients, projections, and sums of such sums."""
    add = jit(lambda a, b: jax.tree.map(jnp.add, a, b))
    return jit(unit_gradient_sum(loss)), jit(projections(loss)), add


def _by_name(direction: Tensors) -> State:
    return {"/".join(path): value for path, value in direction.items()}


def _by_path(state: State) -> Tensors:
    return {tuple(name.split("/")): value for name, value in state.items()}
