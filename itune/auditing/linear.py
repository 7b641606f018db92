"""The audit of a number that an example has, such as an age.

It is CID of a number (:mod:`itune.metrics.linear_cid`) with its interval and p value, and how
errors go with the number. A number has no groups, so that there is no worst group, counterfactual
test or linear probe; bins give it some.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np

from itune.auditing.config import ALWAYS, AUTO, AuditConfig
from itune.auditing.evidence import (
    INCONCLUSIVE,
    LEANS,
    MEANINGFUL_CID,
    MIN_ROWS,
    NO_SIGN,
    SIGNIFICANCE,
    UNSEEN_SHARE,
)
from itune.auditing.linear_significance import linear_cid_test
from itune.auditing.plan import CID, PREDICTIONS, make_plan
from itune.auditing.predictions import predict
from itune.auditing.quick_verdict import QUANTILE
from itune.auditing.significance import CIDTest
from itune.auditing.verdict import Verdict
from itune.config import to_dict
from itune.data.dataset import Dataset
from itune.errors import UserError, option
from itune.groups import draw_by_group
from itune.metrics.linear_cid import LinearCID, make_linear_cid, numbers_by_label
from itune.metrics.matrix import influences_among
from itune.metrics.proportions import wilson
from itune.tables.further import Columns
from itune.tables.table import Tables
from itune.tables.values import as_number
from itune.training.record import find_record
from itune.training.trained_model import LoadedModel, load_model
from itune.utils.files import digest_of
from itune.utils.formats import duration, signed
from itune.utils.notebook import html_of
from itune.utils.progress import OnProgress, no_progress
from itune.utils.resumable import Resumable

OUTLIER = 0.5
"""Share of a label's variance of the number, from which on one row alone decides the slope."""


class ErrorTrend(NamedTuple):
    """How wrong predictions of the rows of one label go with the number.

    Attributes:
      split: Name of the split.
      label: Number of the label.
      size: Number of rows.
      error: Share of them that is predicted wrongly.
      correlation: Pearson's correlation of being wrong with the number; NaN where all are right,
        all are wrong, or all numbers are equal.
      low: Lower end of its 95 % interval (Fisher); NaN of fewer than 4 rows.
      high: Upper end of its 95 % interval.
    """

    split: str
    label: int
    size: int
    error: float
    correlation: float
    low: float
    high: float


@dataclass(frozen=True, eq=False)
class LinearAudit:
    """An audit of a number.

    Attributes:
      model: Folder of the model.
      number: Name of the column.
      label_names: Names of the labels, by number.
      sizes: Number of rows of each split that have a number, by the name of the split.
      missing: Number of rows of each split that have none, and are left out.
      cid: CID of all training rows; None if it was not computed.
      by_label: CID of each label, of all training rows; empty if it was not computed.
      test: CID of a sample of the training rows, with an interval and a p value.
      errors: How errors go with the number, by split and label.
      without_gradient: Share of the rows whose gradient is exactly 0.
      minutes_of_whole: Estimate of the minutes that CID of all rows takes.
      verdict: Conclusion of the audit.
      config: Settings of the audit.
      digest: SHA-256 of the data, in hexadecimal.
      notes: Further remarks, one sentence each.
    """

    model: str
    number: str
    label_names: tuple[str, ...]
    sizes: dict[str, int]
    missing: dict[str, int]
    cid: float | None
    by_label: dict[int, float]
    test: CIDTest
    errors: tuple[ErrorTrend, ...]
    without_gradient: float
    minutes_of_whole: float
    verdict: Verdict
    config: AuditConfig
    digest: str
    notes: tuple[str, ...] = ()

    def to_rows(self) -> list[dict[str, Any]]:
        """Return how errors go with the number, as ``pandas.DataFrame`` takes it."""
        names = self.label_names
        return [{**one._asdict(), "label": names[one.label]} for one in self.errors]

    def _repr_html_(self) -> str:
        return html_of(self)


