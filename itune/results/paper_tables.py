"""The rows of the paper's Tables 2 and 3: runs over seeds, and what was published beside them."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from itune.metrics.statistics import permutation_test, student_test, summarise, welch_test
from itune.results import published as paper
from itune.results.collection import RunResult
from itune.utils.table_files import Row

HERE, PAPER = "here", "paper"
REFERENCES = ("finetuning", "adversarial")
TESTS = {"Student": student_test, "Welch": welch_test, "permutation": permutation_test}

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


class MethodSeeds(NamedTuple):
    """One method on one task, over seeds.

    Attributes:
      accuracies: on test, in per cent, one a seed; None where a run is missing.
      worst_group: mean of the worst groups' accuracies, in per cent.
      cid: mean after training.
      collapsed: how many runs collapsed, and of how many; empty if unknown.
      minutes: mean wall clock of training.
    """

    accuracies: tuple[float | None, ...]
    worst_group: float | None = None
    cid: float | None = None
    collapsed: str = ""
    minutes: float | None = None

    @property
    def known(self) -> list[float]:
        """The accuracies that there are."""
        return [value for value in self.accuracies if value is not None]


def seeds_of_method(runs: Sequence[RunResult], seeds: Sequence[int]) -> MethodSeeds:
    """Sums up the runs of one method on one task; all of them count, collapsed ones too."""
    by_seed = {run.seed: 100 * run.accuracy for run in runs}
    cids = [run.cid for run in runs if run.cid is not None]
    return MethodSeeds(
        accuracies=tuple(by_seed.get(seed) for seed in seeds),
        worst_group=100 * _mean(run.worst_group for run in runs),
        cid=_mean(cids),
        collapsed=f"{sum(run.has_collapsed for run in runs)} of {len(runs)}",
        minutes=_mean(run.minutes for run in runs),
    )


def published_seeds(task: str, method: str) -> MethodSeeds | None:
    """The same by the paper, or None if it has no such group."""
    accuracies = paper.TEST_ACCURACY.get(task, {}).get(method)
    if accuracies is None:
        return None
    cid, minutes = (of.get(task, {}).get(method) for of in (paper.FINAL_CID, paper.MINUTES))
    return MethodSeeds(accuracies, cid=cid, minutes=minutes)


def methods_rows(groups: Mapping[tuple[str, str], MethodSeeds]) -> list[Row]:
    """Two rows for each task and method: what was measured, and what was published.

    p values compare with the finetuning and the adversarial group of the same task and source.

    Args:
      groups: by task and method.
    """
    published = {key: published_seeds(*key) for key in _with_references(groups)}
    sources = {HERE: groups, PAPER: {k: group for k, group in published.items() if group}}
    return [
        _methods_row(task, method, source, of)
        for task, method in groups
        for source, of in sources.items()
        if (task, method) in of
    ]


def _with_references(groups) -> list[tuple[str, str]]:
    """The groups, and those they are compared with."""
    references = [(task, method) for task, _ in groups for method in REFERENCES]
    return list(dict.fromkeys([*groups, *references]))


def _methods_row(task: str, method: str, source: str, groups) -> Row:
    group = groups[task, method]
    mean, sd, _ = summarise(group.known)
    tests = []
    for reference in REFERENCES:
        other = groups.get((task, reference))
        has_test = other is not None and reference != method
        for test in TESTS.values():
            tests.append(_p(test(group.known, other.known).p) if has_test else None)
    return (
        task,
        _in_words(method),
        source,
        " ".join("–" if value is None else f"{value:.1f}" for value in group.accuracies),
        _fixed(mean, 2),
        _fixed(sd, 2),
        *tests,
        _fixed(group.worst_group, 1),
        group.cid,
        group.collapsed or None,
        _fixed(group.minutes, 0 if source == PAPER else 1),
    )


def access_rows(runs: Mapping[tuple[str, str, int], Sequence[RunResult]]) -> list[Row]:
    """A row for each task, method and access rate.

    The published means leave out seeds that collapsed; both means are given here.

    Args:
      runs: by task, method and per cent; groups without any runs are left out.
    """
    return [_access_row(*key, found) for key, found in runs.items() if found]


def _access_row(task: str, method: str, percent: int, runs: Sequence[RunResult]) -> Row:
    succeeded = [run for run in runs if not run.has_collapsed]
    tables = (paper.ACCURACY_BY_ACCESS_OF_ALL, paper.ACCURACY_BY_ACCESS)
    of_all, of_succeeded = (of.get(task, {}).get(method, {}).get(percent) for of in tables)
    return (
        task,
        _in_words(method),
        f"{percent} %",
        *(_count(run.confounds(kind) for run in runs) for kind in ("visible", "read")),
        *_accuracies(runs),
        *_accuracies(succeeded),
        _fixed(of_all, 1),
        _fixed(of_succeeded, 2),
    )


def _accuracies(runs) -> tuple:
    """Mean, sd and count in per cent."""
    mean, sd, count = summarise([100 * run.accuracy for run in runs])
    return _fixed(mean, 2), _fixed(sd, 2), count


def _count(values: Iterable[int | None]) -> int | None:
    """The mean of those that are known, a whole number."""
    known = [value for value in values if value is not None]
    return round(_mean(known)) if known else None


def _mean(values: Iterable[float]) -> float:
    return summarise(list(values)).mean


def _in_words(method: str) -> str:
    return method.replace("_", " ")


def _fixed(value: float | None, digits: int) -> str | None:
    """A number with so many digits after the point, as text; 0 has no sign."""
    return None if value is None or math.isnan(value) else f"{value:z.{digits}f}"


def _p(value: float) -> str | None:
    """A p value to three digits.

    >>> [_p(value) for value in (0.0004, 0.0251, math.nan)]
    ['<0.001', '0.025', None]
    """
    return "<0.001" if value < 0.001 else _fixed(value, 3)
