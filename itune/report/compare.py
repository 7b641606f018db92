"""The page of a comparison of methods."""

import math
from collections.abc import Iterator

from itune.metrics.statistics import Summary, summarise
from itune.report.accuracies import group_name
from itune.report.blocks import (
    MOST,
    OPEN,
    PLAIN,
    Answer,
    Block,
    Facts,
    Page,
    Paragraph,
    Section,
    Table,
)
from itune.report.cid import cid_figure
from itune.report.origin import FOOTER, Origin, origin_section
from itune.report.run import settings_table
from itune.report.seeds import seeds_figure
from itune.report.terms import terms
from itune.results import Comparison, MethodResult
from itune.utils.formats import method_title, p_value, signed


def comparison_page(found: Comparison, origin: Origin) -> Page:
    """The page of a comparison.

    Args:
      found: what the methods came to.
      origin: how they were run.
    """
    names = [method_title(result.method) for result in found.methods]
    courses = [[run.cid_history for run in result.runs] for result in found.methods]
    cid = cid_figure(dict(zip(names, courses, strict=True)))
    groups = _group_table(found)
    sections = {
        "Accuracy on test": (_seeds(found), _table(found)),
        "CID over training": () if cid is None else (cid,),
        "Accuracy by group": () if groups is None else (groups,),
        "All settings": (settings_table(run for result in found.methods for run in result.runs),),
        "Words used here": (Facts(terms("CID", "influence", "confound", "group", "round")),),
    }
    headline, *reasons = found.verdict
    return Page(
        title=f"{len(names)} methods on {found.data}",
        subtitle=f"{', '.join(names)}; seeds {', '.join(map(str, found.seeds))}",
        lead=(
            Answer(OPEN if found.best is None else PLAIN, headline, tuple(reasons)),
            *_collapsed(found),
        ),
        sections=(
            *(Section(title, blocks) for title, blocks in sections.items() if blocks),
            origin_section(origin),
        ),
        footer=FOOTER,
    )


def _collapsed(found: Comparison) -> Iterator[Block]:
    if found.note:
        yield Paragraph(found.note)


def _seeds(found: Comparison) -> Block:
    return seeds_figure(
        {
            method_title(result.method): [
                [getattr(run, name) for run in result.runs]
                for name in ("balanced_accuracy", "worst_group_accuracy")
            ]
            for result in found.methods
        }
    )


def _table(found: Comparison) -> Table:
    first = method_title(found.methods[0].method)
    return Table(
        "Mean ± standard deviation over seeds",
        (
            *("method", "group-balanced accuracy", "worst group", "all of test", "CID", "minutes"),
            *("collapsed", "difference", "p"),
        ),
        tuple(map(_row, found.methods)),
        f"The difference is that of the group-balanced accuracy to {first}; p is of a permutation "
        "test of it, corrected for the number of methods (Holm). Minutes are of training.",
    )


def _row(result: MethodResult) -> tuple:
    found = result.difference
    tests = (None, None)
    if found is not None:
        p = None if math.isnan(found.corrected) else p_value(found.corrected)
        tests = (signed(found.difference), p)
    return (
        method_title(result.method),
        *(
            _spread(of)
            for of in (result.balanced_accuracy, result.worst_group_accuracy, result.test_accuracy)
        ),
        _spread(result.cid, signed),
        _spread(result.minutes, lambda value: f"{value:.1f}"),
        f"{result.collapsed} of {len(result.runs)}",
        *tests,
    )


def _spread(summary: Summary, shown=lambda value: f"{value:.3f}") -> str:
    spread = "" if math.isnan(summary.sd) else f" ± {shown(summary.sd).lstrip('+')}"
    return f"{shown(summary.mean)}{spread}"


def _group_table(found: Comparison) -> Table | None:
    """The mean over seeds of each group of test, by method."""
    groups = found.methods[0].runs[0].accuracies["test"].groups
    sizes = {group_name(group.label, group.confound): group.size for group in groups}
    if not sizes:
        return None
    columns = [
        [
            {
                group_name(group.label, group.confound): group.accuracy
                for group in run.accuracies["test"].groups
            }
            for run in result.runs
        ]
        for result in found.methods
    ]
    rows = (
        (
            name,
            *(f"{summarise([run[name] for run in runs]).mean:.3f}" for runs in columns),
            f"{size:,}",
        )
        for name, size in sizes.items()
    )
    header = (
        "label / confound",
        *(method_title(result.method) for result in found.methods),
        "rows",
    )
    return Table("Accuracy on test, mean over seeds", header, tuple(rows)).first(MOST)