def audit_number(
    folder: str | Path,
    tables: Tables,
    number: str,
    columns: Columns,
    config: AuditConfig | None = None,
    on_progress: OnProgress = no_progress,
    *,
    say: Callable[[str], None] = lambda sentence: None,
    keep: Path | None = None,
) -> LinearAudit:
    """Audit whether a model's training signal goes with a number, on the table it was trained on.

    ``columns`` has the column ``number`` of each split; rows without a value are left out. ``say``
    and ``keep`` are as those of :func:`~itune.auditing.model.audit_model`.
    """
    config = AuditConfig() if config is None else config
    numbers = _numbers(tables, number, columns)
    labels = numbers_by_label(tables.train.label, numbers["train"])
    if not labels:
        raise UserError(
            f"{tables.train.name}: no label has three training rows whose {number!r} differs, so "
            "there is nothing to compare; give another column of numbers"
        )
    record = find_record(folder)
    length = config.max_length or (None if record is None else record.config.max_length)
    model = load_model(folder, tables, length)
    notes = (*tables.notes, *model.notes, *_notes(tables, number, numbers, labels))
    for note in notes:
        say(note)
    rng = np.random.default_rng(config.seed)
    known = {split: ~np.isnan(of) for split, of in numbers.items()}
    x = {split: of[known[split]] for split, of in numbers.items()}
    data = {
        split: model.encode(tables.splits()[split].take(np.flatnonzero(is_known)))
        for split, is_known in known.items()
        if is_known.any()
    }
    train, digest = data["train"], tables.digest()
    about = {
        "params": digest_of(model.params),
        "data": digest,
        "number": digest_of(list(numbers.values())),
        "config": to_dict(config),
    }
    with jax.default_matmul_precision("highest"), Resumable(keep, about) as resumable:
        minutes, is_whole = _planned(model, data, train, config, resumable)
        if not is_whole:
            say(f"CID uses a sample alone; of all rows it takes about {duration(minutes)}")
        errors = tuple(_errors(model, data, x, config, rng, on_progress, resumable))
        test, without = _sampled(model, train, x["train"], config, rng, on_progress, resumable)
        cid = _whole(model, train, x["train"], config, on_progress, resumable) if is_whole else None
        resumable.forget()
    by_label = {}
    if cid is not None:
        label = train.label[cid.probes]
        by_label = {y: float(cid.values[label == y].mean()) for y in labels}
        without = max(without, float(np.mean(cid.own == 0)))
    mean = None if cid is None else float(cid.values.mean())
    return LinearAudit(
        model=str(folder),
        number=number,
        label_names=model.label_names,
        sizes={split: len(of) for split, of in x.items()},
        missing={split: int((~is_known).sum()) for split, is_known in known.items()},
        cid=mean,
        by_label=by_label,
        test=test,
        errors=errors,
        without_gradient=without,
        minutes_of_whole=minutes,
        verdict=_verdict(number, test, mean, without, errors),
        config=config,
        digest=digest,
        notes=notes,
    )


def _numbers(tables: Tables, number: str, columns: Columns) -> dict[str, np.ndarray]:
    """Return the number of each row of each split that is not empty; NaN where there is none."""
    codes, names = columns[number]
    values = [as_number(name) for name in names]
    for name, value in zip(names, values, strict=True):
        if value is None:
            raise UserError(
                f"{tables.train.name}: column {number!r} has the value {name!r}, which is no "
                f"number; mend it, or make the column the confound ({option('confound')})"
            )
    table = np.array([*values, math.nan], float)  # -1, a missing value, is the last
    return {
        split: table[codes.get(split, codes["train"])[rows.rows]]
        for split, rows in tables.splits().items()
        if rows.size
    }


def _notes(
    tables: Tables,
    number: str,
    numbers: dict[str, np.ndarray],
    labels: dict[int, tuple[np.ndarray, np.ndarray]],
) -> Iterator[str]:
    missing = {split: int(np.isnan(of).sum()) for split, of in numbers.items()}
    if any(missing.values()):
        counts = ", ".join(f"{count:,} of {split}" for split, count in missing.items() if count)
        yield f"rows without {number!r} are left out: {counts}"
    for y in np.setdiff1d(np.unique(tables.train.label), [*labels]).tolist():
        yield f"label {tables.label_names[y]} is left out of CID: its numbers do not differ enough"
    for y, (rows, x) in labels.items():
        if (x**2).max() >= OUTLIER * len(x):
            value = numbers["train"][rows][np.argmax(x**2)]
            yield (
                f"one row decides the slope of label {tables.label_names[y]}, whose {number!r} is "
                f"{value:g}, far from the others; use its logarithm, or bins"
            )


def _planned(
    model: LoadedModel,
    data: dict[str, Dataset],
    train: Dataset,
    config: AuditConfig,
    resumable: Resumable,
) -> tuple[float, bool]:
    """Return the minutes that CID of all rows takes, and whether it is computed."""

    def state() -> dict[str, np.ndarray]:
        plan = make_plan(model.classifier, model.params, data, train, config)
        return {"minutes": np.array(plan.minutes[CID])}

    minutes = float(resumable.once("linear-plan", state)["minutes"])
    return minutes, config.whole == ALWAYS or config.whole == AUTO and minutes <= config.minutes


def _errors(
    model: LoadedModel,
    data: dict[str, Dataset],
    x: dict[str, np.ndarray],
    config: AuditConfig,
    rng: np.random.Generator,
    on_progress: OnProgress,
    resumable: Resumable,
) -> Iterator[ErrorTrend]:
    """Yield how errors go with the number, of at most ``drawn`` rows unless all are asked for."""
    rows = {
        split: np.arange(len(of))
        if config.whole == ALWAYS
        else draw_by_group(of.label, np.zeros_like(of.label), config.drawn, rng)
        for split, of in data.items()
    }
    before, total = 0, sum(map(len, rows.values()))
    for split, chosen in rows.items():
        logits = predict(
            model.classifier,
            model.params,
            data[split],
            chosen,
            on_progress=lambda done, before=before: on_progress(PREDICTIONS, before + done, total),
            resumable=resumable,
            name=f"linear-{split}",
        ).logits
        before += len(chosen)
        label = data[split].label[chosen]
        is_wrong = logits.argmax(axis=1) != label
        for y in np.unique(label).tolist():
            yield trend(split, y, is_wrong[label == y], x[split][chosen][label == y])


