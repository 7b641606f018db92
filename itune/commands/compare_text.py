"""What ``itune compare`` prints."""

import math

from itune.metrics.statistics import Summary
from itune.results import Comparison, MethodResult
from itune.results.comparison import MEASURES
from itune.utils.formats import MISSING
from itune.utils.table_files import align

HEADER = ("method", *MEASURES, "collapsed", "difference", "Welch p", "permutation p")


def to_text(comparison: Comparison) -> str:
    """Return a comparison as text for a terminal."""
    seeds = ", ".join(map(str, comparison.seeds))
    blocks = [
        f"{comparison.data}, seeds {seeds}; mean ± standard deviation over seeds",
        align([HEADER, *map(_line, comparison.methods)]),
        "group-balanced accuracy and worst group are of test; the difference is that of the "
        f"group-balanced accuracy to {comparison.methods[0].title}; permutation p values are "
        "corrected for the number of methods",
        " ".join(comparison.verdict),
        *(f"Note: {note}." for note in comparison.shared_notes),
        comparison.note,
    ]
    if comparison.folder is not None:
        blocks.append(f"tables: {comparison.folder / 'comparison.md'}, .csv and .tex")
    return "\n\n".join(filter(None, blocks))


def _line(result: MethodResult) -> list[str]:
    forms = {"cid": "+.3f", "minutes": ".1f"}
    found = result.difference
    tests = ["", "", ""]
    if found is not None:
        tests = [f"{found.difference:+.3f}", _p(found.welch), _p(found.corrected)]
    return [
        result.title,
        *(_spread(getattr(result, name), forms.get(name, ".3f")) for name in MEASURES.values()),
        f"{result.collapsed} of {len(result.runs)}",
        *tests,
    ]


def _spread(summary: Summary, form: str) -> str:
    spread = "" if math.isnan(summary.sd) else f" ± {summary.sd:{form.lstrip('+')}}"
    return f"{summary.mean:{form}}{spread}"


def _p(value: float) -> str:
    return MISSING if math.isnan(value) else "<0.001" if value < 0.001 else f"{value:.3f}"
