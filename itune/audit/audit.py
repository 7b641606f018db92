"""The audit of a classifier: what it leans on, how sure that is, and which sentences show it."""

import functools
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from itune.analysis.accuracy import make_logits
from itune.analysis.cid import make_cell_influences
from itune.analysis.matrix import influences_among
from itune.audit.behaviour import Behaviour, behaviour
from itune.audit.config import ALWAYS, AUTO, AuditConfig
from itune.audit.influence import InfluenceAudit, influence_audit
from itune.audit.linear_probe import LinearProbe, linear_probe
from itune.audit.uncertainty import CIDTest, cid_test, draw_sample
from itune.data.cells import Cell, cells_of
from itune.data.dataset import Dataset, collate
from itune.errors import UserError
from itune.methods.method import Classifier

Notify = Callable[[str, int, int], None]
"""Called with the part of the audit under way, and how much of it is done, out of what."""


class Audit(NamedTuple):
    """What an audit found.

    Attributes:
      influence: CID of the whole training set; None where it was left out.
      test: CID of a sample, with interval and p value.
      sample: indices of that sample in the training data, ``(n,)``.
      label: of these examples, ``(n,)``.
      confound: of the same, ``(n,)``.
      matrix: their influences on one another, ``(n, n)``.
      share: of each cell among the annotated training examples.
      behaviour: accuracy and calibration by the name of each data set.
      probe: the linear probe of the confound in the pooled vectors of the training data; None where
        too few examples can be told apart.
      minutes_of_whole: estimate of what ``influence`` takes.
    """

    influence: InfluenceAudit | None
    test: CIDTest
    sample: np.ndarray
    label: np.ndarray
    confound: np.ndarray
    matrix: np.ndarray
    share: dict[Cell, float]
    behaviour: dict[str, Behaviour]
    probe: LinearProbe | None
    minutes_of_whole: float


def audit(
    classifier: Classifier,
    params: Any,
    train: Dataset,
    others: Mapping[str, Dataset],
    config: AuditConfig | None = None,
    *,
    notify: Notify = lambda part, done, total: None,
) -> Audit:
    """Audits a classifier on the data it was trained on.

    Training examples whose confound is hidden (not annotated) have no part in CID and probe.

    Args:
      classifier: the model.
      params: its parameters.
      train: the training data.
      others: data sets to look at the behaviour on, beside ``train``.
      config: the defaults if None.
      notify: progress.

    Raises:
      UserError: no label of the training data has two confounds.
    """
    config = AuditConfig() if config is None else config
    rng = np.random.default_rng(config.seed)
    known = train.subset(train.visible)
    sample = draw_sample(known.label, known.confound, config.sample, rng)
    if not len(sample):
        raise UserError(
            "no label of the training data occurs with two confounds, so there is nothing to "
            "compare; check the confound column or the rule"
        )
    logits, pooled = _outputs(classifier, params, {"train": train, **others}, notify)
    matrix = influences_among(
        classifier.loss,
        params,
        known,
        sample,
        chunk=config.chunk,
        notify=functools.partial(notify, "sample"),
    )
    cells = cells_of(known.label, known.confound)
    share = {cell: len(rows) / len(known) for cell, rows in cells.items()}
    label, confound = known.label[sample], known.confound[sample]
    test = cid_test(matrix, label, confound, share, rng, draws=config.draws)
    minutes = _estimate(classifier, params, known, config)
    is_whole = config.whole == ALWAYS or (config.whole == AUTO and minutes <= config.minutes)
    return Audit(
        influence=_whole(classifier, params, known, config, notify) if is_whole else None,
        test=test,
        sample=train.visible[sample],
        label=label,
        confound=confound,
        matrix=matrix,
        share=share,
        behaviour={name: behaviour(*of_data) for name, of_data in logits.items()},
        probe=linear_probe(pooled[train.visible], known.label, known.confound, rng),
        minutes_of_whole=minutes,
    )


def _outputs(classifier, params, datasets: Mapping[str, Dataset], notify):
    """Logits beside the data of each set, and the pooled vectors of the first."""

    def both(params, examples):
        outputs = classifier.outputs(params, examples, None)
        return jnp.concatenate([outputs.logits, outputs.pooled], axis=-1)

    rows = make_logits(both)
    found, pooled = {}, None
    for number, (name, dataset) in enumerate(datasets.items(), 1):
        values = rows(params, dataset)
        classes = values.shape[1] - classifier.width
        found[name] = (values[:, :classes], dataset)
        pooled = values[:, classes:] if pooled is None else pooled
        notify("predictions", number, len(datasets))
    return found, pooled


def _whole(classifier, params, known: Dataset, config: AuditConfig, notify) -> InfluenceAudit:
    influences = make_cell_influences(
        classifier.loss,
        known,
        probes=np.arange(len(known)),
        chunk=config.chunk,
        notify=functools.partial(notify, "everyone"),
    )
    return influence_audit(influences(params))


def _estimate(classifier, params, known: Dataset, config: AuditConfig) -> float:
    """Minutes that two passes over the data take, from one chunk of median length."""
    order = np.argsort(known.lengths, kind="stable")
    middle = max(len(order) // 2 - config.chunk // 2, 0)
    chunk = collate(known, np.resize(order[middle : middle + config.chunk], config.chunk))

    def mean_loss(params):
        return jnp.mean(jax.vmap(classifier.loss, (None, 0))(params, chunk))

    gradient = jax.jit(jax.grad(mean_loss))
    jax.block_until_ready(gradient(params))
    started = time.perf_counter()
    jax.block_until_ready(gradient(params))
    seconds = time.perf_counter() - started
    return PASSES * seconds * len(known) / config.chunk / 60


PASSES = 2.2
"""Ordinary gradients an example that CID of everyone costs, a little above what is measured."""
