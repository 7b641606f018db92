"""The page of a comparison of methods."""

import math
from collections.abc import Callable, Iterator, Mapping

from itune.metrics.statistics import Summary, summarise
from itune.plots import accuracy_plot, cid_plot
from itune.report.accuracies import group_name
from itune.report.blocks import (
    MOST,
    OPEN,
    PLAIN,
    Answer,
    Block,
    Facts,
    Figure,
    Page,
    Paragraph,
    Table,
)
from itune.report.origin import Origin, make_page
from itune.report.run import settings_table
from itune.report.terms import terms
from itune.results import Comparison, MethodResult
from itune.results.comparison import SWAP_MEANS, SWAPPED
from itune.utils.formats import MISSING, p_value, signed

BALANCED_MEANS = (
    "Group-balanced accuracy: the accuracy if all groups were of equal size, so that the confound "
    "says nothing."
)


def comparison_page(comparison: Comparison, origin: Origin | None = None) -> Page:
    """Return the page of a comparison.

    Args:
      comparison: Results of the methods.
      origin: How the runs were made; None leaves that section out.
    """
    titles = [result.title for result in comparison.methods]
    headline, *reasons = comparison.verdict
    lead = [
        Answer(OPEN if comparison.best is None else PLAIN, headline, tuple(reasons)),
        *(Paragraph(f"Note: {note}.") for note in comparison.shared_notes),
        *([Paragraph(comparison.note)] if comparison.note else []),
    ]
    sections = {
        "Accuracy on test": [_seeds(comparison), _table(comparison)],
        "CID over training": _cid(comparison),
        "Accuracy by group": _groups(comparison),
        "All settings": [settings_table(comparison.runs)],
        "Words used here": [Facts(terms("CID", "influence", "confound", "group", "round"))],
    }
    count = "1 method" if len(titles) == 1 else f"{len(titles)} methods"
    subtitle = f"{', '.join(titles)}; seeds {', '.join(map(str, comparison.seeds))}"
    return make_page(f"{count} on {comparison.data}", subtitle, lead, sections, origin)


def _seeds(comparison: Comparison) -> Figure:
    series = {
        result.method: {
            "group-balanced accuracy": [run.balanced_accuracy for run in result.runs],
            "worst group": [run.worst_group_accuracy for run in result.runs],
        }
        for result in comparison.methods
    }
    tasks = {comparison.data: series}
    return Figure.of(accuracy_plot(tasks, label="accuracy on test", caption=BALANCED_MEANS))


def _cid(comparison: Comparison) -> Iterator[Block]:
    histories = {
        result.method: [run.cid_history for run in result.runs] for result in comparison.methods
    }
    plot = cid_plot({comparison.data: histories})
    if plot:
        yield Figure.of(plot)


def _table(comparison: Comparison) -> Table:
    has_swaps = SWAPPED in comparison.measures
    return Table(
        "Mean ± standard deviation over seeds",
        (
            *("method", "group-balanced accuracy", "worst group", "all of test", "CID"),
            *([SWAPPED] if has_swaps else []),
            *("minutes", "collapsed", "difference", "p"),
        ),
        tuple(_row(result, has_swaps) for result in comparison.methods),
        "The difference is that of the group-balanced accuracy to "
        f"{comparison.methods[0].title}; p is of a permutation test of it, corrected for the "
        "number of methods (Holm). Minutes are of training." + (SWAP_MEANS if has_swaps else ""),
    )


def _row(result: MethodResult, has_swaps: bool) -> tuple[str | None, ...]:
    accuracies = (result.balanced_accuracy, result.worst_group_accuracy, result.test_accuracy)
    found = result.difference
    difference = p = None
    if found is not None:
        difference = signed(found.difference)
        p = None if math.isnan(found.permutation) else p_value(found.corrected)
    return (
        result.title,
        *(_spread(summary, "{:.3f}".format) for summary in accuracies),
        _spread(result.cid, signed),
        *([_spread(result.swapped_share, "{:.3f}".format)] if has_swaps else []),
        _spread(result.minutes, "{:.1f}".format),
        f"{result.collapsed} of {len(result.runs)}",
        difference,
        p,
    )


def _spread(summary: Summary, shown: Callable[[float], str]) -> str | None:
    if math.isnan(summary.mean):
        return None
    spread = "" if math.isnan(summary.sd) else f" ± {shown(summary.sd).lstrip('+')}"
    return f"{shown(summary.mean)}{spread}"


def _groups(comparison: Comparison) -> Iterator[Block]:
    """A table of the mean over seeds of each group of test, by method."""
    sizes = {
        group_name(group.label, group.confound): group.size
        for run in comparison.runs
        for group in run.accuracies["test"].groups
    }
    if not sizes:
        return
    means = [_group_means(result) for result in comparison.methods]
    rows = tuple(
        (
            name,
            *(f"{of_method[name]:.3f}" if name in of_method else None for of_method in means),
            MISSING if size is None else f"{size:,}",
        )
        for name, size in sizes.items()
    )
    header = ("label / confound", *(result.title for result in comparison.methods), "rows")
    yield Table("Accuracy on test, mean over seeds", header, rows).first(MOST)


def _group_means(result: MethodResult) -> Mapping[str, float]:
    values: dict[str, list[float]] = {}
    for run in result.runs:
        for group in run.accuracies["test"].groups:
            values.setdefault(group_name(group.label, group.confound), []).append(group.accuracy)
    return {name: summarise(of_group).mean for name, of_group in values.items()}
