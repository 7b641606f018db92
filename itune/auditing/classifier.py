"""The audit of a classifier: whether it leans on the confound, and how certain that is."""

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from itune.auditing.behaviour import Behaviour, measure_behaviour
from itune.auditing.cid_breakdown import CIDBreakdown, break_down_cid
from itune.auditing.config import AuditConfig
from itune.auditing.linear_probe import LinearProbe, run_linear_probe
from itune.auditing.plan import CID, PREDICTIONS, AuditPlan, make_plan
from itune.auditing.predictions import predict
from itune.auditing.significance import CIDTest, cid_test
from itune.data.dataset import Dataset
from itune.errors import UserError
from itune.groups import HIDDEN, Group, draw_by_group, draw_sample, group_sizes, groups_of
from itune.methods.base import Classifier, Params
from itune.metrics.cid import make_group_influences
from itune.metrics.matrix import influences_among
from itune.utils.progress import OnProgress, no_progress
from itune.utils.resumable import NEVER_SAVED, Resumable


@dataclass(frozen=True, eq=False)
class Audit:
    """The measures of an audit.

    Attributes:
      influence: CID of all annotated training examples, broken down; None if it was not computed.
      test: CID of a sample of the training data, with an interval and a p value.
      sample: Indices of the sample's examples in the training data, ``(n,)``, int64, ascending.
      label: Label of each example of the sample, ``(n,)``, integers.
      confound: Confound of each example of the sample, ``(n,)``, integers.
      matrix: Influences of the sample's examples on one another, ``(n, n)``.
      share: Fraction of the annotated training examples that belongs to each group.
      behaviour: Accuracy and calibration on each data set, by its name.
      probe: Linear probe of the confound in the pooled vectors of training examples, at most
        ``plan.drawn`` of them; None if no label has two confounds with enough examples.
      minutes_of_whole: Estimate of the minutes that computing ``influence`` takes.
      groups: Number of annotated training examples of each group.
      plan: Which parts of the audit use all rows.
      without_gradient: Share of the annotated training examples whose gradient is exactly 0, as
        where float32 rounds the probability of the label to 1; of those that CID was computed on,
        weighed by group. Their influences are 0 whatever the model goes by.
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
    without_gradient: float = 0.0


def audit_classifier(
    classifier: Classifier,
    params: Params,
    train: Dataset,
    others: Mapping[str, Dataset],
    config: AuditConfig | None = None,
    *,
    on_progress: OnProgress = no_progress,
    say: Callable[[str], None] = lambda sentence: None,
    resumable: Resumable = NEVER_SAVED,
) -> Audit:
    """Audit a classifier on the data that it was trained on.

    Training examples whose confound is hidden (not annotated) are left out of CID and of the linear
    probe.

    Args:
      classifier: Model to audit.
      params: Parameters of the model.
      train: Training data.
      others: Data sets on which accuracy and calibration are computed besides ``train``, by name.
      config: How thorough the audit is; None uses the defaults of :class:`AuditConfig`.
      on_progress: Called with the name of a part, the units of it that are done, and their total.
      say: Called once with a sentence that says which parts use a sample of the rows, and how long
        all rows would take.
      resumable: Store of finished work, from which an interrupted audit goes on.

    Raises:
      UserError: No label of the training data has two confounds.
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
    groups = group_sizes(known.label, known.confound)
    share = {group: size / len(known) for group, size in groups.items()}
    test = cid_test(matrix, drawn.label, drawn.confound, share, rng, draws=config.draws)
    influence = None
    without_gradient = _share_of(np.diag(matrix) == 0, drawn, share)
    if CID in plan.whole:
        influence = _whole(classifier, params, known, config, on_progress, resumable)
        without_gradient = max(without_gradient, influence.without_gradient)
    return Audit(
        influence=influence,
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
        without_gradient=without_gradient,
    )


def _share_of(is_one: np.ndarray, drawn: Dataset, share: Mapping[Group, float]) -> float:
    """Share of the data set that some examples of a sample stand for."""
    groups = groups_of(drawn.label, drawn.confound)
    shares = [share[group] * float(is_one[rows].mean()) for group, rows in groups.items()]
    return sum(shares) / sum(share[group] for group in groups)


def _kept_plan(resumable: Resumable, make: Callable[[], AuditPlan]) -> AuditPlan:
    """Return the plan that was made first: a plan depends on how fast the machine was."""

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
    classifier: Classifier,
    params: Params,
    datasets: Mapping[str, Dataset],
    plan: AuditPlan,
    rng: np.random.Generator,
    on_progress: Callable[[int, int], None],
    resumable: Resumable,
) -> tuple[dict[str, Behaviour], LinearProbe | None]:
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
        found[name] = measure_behaviour(
            predictions.logits, predicted, group_sizes(data.label, data.confound)
        )
        if number == 0:
            places = np.flatnonzero(is_pooled)
            probe = run_linear_probe(
                predictions.pooled, data.label[places], data.confound[places], rng
            )
    return found, probe


def _whole(
    classifier: Classifier,
    params: Params,
    known: Dataset,
    config: AuditConfig,
    on_progress: OnProgress,
    resumable: Resumable,
) -> CIDBreakdown:
    influences = make_group_influences(
        classifier.loss,
        known,
        probes=np.arange(len(known)),
        chunk=config.chunk,
        on_progress=functools.partial(on_progress, CID),
        resumable=resumable,
    )
    return break_down_cid(influences(params))
