"""The influence on single probes of every training example of their label."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from itune.data.dataset import Dataset, chunks_by_length, collate_shared
from itune.errors import UserError
from itune.groups import Group
from itune.influence import LossFn
from itune.influence.scores import gradients, score
from itune.influence.types import Params
from itune.metrics.statistics import welch_test
from itune.utils.compiling import jit
from itune.utils.devices import lay_out, on_all


class ProbeInfluence(NamedTuple):
    """Influence of two groups on one probe (NumPy).

    Attributes:
      probe: Index of the probe in the training data.
      group: Label and confound of the probe.
      same: Influence of each training example of the probe's label and confound, without the probe
        itself, ``(n,)``.
      different: Influence of each training example of the probe's label and another confound,
        ``(m,)``.
    """

    probe: int
    group: Group
    same: np.ndarray
    different: np.ndarray

    @property
    def difference(self) -> float:
        """CID of the probe without itself: mean over ``same`` minus mean over ``different``."""
        return float(self.same.mean() - self.different.mean())

    def to_dict(self) -> dict[str, Any]:
        """Return a dict for JSON, with Welch's test of the difference."""
        test = welch_test(self.same, self.different)
        return {
            "probe": self.probe,
            "label": self.group.label,
            "confound": self.group.confound,
            "difference": self.difference,
            "welch_t": test.t,
            "welch_p": test.p,
            "same": self.same.tolist(),
            "different": self.different.tolist(),
        }


def probe_influences(
    loss: LossFn,
    params: Params,
    train: Dataset,
    *,
    probes: Sequence[int],
    chunk: int = 16,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[ProbeInfluence]:
    """Compute the gradient cosine of each probe with every training example of its label.

    The gradient of a training example is computed once, for all probes of its label.

    Args:
      loss: ``loss(params, example) -> scalar``, the label loss of one example; gradients of a
        :class:`~itune.influence.LinenLoss` stay factored where that is cheaper.
      params: Parameters of the model.
      train: The training data.
      probes: Indices into ``train``, few: the gradients of all probes of a label are held in
        memory.
      chunk: Number of training examples computed at once on each device.
      on_progress: Called with the number of chunks done and the number in all.

    Returns:
      One record for each probe, in the order given.

    Raises:
      UserError: A probe is no index into ``train``, or one of its two groups is empty.
    """
    groups = [_groups(train, probe) for probe in probes]
    scores = _scores(loss, params, train, np.array(probes), chunk, on_progress)
    return [
        ProbeInfluence(
            probe,
            Group(int(train.label[probe]), int(train.confound[probe])),
            *(row[indices] for indices in of_probe),
        )
        for probe, row, of_probe in zip(probes, scores, groups, strict=True)
    ]


def _groups(train: Dataset, probe: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the indices of the same and of the different group of a probe."""
    if not 0 <= probe < len(train):
        raise UserError(f"probe must be an index from 0 to {len(train) - 1}, got {probe}")
    has_label = train.label == train.label[probe]
    has_confound = train.confound == train.confound[probe]
    is_other = np.arange(len(train)) != probe
    groups = has_label & has_confound & is_other, has_label & ~has_confound
    for name, is_in in zip(("same", "different"), groups, strict=True):
        if not is_in.any():
            raise UserError(
                f"probe {probe} has no training example of its label and the {name} confound; "
                "choose another"
            )
    same, different = map(np.flatnonzero, groups)
    return same, different


def _scores(
    loss: LossFn,
    params: Params,
    train: Dataset,
    probes: np.ndarray,
    chunk: int,
    on_progress: Callable[[int, int], None],
) -> np.ndarray:
    """Compute scores ``(P, N)``; NaN where a probe and an example have different labels."""
    params, labels = lay_out(params), train.label[probes]
    of_label = {label: np.flatnonzero(train.label == label) for label in np.unique(labels)}
    work = {y: chunks_by_length(train, indices, on_all(chunk)) for y, indices in of_label.items()}
    done, total = 0, sum(map(len, work.values()))
    apart = None  # each gradient on the device that made it
    of_probes = jit(gradients(loss, kind="cosine", partners=len(train)), out_shardings=apart)
    of_chunk = jit(gradients(loss, kind="cosine"), out_shardings=apart)
    pairs = jit(score)
    scores = np.full((len(probes), len(train)), np.nan)
    for label, indices in of_label.items():
        (rows,) = np.nonzero(labels == label)
        left = of_probes(params, collate_shared(train, probes[rows]))
        for positions, is_real in work[label]:
            columns = indices[positions]
            block = np.asarray(pairs(left, of_chunk(params, collate_shared(train, columns))))
            scores[np.ix_(rows, columns[is_real])] = block[:, is_real]
            on_progress(done := done + 1, total)
    return scores
