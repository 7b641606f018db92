"""The paper's Table 3: test accuracies when only a part of the confounds can be read.

``python experiments/table3.py --textlen FOLDER --msgs FOLDER`` runs what is missing, then writes
table3.md, .tex and .csv; with ``--render`` or ``--results PLACE`` it runs nothing.
"""

import sys

from itune.cli import run_main
from itune.results import ACCESS_HEADER, access_rows, published
from itune.utils import use_compilation_cache
from suite import encoder_name, gather, make_parser, publish

METHODS = ("influence_tuning", "embedding_tuning")
PERCENTS = (5, 10, 20, 50, 100)
CAPTION = (
    "Accuracy on test in per cent by the share of training examples whose confound can be read: "
    "of all seeds, and of those that succeeded, whose training accuracy is above chance. Confounds "
    "are means over seeds. Encoder {encoder}; paper: {authors}, bert-base-uncased, which gives "
    "those that succeeded. {note}"
)


def main(argv: list[str]) -> None:
    """Runs or reads, then writes and prints the table."""
    summary = __doc__.split("\n\n")[0]
    parser = make_parser("table3.py", summary, methods=METHODS, percents=PERCENTS)
    options = parser.parse_args(argv)
    suite = gather(options)
    groups = suite.groups("task", "method", "percent")
    order = [(t, m, p) for t in options.tasks for m in options.methods for p in options.rates]
    caption = CAPTION.format(
        encoder=encoder_name(suite), authors=published.AUTHORS, note=suite.note()
    )
    rows = access_rows({key: groups[key] for key in order if key in groups})
    publish(options, "table3", ACCESS_HEADER, rows, caption.strip())


if __name__ == "__main__":
    use_compilation_cache()
    sys.exit(run_main(main, interrupted="go on by the same command"))
