"""The paper's Figure 3: confound influence difference against label steps, over seeds.

``python experiments/figure3.py --textlen FOLDER`` runs what is missing, then draws figure3.png and
figure3.svg; with ``--render`` or ``--results PLACE`` it runs nothing.
"""

import sys

from itune import UserError
from itune.cli import run_main
from itune.plots import cid_plot
from itune.results import published
from itune.utils import use_compilation_cache
from suite import announce, gather, make_parser, place

METHODS = ("finetuning", "influence_tuning", "no_spurious")


def main(argv: list[str]) -> None:
    """Runs or reads, then draws."""
    summary = __doc__.split("\n\n")[0]
    parser = make_parser("figure3.py", summary, methods=METHODS, tasks=("textlen",))
    options = parser.parse_args(argv)
    suite = gather(options)
    groups = suite.groups("task", "method")
    tasks = {
        task: {
            method: [run.cid_history for run in groups[task, method]]
            for method in options.methods
            if (task, method) in groups
        }
        for task in dict.fromkeys(key.task for key in suite.runs)
    }
    paths = [place(options) / f"figure3.{suffix}" for suffix in ("png", "svg")]
    plot = cid_plot(tasks, published=published.FINAL_CID, columns=len(options.methods), width=8)
    if plot is None:
        raise UserError("the runs measured no CID; run them anew with --set cid_when=always")
    plot.save(*paths)
    announce([*([suite.note()] if suite.note() else []), *paths])


if __name__ == "__main__":
    use_compilation_cache()
    sys.exit(run_main(main, interrupted="go on by the same command"))
