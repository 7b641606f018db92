"""The audit of a classifier: what it leans on, and how sure that is."""

import functools
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from itune.analysis.cid import make_cell_influences
from itune.analysis.matrix import influences_among
from itune.audit.behaviour import Behaviour, behaviour
from itune.audit.config import AuditConfig
from itune.audit.influence import InfluenceAudit, influence_audit
from itune.audit.linear_probe import LinearProbe, linear_probe
from itune.audit.plan import EVERYONE, PREDICTIONS, Plan, make_plan
from itune.audit.predictions import make_predict
from itune.audit.uncertainty import CIDTest, cid_test, draw_by_cell, draw_sample
from itune.data.cells import HIDDEN, Cell, count_cells
from itune.data.dataset import Dataset
from itune.errors import UserError
from itune.kept import NOTHING, Kept
from itune.methods.method import Classifier
from itune.notify import Notify, ignore


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
      probe: the linear probe of the confound in the pooled vectors of the training data, or of
        ``drawn`` of them; None where too few examples can be told apart.
      minutes_of_whole: estimate of what ``influence`` takes.
      cells: annotated examples of each cell of the training data.
      plan: what was taken whole.
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
    cells: dict[Cell, int]
    plan: Plan


def audit(
    classifier: Classifier,
    params: Any,
    train: Dataset,
    others: Mapping[str, Dataset],
    config: AuditConfig | None = None,
    *,
    notify: Notify = ignore,
    say: Callable[[str], None] = lambda sentence: None,
    kept: Kept = NOTHING,
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
      say: told once what will be done, and what it would take to do all of it.
      kept: keeps what is done.

    Raises:
      UserError: no label of the training data has two confounds.
    """
    config = AuditConfig() if config is None else config
    rng = np.random.default_rng(config.seed)
    visible = train.visible
    known = train if len(visible) == len(train) else train.subset(visible)
    sample = draw_sample(known.label, known.confound, config.sample, rng)
    if not len(sample):
        raise UserError(
            "no label of the training data occurs with two confounds, so there is nothing to "
            "compare; check the confound column or the rule"
        )
    datasets = {"train": train, **others}
    plan = _kept_plan(kept, lambda: make_plan(classifier, params, datasets, known, config))
    say(str(plan))
    behaviours, probe = _outputs(
        classifier, params, datasets, plan, rng, functools.partial(notify, PREDICTIONS), kept
    )
    drawn = known.subset(sample)
    matrix = influences_among(
        classifier.loss,
        params,
        drawn,
        np.arange(len(drawn)),
        chunk=config.chunk,
        notify=functools.partial(notify, "sample"),
        kept=kept,
    )
    cells = cell_sizes(known)
    share = {cell: size / len(known) for cell, size in cells.items()}
    test = cid_test(matrix, drawn.label, drawn.confound, share, rng, draws=config.draws)
    is_whole = EVERYONE in plan.whole
    return Audit(
        influence=_whole(classifier, params, known, config, notify, kept) if is_whole else None,
        test=test,
        sample=visible[sample],
        label=drawn.label,
        confound=drawn.confound,
        matrix=matrix,
        share=share,
        behaviour=behaviours,
        probe=probe,
        minutes_of_whole=plan.minutes[EVERYONE],
        cells=cells,
        plan=plan,
    )


def cell_sizes(data: Dataset) -> dict[Cell, int]:
    """How many examples each cell has that has any; those that are not annotated are cells, too."""
    counts = count_cells(data.label, data.confound)
    cells = (part.tolist() for part in counts)
    return {Cell(label, confound): size for label, confound, size in zip(*cells, strict=True)}


def _kept_plan(kept: Kept, make: Callable[[], Plan]) -> Plan:
    """The plan as it was at first: it depends on how fast the machine was."""

    def arrays():
        plan = make()
        parts, minutes = zip(*plan.minutes.items(), strict=True)
        return {
            "parts": np.array(parts),
            "minutes": np.array(minutes),
            "whole": np.array(plan.whole),
            "drawn": np.array(plan.drawn),
        }

    found = {name: value.tolist() for name, value in kept.once("plan", arrays).items()}
    minutes = dict(zip(found["parts"], found["minutes"], strict=True))
    return Plan(minutes, tuple(found["whole"]), found["drawn"])


def _outputs(classifier, params, datasets: Mapping[str, Dataset], plan: Plan, rng, notify, kept):
    """Behaviour on each data set, and the linear probe of the first."""
    predict = make_predict(classifier)
    drawn = {
        name: draw_by_cell(data.label, data.confound, plan.drawn, rng)
        for name, data in datasets.items()
    }
    rows = drawn
    if PREDICTIONS in plan.whole:
        rows = {name: np.arange(len(data)) for name, data in datasets.items()}
    before, total, found, probe = 0, sum(map(len, rows.values())), {}, None
    for number, (name, data) in enumerate(datasets.items()):
        is_pooled = np.zeros(len(data), bool)
        if number == 0:
            is_pooled[drawn[name]] = data.confound[drawn[name]] != HIDDEN
        told = predict(
            params,
            data,
            rows[name],
            is_pooled[rows[name]],
            notify=lambda done, before=before: notify(before + done, total),
            kept=kept,
            name=f"{PREDICTIONS}-{name}",
        )
        before += len(rows[name])
        predicted = data if len(rows[name]) == len(data) else data.subset(rows[name])
        found[name] = behaviour(told.logits, predicted, cell_sizes(data))
        if number == 0:
            places = np.flatnonzero(is_pooled)
            probe = linear_probe(told.pooled, data.label[places], data.confound[places], rng)
    return found, probe


def _whole(classifier, params, known: Dataset, config, notify, kept) -> InfluenceAudit:
    influences = make_cell_influences(
        classifier.loss,
        known,
        probes=np.arange(len(known)),
        chunk=config.chunk,
        notify=functools.partial(notify, EVERYONE),
        kept=kept,
    )
    return influence_audit(influences(params))
