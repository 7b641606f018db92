"""The audit of a classifier: what it leans on, and how sure that is."""

import functools
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from itune.auditing.behaviour import Behaviour, measure_behaviour
from itune.auditing.cid_breakdown import CIDBreakdown, break_down_cid
from itune.auditing.config import AuditConfig
from itune.auditing.linear_probe import LinearProbe, run_linear_probe
from itune.auditing.plan import CID, PREDICTIONS, AuditPlan, make_plan
from itune.auditing.predictions import predict
from itune.auditing.samples import draw_by_group, draw_sample
from itune.auditing.significance import CIDTest, cid_test
from itune.data.dataset import Dataset
from itune.errors import UserError
from itune.groups import HIDDEN, Group, count_groups
from itune.methods.base import Classifier
from itune.metrics.cid import make_group_influences
from itune.metrics.matrix import influences_among
from itune.utils.progress import OnProgress, no_progress
from itune.utils.resumable import NEVER_SAVED, Resumable


class Audit(NamedTuple):
    """What an audit found.

    Attributes:
      influence: CID of the whole training set; None where it was left out.
      test: CID of a sample, with interval and p value.
      sample: indices of that sample in the training data, ``(n,)``.
      label: of these examples, ``(n,)``.
      confound: of the same, ``(n,)``.
      matrix: their influences on one another, ``(n, n)``.
      share: of each group among the annotated training examples.
      behaviour: accuracy and calibration by the name of each data set.
      probe: the linear probe of the confound in the pooled vectors of the training data, or of
        ``drawn`` of them; None where too few examples can be told apart.
      minutes_of_whole: estimate of what ``influence`` takes.
      groups: annotated examples of each group of the training data.
      plan: what was taken whole.
    """

    influence: CIDBreakdown | None
    test: CIDTest
    sample: np.ndarray
    label: np.ndarray
    confound: np.ndarray
    matrix: np.ndarray
    share: dict[Group, float]
    behaviour: dict[str, Behaviour]
    probe: LinearProbe | None
    minutes_of_whole: float
    groups: dict[Group, int]
    plan: AuditPlan


def audit_classifier(
    classifier: Classifier,
    params: Any,
    train: Dataset,
    others: Mapping[str, Dataset],
    config: AuditConfig | None = None,
    *,
    on_progress: OnProgress = no_progress,
    say: Callable[[str], None] = lambda sentence: None,
    resumable: Resumable = NEVER_SAVED,
) -> Audit:
    """Audits a classifier on the data it was trained on.

    Training examples whose confound is hidden (not annotated) have no part in CID and probe.

    Args:
      classifier: the model.
      params: its parameters.
      train: the training data.
      others: data sets to look at the behaviour on, beside ``train``.
      config: the defaults if None.
      on_progress: progress.
      say: told once what will be done, and what it would take to do all of it.
      resumable: keeps what is done.

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
    plan = _kept_plan(resumable, lambda: make_plan(classifier, params, datasets, known, config))
    say(str(plan))
    behaviours, probe = _outputs(
        classifier,
        params,
        datasets,
        plan,
        rng,
        functools.partial(on_progress, PREDICTIONS),
        resumable,
    )
    drawn = known.subset(sample)
    matrix = influences_among(
        classifier.loss,
        params,
        drawn,
        np.arange(len(drawn)),
        chunk=config.chunk,
        on_progress=functools.partial(on_progress, "sample"),
        resumable=resumable,
    )
    groups = group_sizes(known)
    share = {group: size / len(known) for group, size in groups.items()}
    test = cid_test(matrix, drawn.label, drawn.confound, share, rng, draws=config.draws)
    is_whole = CID in plan.whole
    return Audit(
        influence=_whole(classifier, params, known, config, on_progress, resumable)
        if is_whole
        else None,
        test=test,
        sample=visible[sample],
        label=drawn.label,
        confound=drawn.confound,
        matrix=matrix,
        share=share,
        behaviour=behaviours,
        probe=probe,
        minutes_of_whole=plan.minutes[CID],
        groups=groups,
        plan=plan,
    )


def group_sizes(data: Dataset) -> dict[Group, int]:
    """Examples of each group that has any; those that are not annotated are groups, too."""
    counts = count_groups(data.label, data.confound)
    groups = (part.tolist() for part in counts)
    return {Group(label, confound): size for label, confound, size in zip(*groups, strict=True)}


def _kept_plan(resumable: Resumable, make: Callable[[], AuditPlan]) -> AuditPlan:
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

    found = {name: value.tolist() for name, value in resumable.once("plan", arrays).items()}
    minutes = dict(zip(found["parts"], found["minutes"], strict=True))
    return AuditPlan(minutes, tuple(found["whole"]), found["drawn"])


def _outputs(
    classifier,
    params,
    datasets: Mapping[str, Dataset],
    plan: AuditPlan,
    rng,
    on_progress,
    resumable,
):
    """Behaviour on each data set, and the linear probe of the first."""
    drawn = {
        name: draw_by_group(data.label, data.confound, plan.drawn, rng)
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
        predictions = predict(
            classifier,
            params,
            data,
            rows[name],
            is_pooled[rows[name]],
            on_progress=lambda done, before=before: on_progress(before + done, total),
            resumable=resumable,
            name=f"{PREDICTIONS}-{name}",
        )
        before += len(rows[name])
        predicted = data if len(rows[name]) == len(data) else data.subset(rows[name])
        found[name] = measure_behaviour(predictions.logits, predicted, group_sizes(data))
        if number == 0:
            places = np.flatnonzero(is_pooled)
            probe = run_linear_probe(
                predictions.pooled, data.label[places], data.confound[places], rng
            )
    return found, probe


def _whole(classifier, params, known: Dataset, config, on_progress, resumable) -> CIDBreakdown:
    influences = make_group_influences(
        classifier.loss,
        known,
        probes=np.arange(len(known)),
        chunk=config.chunk,
        on_progress=functools.partial(on_progress, CID),
        resumable=resumable,
    )
    return break_down_cid(influences(params))
