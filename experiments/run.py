"""The main job: train a classifier on a confounded task by some methods, and compare them.

``python experiments/run.py`` runs the quickstart preset; ``--help`` lists presets and settings.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

from itune.cli import run_main
from itune.config import parse
from itune.errors import require
from itune.methods import METHODS
from itune.plots import plot_cid
from itune.results import RunResult, read_result, results_table
from itune.training.run import run
from itune.training.settings import RunConfig
from itune.utils.compiling import keep_compiled

PRESETS = Path(__file__).parent / "presets"


@dataclass(frozen=True)
class Experiment(RunConfig):
    """Some methods and seeds of one setting.

    Attributes:
      methods: ``finetuning``, ``influence_tuning``, ``embedding_tuning``, ``adversarial``,
        ``balanced_sampling``, ``subsampling``, ``group_dro``, ``last_layer_retraining``,
        ``product_of_experts``, ``no_spurious`` (finetuning on data without the confound),
        ``finetuning_without_dropout`` and ``finetuning_with_resets`` (controls for what influence
        tuning does besides).
      seeds: each method is run with each.
      name: of the folder under ``out``; each run gets its own ``METHOD-SEED`` in there.
      out: where runs are kept.
      resume: go on with runs that were cut off, and take finished ones as they are.
      overwrite: delete earlier runs of this name first.
      checkpoint_seconds: time between checkpoints.
    """

    methods: tuple[str, ...] = ("finetuning", "influence_tuning")
    seeds: tuple[int, ...] = (2021,)
    name: str = "default"
    out: Path = Path("runs")
    resume: bool = False
    overwrite: bool = False
    checkpoint_seconds: float = 120.0

    def __post_init__(self):
        super().__post_init__()
        require(
            self,
            f"a list of different methods out of {', '.join(METHODS)}",
            lambda v: 0 < len(v) == len(METHODS.keys() & v),
            "methods",
        )
        require(self, "a non-negative number", lambda v: v >= 0, "checkpoint_seconds")
        require(
            self,
            "a list of different integers from 0 to 2**32 - 1",
            lambda v: 0 < len(v) == len({s for s in v if 0 <= s < 2**32}),
            "seeds",
        )


def main(argv: list[str]) -> None:
    """Runs every method with every seed, then prints a table and draws CID against steps."""
    config = parse(
        Experiment,
        PRESETS,
        argv,
        prog="run.py",
        description="Finetune and influence-tune a classifier on a confounded task.",
        default_preset="quickstart",
    )
    setting = RunConfig(**{name: getattr(config, name) for name in RunConfig.__dataclass_fields__})
    folder = config.out / config.name
    finished = []
    for seed in config.seeds:
        for method in config.methods:
            done = run(
                setting,
                method,
                seed,
                folder / f"{method}-{seed}",
                resume=config.resume,
                overwrite=config.overwrite,
                checkpoint_seconds=config.checkpoint_seconds,
            )
            result = read_result(done.folder)
            plot_cid({_label(result): result.cid_history}, done.folder / "cid.png")
            finished.append(result)
    print(results_table(finished))
    plot_cid({_label(result): result.cid_history for result in finished}, folder / "cid.png")
    print(f"\nCID against label steps: {folder / 'cid.png'}")


def _label(result: RunResult) -> str:
    return f"{result.method.replace('_', ' ')}, seed {result.seed}"


if __name__ == "__main__":
    keep_compiled()
    sys.exit(run_main(main, interrupted="go on by the same command with --resume"))
