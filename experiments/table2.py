"""The paper's Table 2: test accuracies of every method, over seeds.

``python experiments/table2.py --textlen FOLDER --msgs FOLDER`` runs what is missing, then writes
table2.md, .tex, .csv, .png and .svg; with ``--render`` or ``--results PLACE`` it runs nothing.
"""

import sys

from itune.cli import run_main
from itune.plots import plot_accuracies
from itune.results.paper_tables import (
    HERE,
    METHODS_HEADER,
    PAPER,
    methods_rows,
    seeds_of_method,
)
from itune.results.published import AUTHORS, TEST_ACCURACY
from itune.utils.compiling import keep_compiled
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
    groups = {
        key: seeds_of_method(runs, options.seeds) for key, runs in _ordered(suite, options).items()
    }
    caption = CAPTION.format(
        seeds=", ".join(map(str, options.seeds)),
        source=HERE,
        encoder=encoder_name(suite),
        paper=PAPER,
        authors=AUTHORS,
        note=suite.note(),
    ).strip()
    publish(options, "table2", METHODS_HEADER, methods_rows(groups), caption)
    paths = [place(options) / f"table2.{suffix}" for suffix in ("png", "svg")]
    plot_accuracies(_values(groups), paths, label="accuracy on test (%)")
    announce(paths)


def _ordered(suite: Suite, options) -> dict[tuple, list]:
    """Runs by task and method, in the order asked for."""
    groups = suite.groups("task", "method")
    order = [(task, method) for task in options.tasks for method in options.methods]
    return {key: groups[key] for key in order if key in groups}


def _values(groups) -> dict[str, dict[str, dict[str, list[float]]]]:
    """What to draw: accuracies by task, method and source."""
    drawn: dict = {}
    for (task, method), group in groups.items():
        published = list(TEST_ACCURACY.get(task, {}).get(method, ()))
        drawn.setdefault(task, {})[method] = {HERE: group.known, PAPER: published}
    return drawn


if __name__ == "__main__":
    keep_compiled()
    sys.exit(run_main(main, interrupted="go on by the same command"))
