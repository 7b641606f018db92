"""What runs of several methods over seeds come to, and whether the seeds tell them apart."""

import itertools
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from itune.metrics.corrections import LEVEL, holm, seeds_needed
from itune.metrics.statistics import Summary, permutation_test, summarise, welch_test
from itune.tuning.tuned import Tuned


class Difference(NamedTuple):
    """A method beside the first, by the group-balanced accuracy on test.

    Attributes:
      difference: of the means, in fractions; above 0 where this method is better.
      welch: p of Welch's test.
      permutation: p of the permutation test.
      corrected: the same after Holm's correction for all methods that are compared.
      is_exact: every partition was counted.
    """

    difference: float
    welch: float
    permutation: float
    corrected: float
    is_exact: bool


class MethodResult(NamedTuple):
    """One method over seeds; accuracies are fractions.

    Attributes:
      method: a key of :data:`~itune.methods.METHODS`.
      runs: one for each seed, collapsed ones among them.
      dev: accuracy on dev.
      test: accuracy on test.
      balanced: mean over the groups of test.
      worst: the worst group of test.
      cid: after training.
      minutes: wall clock of training.
      collapsed: how many of the runs did.
      difference: to the first method; None of that itself.
    """

    method: str
    runs: tuple[Tuned, ...]
    dev: Summary
    test: Summary
    balanced: Summary
    worst: Summary
    cid: Summary
    minutes: Summary
    collapsed: int
    difference: Difference | None = None


class Compared(NamedTuple):
    """Several methods on one table.

    Attributes:
      folder: holds the folders of the runs, ``METHOD-SEED``.
      data: name of the table.
      seeds: of each method.
      methods: what each came to, the one that others are compared with first.
      best: the method whose difference to every other is beyond chance; None where the seeds do not
        tell.
      verdict: what that means, a sentence each.
    """

    folder: Path
    data: str
    seeds: tuple[int, ...]
    methods: tuple[MethodResult, ...]
    best: str | None
    verdict: tuple[str, ...]

    def to_rows(self) -> list[dict[str, Any]]:
        """What every run came to on test; ``pandas.DataFrame`` takes it."""
        return [
            {
                "method": run.method,
                "seed": run.seed,
                "dev": run.accuracies["dev"].accuracy,
                "test": run.accuracies["test"].accuracy,
                "group-balanced accuracy": balanced_of(run),
                "worst group": worst_of(run),
                "cid": run.after.cid,
                "minutes": run.minutes,
                "has_collapsed": run.has_collapsed,
            }
            for result in self.methods
            for run in result.runs
        ]

    @property
    def note(self) -> str | None:
        """A sentence on runs that have learnt nothing, if there are any."""
        runs = sum(result.collapsed for result in self.methods)
        if not runs:
            return None
        command = "run is" if runs == 1 else "runs are"
        return (
            f"Note: {runs} {command} no better than chance on the training data (collapsed), and "
            "counted all the same."
        )


def compared_of(folder: Path, groups: Sequence[Sequence[Tuned]]) -> Compared:
    """Sums up runs on one table.

    The measure that is tested is the mean over the groups of test. Methods are told from the first
    by permutation tests, corrected for how many there are. The one with the largest mean is the
    best only if it is told from each of the others, with a correction for all pairs, since it is
    picked after the fact.

    Args:
      folder: of the comparison.
      groups: for each method its runs, with the same seeds in the same order.
    """
    tests = [_difference(group, groups[0]) for group in groups[1:]]
    corrected = holm([test.permutation for test in tests])
    pairs = (t._replace(corrected=p) for t, p in zip(tests, corrected, strict=True))
    results = tuple(
        _result(group, difference) for group, difference in zip(groups, [None, *pairs], strict=True)
    )
    best = _best(groups)
    first = groups[0][0]
    seeds = tuple(run.seed for run in groups[0])
    return Compared(folder, first.data, seeds, results, best, _verdict(results, best, len(seeds)))


def balanced_of(run: Tuned) -> float:
    """The mean over the groups of test; accuracy where test is not annotated."""
    test = run.accuracies["test"]
    return test.accuracy if test.balanced is None else test.balanced


def worst_of(run: Tuned) -> float:
    """The worst group of test; accuracy where test is not annotated."""
    test = run.accuracies["test"]
    return test.accuracy if test.worst is None else test.worst.accuracy


def _result(group: Sequence[Tuned], difference: Difference | None) -> MethodResult:
    def over(value: Callable[[Tuned], float]) -> Summary:
        return summarise([value(run) for run in group])

    return MethodResult(
        method=group[0].method,
        runs=tuple(group),
        dev=over(lambda run: run.accuracies["dev"].accuracy),
        test=over(lambda run: run.accuracies["test"].accuracy),
        balanced=over(balanced_of),
        worst=over(worst_of),
        cid=over(lambda run: run.after.cid),
        minutes=over(lambda run: run.minutes),
        collapsed=sum(run.has_collapsed for run in group),
        difference=difference,
    )


def _difference(group: Sequence[Tuned], first: Sequence[Tuned]) -> Difference:
    values = [balanced_of(run) for run in group], [balanced_of(run) for run in first]
    test = permutation_test(*values)
    return Difference(test.difference, welch_test(*values).p, test.p, math.nan, test.is_exact)


def _best(groups: Sequence[Sequence[Tuned]]) -> str | None:
    """The method with the largest mean, if it is told from every other."""
    means = [summarise([balanced_of(run) for run in group]).mean for group in groups]
    top = max(range(len(groups)), key=means.__getitem__)
    pairs = list(itertools.combinations(range(len(groups)), 2))
    corrected = holm([_difference(groups[a], groups[b]).permutation for a, b in pairs])
    its = [p for pair, p in zip(pairs, corrected, strict=True) if top in pair]
    return groups[top][0].method if its and max(its) < LEVEL else None


def _verdict(results: Sequence[MethodResult], best: str | None, seeds: int) -> tuple[str, ...]:
    names = {result.method: result.method.replace("_", " ") for result in results}
    first, *others = results
    if not others:
        return ("There is one method only, and nothing to compare it with.",)
    if all(result.collapsed == len(result.runs) for result in results):
        return ("No run has learnt its task, and there is nothing to compare; train longer.",)
    told = [other for other in others if other.difference.corrected < LEVEL]
    better = [names[other.method] for other in told if other.difference.difference > 0]
    worse = [names[other.method] for other in told if other.difference.difference < 0]
    sentences = []
    if best is not None:
        sentences.append(
            f"{names[best].capitalize()} is the best: its group-balanced accuracy on test is told "
            "from that of every other method."
        )
    if better:
        sentences.append(f"Better than {names[first.method]}: {', '.join(better)}.")
    if worse:
        sentences.append(f"Worse than {names[first.method]}: {', '.join(worse)}.")
    if not told:
        sentences.append(_untold(names[first.method], len(others), seeds))
    elif best is None:
        sentences.append("Which of them is the best the seeds do not tell.")
    return tuple(sentences)


def _untold(first: str, tests: int, seeds: int) -> str:
    needed = seeds_needed(tests)
    told = f"{seeds} {'seed does' if seeds == 1 else 'seeds do'} not tell any method from {first}"
    if seeds < needed:
        compared = "one comparison" if tests == 1 else f"{tests} comparisons"
        return (
            f"{told}: a permutation test of {compared} cannot say so with fewer than {needed} "
            "seeds each, however large the difference."
        )
    return f"{told}: differences as large come about by chance."
