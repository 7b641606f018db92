"""The paper's Figure 1: influence on a probe of training examples with its confound, and without.

``python experiments/figure1.py runs/NAME/finetuning-2021 --probes 0,3`` draws figure1.png and
figure1.svg into the run's folder, and writes their numbers to figure1.json.
"""

import sys
from functools import partial
from pathlib import Path

import jax

from itune.cli import Parser, run_main
from itune.metrics import probe_influences
from itune.plots import influence_plot, influences_on_probe
from itune.results import load_trained
from itune.utils import ProgressDisplay, use_compilation_cache, write_json
from suite import announce, list_of


def main(argv: list[str]) -> None:
    """Loads a finished run, scores the probes' labels, and draws."""
    parser = Parser(prog="figure1.py", description=__doc__.split("\n\n")[0])
    parser.add_argument("run", type=Path, help="the folder of a finished run")
    parser.add_argument(
        "--probes",
        type=list_of(int, "indices", lambda v: v >= 0),
        default=(0,),
        help="training examples (0)",
    )
    parser.add_argument("--to", type=Path, metavar="FOLDER", help="to write to; the run's own")
    options = parser.parse_args(argv)
    trained = load_trained(options.run)
    with jax.default_matmul_precision(trained.config.precision), ProgressDisplay() as display:
        found = probe_influences(
            trained.classifier.loss,
            trained.params,
            trained.train,
            probes=options.probes,
            on_progress=partial(display.on_progress, "figure 1"),
        )
    paths = [(options.to or options.run) / f"figure1.{end}" for end in ("png", "svg", "json")]
    panels = {f"probe {one.probe} ({one.group})": influences_on_probe(one) for one in found}
    influence_plot(panels, what="the probe", width=6.4).save(*paths[:2])
    write_json(paths[2], [influence.to_dict() for influence in found])
    announce(paths)


if __name__ == "__main__":
    use_compilation_cache()
    sys.exit(run_main(main))
