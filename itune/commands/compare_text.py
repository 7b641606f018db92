"""What ``itune compare`` prints."""

from itune.metrics.statistics import Summary
from itune.tuning import Compared, MethodResult
from itune.utils.formats import method_title
from itune.utils.text_tables import align

HEADER = (
    *(
        "method",
        "dev",
        "test",
        "group-balanced accuracy",
        "worst group",
        "CID",
        "minutes",
        "collapsed",
    ),
    *("difference", "Welch p", "permutation p"),
)


def to_text(compared: Compared) -> str:
    """A comparison as a person reads it in a terminal."""
    seeds = ", ".join(map(str, compared.seeds))
    rows = [HEADER, *map(_row, compared.methods)]
    blocks = [
        f"{compared.data}, seeds {seeds}; mean ± standard deviation over seeds",
        align(rows),
        "group-balanced accuracy and worst group are of test; the difference is that of the mean "
        f"of groups to {method_title(compared.methods[0].method)}; permutation p values are "
        "corrected for the number of methods",
        " ".join(compared.verdict),
        compared.note,
        f"tables: {compared.folder / 'comparison.md'}, .csv and .tex",
    ]
    return "\n\n".join(filter(None, blocks))


def _row(result: MethodResult) -> list[str]:
    accuracies = (result.dev, result.test, result.balanced, result.worst)
    found = result.difference
    tests = ["", "", ""]
    if found is not None:
        tests = [f"{found.difference:+.3f}", _p(found.welch), _p(found.corrected)]
    return [
        method_title(result.method),
        *(_spread(summary, ".3f") for summary in accuracies),
        _spread(result.cid, "+.3f"),
        _spread(result.minutes, ".1f"),
        f"{result.collapsed} of {len(result.runs)}",
        *tests,
    ]


def _spread(summary: Summary, form: str) -> str:
    has_spread = summary.sd == summary.sd
    return f"{summary.mean:{form}}" + (f" ± {summary.sd:{form.lstrip('+')}}" if has_spread else "")


def _p(value: float) -> str:
    return "–" if value != value else "<0.001" if value < 0.001 else f"{value:.3f}"
