"""Tables of runs and of comparisons, for terminals and as files."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from itune.errors import UserError
from itune.results.comparison import SWAP_MEANS, SWAPPED, Comparison, Difference, compare_runs
from itune.results.run_result import RunResult, read_json, read_result
from itune.utils.formats import MISSING, method_title, signed
from itune.utils.json import write_json
from itune.utils.table_files import Row, align, write_table

NAME = "comparison"

CAPTION = (
    "Accuracies are fractions; group-balanced accuracy and worst group are of test. The difference "
    "is that of the group-balanced accuracy to the first method; permutation p values are "
    "corrected after Holm."
)


def results_table(runs: Sequence[RunResult]) -> str:
    """Return a table, for a terminal, of accuracies, worst group, CID and time of each run.

    Args:
      runs: Finished runs, one line each.
    """
    header = ["method", "seed", "train", "dev", "test", "worst group of test", "CID", "time"]
    lines = [header, *map(_run_line, runs)]
    if any(run.swapped for run in runs):
        shares = (MISSING if run.swapped is None else f"{run.swapped.share:.3f}" for run in runs)
        for line, value in zip(lines, [SWAPPED, *shares], strict=True):
            line.insert(-1, value)
    return align(lines)


def _run_line(run: RunResult) -> list[str]:
    access = "" if run.access == 1 else f", {run.access:.0%} access"
    worst = run.accuracies["test"].worst
    return [
        f"{method_title(run.method)}{access}",
        str(run.seed),
        *(f"{split.accuracy:.3f}" for split in run.accuracies.values()),
        MISSING if worst is None else f"{worst.accuracy:.3f} at {worst.name}",
        MISSING if run.cid is None else signed(run.cid),
        f"{run.minutes:.1f} min",
    ]


def comparison_header(comparison: Comparison) -> tuple[str, ...]:
    """Return the heads of :func:`comparison_rows`."""
    return (
        *("method", "seeds", "collapsed"),
        *(f"{measure} {part}" for measure in comparison.measures for part in ("mean", "sd")),
        *("difference", "Welch p", "permutation p", "corrected p"),
    )


def comparison_rows(comparison: Comparison) -> list[Row]:
    """Return a row for each method, under :func:`comparison_header`."""
    return [
        (
            result.title,
            len(result.runs),
            result.collapsed,
            *(
                part
                for attribute in comparison.measures.values()
                for part in getattr(result, attribute)[:2]  # mean and standard deviation
            ),
            *_tests(result.difference),
        )
        for result in comparison.methods
    ]


def _tests(found: Difference | None) -> tuple[float | None, ...]:
    if found is None:
        return (None,) * 4
    return found.difference, found.welch, found.permutation, found.corrected


def write_comparison(comparison: Comparison, folder: Path) -> None:
    """Write a comparison as ``comparison.md``, ``.tex``, ``.csv`` and ``.json``.

    :func:`read_comparison` reads ``comparison.json``.

    Args:
      comparison: Comparison of runs in folders ``METHOD-SEED`` of ``folder``.
      folder: Folder to write to.

    Raises:
      UserError: The folder cannot be written.
    """
    rows = comparison_rows(comparison)
    caption = CAPTION + (SWAP_MEANS if SWAPPED in comparison.measures else "")
    write_table(folder, NAME, comparison_header(comparison), rows, caption=caption)
    methods = [result.method for result in comparison.methods]
    write_json(folder / f"{NAME}.json", {"methods": methods, "seeds": list(comparison.seeds)})


def read_comparison(folder: str | Path) -> Comparison:
    """Read the folder of a comparison.

    Args:
      folder: Folder that :func:`write_comparison` wrote to.

    Raises:
      UserError: The folder holds no comparison, or a run of it is missing or damaged.
    """
    folder = Path(folder)
    path = folder / f"{NAME}.json"
    if not path.exists():
        raise UserError(f"{folder} holds no finished comparison: there is no {path.name}")
    names: dict[str, Any] = read_json(path, dict)
    runs = [
        read_result(folder / f"{method}-{seed}")
        for method in names.get("methods", ())
        for seed in names.get("seeds", ())
    ]
    if not runs:
        raise UserError(f"{path} is damaged: it names no runs")
    return compare_runs(runs, folder)
