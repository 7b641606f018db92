"""The paper's Table 2: test accuracies of every method, over seeds.

``python experiments/table2.py --textlen FOLDER --msgs FOLDER`` runs what is missing, then writes
table2.md, .tex, .csv, .png and .svg; with ``--render`` or ``--results PLACE`` it runs nothing.
"""

import argparse
import sys

from itune.cli import run_main
from itune.plots import accuracy_plot
from itune.results import (
    HERE,
    METHODS_HEADER,
    PAPER,
    Comparison,
    compare_runs,
    methods_rows,
    published,
)
from itune.utils import use_compilation_cache
from suite import Suite, announce, encoder_name, gather, make_parser, place, publish

METHODS = ("finetuning", "adversarial", "influence_tuning", "embedding_tuning", "no_spurious")
CAPTION = (
    "Accuracy on test in per cent, mean and standard deviation over seeds {seeds}; every seed "
    "counts. p values are two-sided: Student's t-test, as in the paper, Welch's, and the "
    "permutation test of the difference of means. Worst group, CID after training and minutes of "
    "training are means. {source}: {encoder}. {paper}: {authors}, bert-base-uncased, seeds 2021 to "
    "2025; its p values follow from its accuracies. {note}"
)


def main(argv: list[str]) -> None:
    """Runs or reads, then writes and prints the table, and draws every seed."""
    options = make_parser("table2.py", __doc__.split("\n\n")[0], methods=METHODS).parse_args(argv)
    suite = gather(options)
    tasks = _compared(suite, options)
    caption = CAPTION.format(
        seeds=", ".join(map(str, options.seeds)),
        source=HERE,
        encoder=encoder_name(suite),
        paper=PAPER,
        authors=published.AUTHORS,
        note=suite.note(),
    ).strip()
    publish(options, "table2", METHODS_HEADER, methods_rows(tasks, options.seeds), caption)
    paths = [place(options) / f"table2.{suffix}" for suffix in ("png", "svg")]
    width = 4.2 * len(tasks)
    accuracy_plot(_values(tasks), label="accuracy on test (%)", digits=1, width=width).save(*paths)
    announce(paths)


def _compared(suite: Suite, options: argparse.Namespace) -> dict[str, Comparison]:
    """The runs of each task, by methods in the order asked for."""
    groups = suite.groups("task", "method")
    runs = {
        task: [run for method in options.methods for run in groups.get((task, method), ())]
        for task in options.tasks
    }
    return {task: compare_runs(of_task) for task, of_task in runs.items() if of_task}


def _values(tasks: dict[str, Comparison]) -> dict[str, dict[str, dict[str, list[float]]]]:
    """What to draw: accuracies in per cent by task, method and source."""
    return {
        task: {
            result.method: {
                HERE: [100 * run.test_accuracy for run in result.runs],
                PAPER: list(published.TEST_ACCURACY.get(task, {}).get(result.method, ())),
            }
            for result in comparison.methods
        }
        for task, comparison in tasks.items()
    }


if __name__ == "__main__":
    use_compilation_cache()
    sys.exit(run_main(main, interrupted="go on by the same command"))
