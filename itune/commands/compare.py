"""``itune compare``: train by several methods, and test whether seeds tell them apart."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from itune.commands.training import TrainingCommand, parse_training
from itune.tables.table import read_tables
from itune.utils.hardware import RunsHardwareConfig


@dataclass(frozen=True)
class CompareCommand(TrainingCommand):
    """A table, and the methods and seeds that are compared on it.

    Attributes:
      methods: Methods to compare, the reference first.
      seeds: Seeds with each of which every method is run; two methods need 4 or more to be told
        apart.
      hardware: What the work runs on.
    """

    methods: tuple[str, ...] = ("finetuning", "influence_tuning")
    seeds: tuple[int, ...] = (1, 2, 3, 4, 5)
    out: Path = Path("compared")
    hardware: RunsHardwareConfig = RunsHardwareConfig()


def main(argv: Sequence[str]) -> None:
    """Run every method with every seed, print a table and a verdict, and write a report."""
    command, settings = parse_training(
        CompareCommand,
        argv,
        "methods",
        prog="itune compare",
        description="Train classifiers on a table by several methods, and compare them.",
    )

    from itune.commands.output import require_no_report, write_results
    from itune.commands.page_text import page_text
    from itune.report import Origin, comparison_page
    from itune.tuning.compare import compare_on
    from itune.utils.compiling import use_compilation_cache
    from itune.utils.progress import say

    require_no_report(command.out, command.overwrite or command.resume)
    use_compilation_cache()
    out = command.hardware.begin(command.out)
    comparison = compare_on(
        read_tables(command.table),
        out,
        command.methods,
        command.seeds,
        settings,
        command.options,
        say=say,
    )
    origin = Origin.of_runs(("itune", "compare", *argv), comparison.runs)
    page = comparison_page(comparison, origin)
    tables = f"tables: {out / 'comparison.md'}, .csv and .tex"
    text = f"{page_text(page, 'Accuracy on test', 'Accuracy by group')}\n\n{tables}"
    write_results(out, page, comparison, origin, text)
