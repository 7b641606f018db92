"""The rows of the paper's Tables 2 and 3: comparisons of runs beside what was published."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from itune.metrics.statistics import summarise
from itune.results import published
from itune.results.comparison import TESTS, Comparison, MethodResult
from itune.results.run_result import RunResult
from itune.utils.formats import method_title
from itune.utils.table_files import Row

HERE, PAPER = "here", "paper"
REFERENCES = ("finetuning", "adversarial")

METHODS_HEADER = (
    *("task", "method", "source", "accuracy of each seed", "mean", "sd"),
    *(f"{test} vs {reference}" for reference in REFERENCES for test in TESTS),
    *("worst group", "CID", "collapsed", "minutes"),
)
"""Heads of :func:`methods_rows`."""

ACCESS_HEADER = (
    *("task", "method", "access", "confounds visible", "confounds read"),
    *("all seeds: mean", "sd", "seeds", "succeeded: mean", "sd", "seeds"),
    *("paper: all seeds", "paper: succeeded"),
)
"""Heads of :func:`access_rows`."""


@dataclass(frozen=True)
class _Line:
    """One method from one source: accuracies by seed in per cent, and means of other measures."""

    accuracies: tuple[float | None, ...]
    worst_group: float | None = None
    cid: float | None = None
    collapsed: str | None = None
    minutes: str | None = None

    @property
    def known(self) -> list[float]:
        return [value for value in self.accuracies if value is not None]


def methods_rows(tasks: Mapping[str, Comparison], seeds: Sequence[int]) -> list[Row]:
    """Return rows for each task and method: one of measured values, and one of published values.

    p values compare a method with finetuning and with adversarial training on the same task, from
    the same source.

    Args:
      tasks: Comparison of the methods on each task, by the task's name; collapsed runs count.
      seeds: Seeds in the order in which their accuracies are shown; a dash stands for a missing
        one.
    """
    rows = []
    for task, comparison in tasks.items():
        methods = [result.method for result in comparison.methods]
        here = {result.method: _measured(result, seeds) for result in comparison.methods}
        lines = {HERE: here, PAPER: _published(task, [*methods, *REFERENCES])}
        rows += [
            _methods_row(task, method, source, of_source)
            for method in methods
            for source, of_source in lines.items()
            if method in of_source
        ]
    return rows


def _measured(result: MethodResult, seeds: Sequence[int]) -> _Line:
    by_seed = {run.seed: 100 * run.test_accuracy for run in result.runs}
    return _Line(
        accuracies=tuple(by_seed.get(seed) for seed in seeds),
        worst_group=100 * result.worst_group_accuracy.mean,
        cid=result.cid.mean,
        collapsed=f"{result.collapsed} of {len(result.runs)}",
        minutes=_fixed(result.minutes.mean, 1),
    )


def _published(task: str, methods: Sequence[str]) -> dict[str, _Line]:
    """Return the published values of those methods that the paper has, by method."""
    accuracies = published.TEST_ACCURACY.get(task, {})
    cid, minutes = published.FINAL_CID.get(task, {}), published.MINUTES.get(task, {})
    return {
        method: _Line(
            accuracies[method], cid=cid.get(method), minutes=_fixed(minutes.get(method), 0)
        )
        for method in methods
        if method in accuracies
    }


def _methods_row(task: str, method: str, source: str, lines: Mapping[str, _Line]) -> Row:
    line = lines[method]
    mean, sd, _ = summarise(line.known)
    tests = []
    for reference in REFERENCES:
        other = lines.get(reference) if reference != method else None
        tests += [other and _p(test(line.known, other.known).p) for test in TESTS.values()]
    return (
        task,
        method_title(method),
        source,
        " ".join("–" if value is None else f"{value:.1f}" for value in line.accuracies),
        _fixed(mean, 2),
        _fixed(sd, 2),
        *tests,
        _fixed(line.worst_group, 1),
        line.cid,
        line.collapsed,
        line.minutes,
    )


def access_rows(runs: Mapping[tuple[str, str, int], Sequence[RunResult]]) -> list[Row]:
    """Return a row for each task, method and access rate.

    The published means leave out seeds that collapsed; both means are given here.

    Args:
      runs: Runs by task, method and percentage of confounds that can be read; a key without runs
        gives no row.
    """
    return [_access_row(*key, of_key) for key, of_key in runs.items() if of_key]


def _access_row(task: str, method: str, percent: int, runs: Sequence[RunResult]) -> Row:
    tables = (published.ACCURACY_BY_ACCESS_OF_ALL, published.ACCURACY_BY_ACCESS)
    of_all, of_succeeded = (table.get(task, {}).get(method, {}).get(percent) for table in tables)
    return (
        task,
        method_title(method),
        f"{percent} %",
        _mean_count([run.confounds_visible for run in runs]),
        _mean_count([run.confounds_read for run in runs]),
        *_accuracies(runs),
        *_accuracies([run for run in runs if not run.has_collapsed]),
        _fixed(of_all, 1),
        _fixed(of_succeeded, 2),
    )


def _accuracies(runs: Sequence[RunResult]) -> Row:
    """Mean, standard deviation and count, in per cent."""
    mean, sd, count = summarise([100 * run.test_accuracy for run in runs])
    return _fixed(mean, 2), _fixed(sd, 2), count


def _mean_count(values: Sequence[int | None]) -> int | None:
    """Return the mean of the known values, rounded to a whole number; None if none is known."""
    known = [value for value in values if value is not None]
    return round(summarise(known).mean) if known else None


def _fixed(value: float | None, digits: int) -> str | None:
    """Format a number with some digits after the point; 0 has no sign, and NaN gives None."""
    return None if value is None or math.isnan(value) else f"{value:z.{digits}f}"


def _p(value: float) -> str | None:
    """Format a p value to three digits after the point.

    >>> [_p(value) for value in (0.0004, 0.0251, math.nan)]
    ['<0.001', '0.025', None]
    """
    return "<0.001" if value < 0.001 else _fixed(value, 3)