def trend(split: str, label: int, is_wrong: np.ndarray, x: np.ndarray) -> ErrorTrend:
    """Correlate being wrong with a number, of the rows of one label."""
    n, r, half = len(x), math.nan, math.nan
    if 0 < is_wrong.sum() < n and x.min() < x.max():
        r = float(np.clip(np.corrcoef(is_wrong, x)[0, 1], -1, 1))
    if n > 3 and abs(r) < 1:
        half = QUANTILE / math.sqrt(n - 3)
    low, high = (math.tanh(math.atanh(r) + side * half) if half > 0 else r for side in (-1, 1))
    if not half > 0:
        low = high = math.nan
    return ErrorTrend(split, label, n, float(is_wrong.mean()), r, low, high)


def _sampled(
    model: LoadedModel,
    train: Dataset,
    x: np.ndarray,
    config: AuditConfig,
    rng: np.random.Generator,
    on_progress: OnProgress,
    resumable: Resumable,
) -> tuple[CIDTest, float]:
    """Test CID on a sample, equally many rows of each label; and the share without gradient."""
    labels = numbers_by_label(train.label, x)
    usable = np.sort(np.concatenate([rows for rows, _ in labels.values()]))
    of = train.label[usable]
    rows = usable[draw_by_group(of, np.zeros_like(of), config.sample, rng)]
    matrix = influences_among(
        model.classifier.loss,
        model.params,
        train.subset(rows),
        np.arange(len(rows)),
        chunk=config.chunk,
        on_progress=partial(on_progress, "sample"),
        resumable=resumable,
    )
    share = {y: len(of_label) / len(usable) for y, (of_label, _) in labels.items()}
    label = train.label[rows]
    standard = np.zeros(len(x))
    for of_label, values in labels.values():
        standard[of_label] = values
    test = linear_cid_test(matrix, label, standard[rows], share, rng, draws=config.draws)
    is_zero = np.diag(matrix) == 0
    return test, sum(share[y] * float(is_zero[label == y].mean()) for y in np.unique(label))


def _whole(
    model: LoadedModel,
    train: Dataset,
    x: np.ndarray,
    config: AuditConfig,
    on_progress: OnProgress,
    resumable: Resumable,
) -> LinearCID:
    run = make_linear_cid(
        model.classifier.loss,
        train,
        x,
        chunk=config.chunk,
        on_progress=partial(on_progress, CID),
        resumable=resumable,
    )
    return run(model.params)


def _verdict(
    number: str,
    test: CIDTest,
    whole: float | None,
    without_gradient: float,
    errors: tuple[ErrorTrend, ...],
) -> Verdict:
    cid = test.cid if whole is None else whole
    kind, headline = _conclusion(number, test, cid, without_gradient, errors)
    reasons = [
        f"CID of a sample of {test.size:,} training rows is {signed(test.cid)}, with a 95 % "
        f"interval from {signed(test.low)} to {signed(test.high)} and a permutation p value of "
        f"{test.p:.4g} ({test.draws} draws). It is half the squared distance of the mean unit "
        f"gradients of rows of one label whose {number!r} is one standard deviation above the mean "
        "and one below, on a straight line; its expectation is 0 if there is no such line."
    ]
    if whole is not None:
        reasons.append(f"CID of all training rows is {signed(whole)}.")
    reasons.append(
        "This is of a straight line alone, and a number has no groups: no worst group, "
        "counterfactual test or linear probe. Where it goes up and down again, make it the "
        f"confound and cut it by {option('bins')}."
    )
    return Verdict(kind, headline, tuple(reasons))


def _conclusion(
    number: str, test: CIDTest, cid: float, without: float, errors: tuple[ErrorTrend, ...]
) -> tuple[Any, str]:
    """Return the kind of a verdict, by the thresholds of other audits, and its headline."""
    train = [one for one in errors if one.split == "train"]
    sizes = [one.size for one in train]
    right = sum(one.size * (1 - one.error) for one in train)
    most = max(sizes) / sum(sizes)
    if max(sizes) < 2 * MIN_ROWS or math.isnan(test.low):
        return (
            INCONCLUSIVE,
            f"There are too few rows to tell whether the model leans on {number!r}.",
        )
    if test.p <= SIGNIFICANCE and test.low > 0 and cid >= MEANINGFUL_CID:
        return LEANS, f"The model leans on {number!r} (CID {signed(cid)})."
    if test.high >= MEANINGFUL_CID or cid >= MEANINGFUL_CID:
        return INCONCLUSIVE, f"The audit cannot tell whether the model leans on {number!r}."
    if without > UNSEEN_SHARE:
        return INCONCLUSIVE, (
            f"The audit is inconclusive: {without:.1%} of the training rows have no gradient, so "
            "that CID is near 0 whatever the model goes by."
        )
    if wilson(right, sum(sizes))[0] <= most:
        return INCONCLUSIVE, (
            "The model has not clearly learnt its task, so the audit cannot tell what it leans on."
        )
    return NO_SIGN, f"There is no sign that the model leans on {number!r} along a straight line."
