"""Runs grouped by method, summed up over seeds, and tested against one another."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from itune.metrics.corrections import LEVEL, holm, seeds_needed
from itune.metrics.statistics import (
    Summary,
    permutation_test,
    student_test,
    summarise,
    welch_test,
)
from itune.results.run_result import RunResult
from itune.utils.formats import method_title
from itune.utils.notebook import html_of

TESTS = {"Student": student_test, "Welch": welch_test, "permutation": permutation_test}
"""Tests of a difference of means, by name."""

SWAPPED = "changed by swap"
"""Name in tables of the share of predictions that change when the confound is swapped."""

SWAP_MEANS = (
    " Changed by swap: the share of predictions that change when the confound in the text is "
    "swapped."
)
"""What tables say of :data:`SWAPPED`, after other sentences."""

MEASURES = {
    "dev": "dev_accuracy",
    "test": "test_accuracy",
    "group-balanced accuracy": "balanced_accuracy",
    "worst group": "worst_group_accuracy",
    "CID": "cid",
    SWAPPED: "swapped_share",
    "minutes": "minutes",
}
"""Measures that are summed up: the name in tables, and the attribute of runs and of results."""


@dataclass(frozen=True)
class Difference:
    """Difference in group-balanced accuracy on test between a method and the reference.

    Attributes:
      difference: Difference of the means, a fraction; above 0 where this method is better.
      welch: Two-sided p value of Welch's test.
      permutation: Two-sided p value of the permutation test.
      corrected: Two-sided p value of the permutation test after Holm's correction for all methods
        compared.
      is_exact: Whether the permutation test counted every partition.
    """

    difference: float
    welch: float
    permutation: float
    corrected: float
    is_exact: bool


@dataclass(frozen=True)
class MethodResult:
    """Results of one method over seeds; accuracies are fractions.

    Attributes:
      method: Key of :data:`~itune.methods.registry.METHODS`.
      runs: Records of the runs, one for each seed, including those that collapsed.
      dev_accuracy: Mean and standard deviation over seeds of the accuracy on dev.
      test_accuracy: Mean and standard deviation over seeds of the accuracy on test.
      balanced_accuracy: Mean and standard deviation over seeds of the group-balanced accuracy on
        test.
      worst_group_accuracy: Mean and standard deviation over seeds of the accuracy of the worst
        group of test.
      cid: Mean and standard deviation of the CID after training, over the seeds whose CID is known.
      swapped_share: Mean and standard deviation, over the seeds for which it is known, of the share
        of predictions that change when the confound in the text is swapped.
      minutes: Mean and standard deviation over seeds of the wall clock time of training, in
        minutes.
      collapsed: Number of runs that collapsed.
      difference: Difference from the reference; None for the reference itself.
    """

    method: str
    runs: tuple[RunResult, ...]
    dev_accuracy: Summary
    test_accuracy: Summary
    balanced_accuracy: Summary
    worst_group_accuracy: Summary
    cid: Summary
    swapped_share: Summary
    minutes: Summary
    collapsed: int
    difference: Difference | None = None

    @property
    def title(self) -> str:
        """Name of the method in words."""
        return method_title(self.method)


@dataclass(frozen=True)
class Comparison:
    """Several methods on the same data.

    Attributes:
      data: Name of the task or the table.
      seeds: Seeds of the runs.
      methods: Results of each method, the reference first.
      best: Key of the method that is better than every other beyond chance; None if there is none.
      verdict: Conclusions of the comparison, one sentence each.
      folder: Folder that holds the folders ``METHOD-SEED`` of the runs, if there is one.
    """

    data: str
    seeds: tuple[int, ...]
    methods: tuple[MethodResult, ...]
    best: str | None
    verdict: tuple[str, ...]
    folder: Path | None = None

    @property
    def runs(self) -> tuple[RunResult, ...]:
        """All runs, method by method."""
        return tuple(run for result in self.methods for run in result.runs)

    @property
    def measures(self) -> dict[str, str]:
        """The :data:`MEASURES` of which any run has a value."""
        return {
            name: attribute
            for name, attribute in MEASURES.items()
            if any(getattr(run, attribute) is not None for run in self.runs)
        }

    @property
    def shared_notes(self) -> tuple[str, ...]:
        """Notes that every run has, such as those on how the table was read."""
        others = [set(run.notes) for run in self.runs]
        return tuple(note for note in self.runs[0].notes if all(map({note}.issubset, others)))

    @property
    def note(self) -> str | None:
        """Sentence on the runs that have learnt nothing; None if there are none."""
        collapsed = sum(result.collapsed for result in self.methods)
        if not collapsed:
            return None
        return (
            f"Note: {collapsed} {'run is' if collapsed == 1 else 'runs are'} no better than chance "
            "on the training data (collapsed), and counted all the same."
        )

    def to_rows(self) -> list[dict[str, Any]]:
        """Return a row for each run, which ``pandas.DataFrame`` takes."""
        return [
            {
                "method": run.method,
                "seed": run.seed,
                **{name: getattr(run, attribute) for name, attribute in MEASURES.items()},
                "has_collapsed": run.has_collapsed,
            }
            for run in self.runs
        ]

    def _repr_html_(self) -> str:
        return html_of(self)


def compare_runs(runs: Sequence[RunResult], folder: Path | None = None) -> Comparison:
    """Summarise runs on the same data by method, and test the methods against the first.

    Permutation tests compare the group-balanced accuracy on test of each method with that of the
    first, corrected for the number of tests. The method with the largest mean is the best only if
    it differs from each of the others with a correction for all pairs, since it is chosen after its
    results are seen.

    Args:
      runs: Runs to compare, one or more; the method of the first is the reference.
      folder: Folder of the comparison; None if it has none.
    """
    groups: dict[str, list[RunResult]] = {}
    for run in runs:
        groups.setdefault(run.method, []).append(run)
    values = [[run.balanced_accuracy for run in group] for group in groups.values()]
    differences = [_difference(of_method, values[0]) for of_method in values[1:]]
    corrected = holm([found.permutation for found in differences])
    pairs = (replace(d, corrected=p) for d, p in zip(differences, corrected, strict=True))
    results = tuple(
        _result(method, group, difference)
        for (method, group), difference in zip(groups.items(), [None, *pairs], strict=True)
    )
    place = _best(values)
    best = None if place is None else results[place].method
    return Comparison(
        data=runs[0].data,
        seeds=tuple(dict.fromkeys(run.seed for run in runs)),
        methods=results,
        best=best,
        verdict=_verdict(results, best, min(map(len, groups.values()))),
        folder=folder,
    )


def _result(method: str, runs: Sequence[RunResult], difference: Difference | None) -> MethodResult:
    def over_seeds(attribute: str) -> Summary:
        values = [getattr(run, attribute) for run in runs]
        return summarise([value for value in values if value is not None])

    return MethodResult(
        method=method,
        runs=tuple(runs),
        **{attribute: over_seeds(attribute) for attribute in MEASURES.values()},
        collapsed=sum(run.has_collapsed for run in runs),
        difference=difference,
    )


def _difference(values: Sequence[float], reference: Sequence[float]) -> Difference:
    test = permutation_test(values, reference)
    welch = welch_test(values, reference).p
    return Difference(test.difference, welch, test.p, math.nan, test.is_exact)


def _best(values: Sequence[Sequence[float]]) -> int | None:
    """Return the index of the method with the largest mean, if it differs from every other."""
    means = [summarise(of_method).mean for of_method in values]
    top = max(range(len(values)), key=means.__getitem__)
    pairs = list(itertools.combinations(range(len(values)), 2))
    corrected = holm([permutation_test(values[a], values[b]).p for a, b in pairs])
    of_top = [p for pair, p in zip(pairs, corrected, strict=True) if top in pair]
    return top if of_top and max(of_top) < LEVEL else None


def _verdict(results: Sequence[MethodResult], best: str | None, seeds: int) -> tuple[str, ...]:
    first, *others = results
    if not others:
        return ("There is one method only, and nothing to compare it with.",)
    if all(result.collapsed == len(result.runs) for result in results):
        return ("No run has learnt its task, and there is nothing to compare; train longer.",)
    better, worse = [], []
    for other in others:
        if other.difference is not None and other.difference.corrected < LEVEL:
            (better if other.difference.difference > 0 else worse).append(other.title)
    sentences = []
    if best is not None:
        sentences.append(
            f"{method_title(best).capitalize()} is the best: its group-balanced accuracy on test "
            "differs from that of every other method beyond chance."
        )
    if better:
        sentences.append(f"Better than {first.title}: {', '.join(better)}.")
    if worse:
        sentences.append(f"Worse than {first.title}: {', '.join(worse)}.")
    if not better and not worse:
        sentences.append(_inconclusive(first.title, len(others), seeds))
    elif best is None:
        sentences.append("The seeds do not tell which method is the best.")
    return tuple(sentences)


def _inconclusive(first: str, tests: int, seeds: int) -> str:
    needed = seeds_needed(tests)
    few = f"{seeds} {'seed does' if seeds == 1 else 'seeds do'} not tell any method from {first}"
    if seeds < needed:
        compared = "one comparison" if tests == 1 else f"{tests} comparisons"
        return (
            f"{few}: a permutation test of {compared} cannot say so with fewer than {needed} "
            "seeds each, however large the difference."
        )
    return f"{few}: differences as large come about by chance."
