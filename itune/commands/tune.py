"""``itune tune``: train a classifier that leans less on a confound."""

from collections.abc import Sequence
from dataclasses import dataclass

from itune.commands.training import TrainingCommand, parse_training
from itune.errors import require
from itune.results import RunResult
from itune.tables.table import read_tables
from itune.utils.shell import quote
from itune.utils.visible import one_line


@dataclass(frozen=True)
class TuneCommand(TrainingCommand):
    """A table, and how a classifier is trained on it.

    Attributes:
      method: Method of training.
      seed: Seed of everything random in training; an integer from 0 to 2**32 - 1.
    """

    method: str = "influence_tuning"
    seed: int = 0

    def __post_init__(self):
        super().__post_init__()
        require(self, "an integer from 0 to 2**32 - 1", lambda v: 0 <= v < 2**32, "seed")


def main(argv: Sequence[str]) -> None:
    """Train a classifier, print its results, and write a report."""
    command, settings = parse_training(
        TuneCommand,
        argv,
        "method",
        prog="itune tune",
        description="Train a classifier on a table, and keep it from leaning on the confound.",
    )

    from itune.commands.output import write_results
    from itune.commands.page_text import page_text
    from itune.report import Origin, run_page
    from itune.tuning.tune import tune_on
    from itune.utils.compiling import use_compilation_cache

    use_compilation_cache()
    out = command.hardware.begin(command.out)
    tables, method = read_tables(command.table), command.method
    result = tune_on(tables, out, method, command.seed, settings, command.options)
    origin = Origin.of_runs(("itune", "tune", *argv), [result])
    page = run_page(result, origin)
    text = f"{page_text(page, 'Accuracy by group')}\n\n{next_steps(result)}"
    write_results(out, page, result, origin, text)


def next_steps(run: RunResult) -> str:
    """Return what is printed at the end: where the model is, and commands to try on it."""
    return (
        f"model: {one_line(str(run.model))}, for "
        "AutoModelForSequenceClassification.from_pretrained\n"
        f"next: itune audit {quote(str(run.model))} tells what it still leans on, on the "
        "same table; itune compare, whether another method does better"
    )
