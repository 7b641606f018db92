"""The main job: train a classifier on a confounded task by some methods, and compare them.

``python experiments/run.py`` runs the quickstart preset; ``--help`` lists presets and settings.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

from itune.auditing import verdict_sentence
from itune.cli import run_main
from itune.config import narrowed, parse
from itune.errors import require
from itune.methods import METHODS
from itune.report import PAGE, Origin, comparison_page, run_page, write_report
from itune.results import compare_runs, read_result, results_table, write_comparison
from itune.training import RunConfig, RunOptions, run_order, run_task_seeds
from itune.utils import RunsHardwareConfig, use_compilation_cache

PRESETS = Path(__file__).parent / "presets"


@dataclass(frozen=True)
class Experiment(RunConfig):
    """Some methods and seeds of one setting.

    Attributes:
      methods: Methods to compare, the reference first; ``no_spurious`` is finetuning on data
        without the confound, the upper bound.
      seeds: Seeds; each method is run with each.
      name: Name of the folder under ``out``; each run gets its own folder ``METHOD-SEED`` in there.
      out: Folder of all runs.
      resume: Whether runs that were cut off go on, and finished ones are taken as they are.
      overwrite: Whether earlier runs of this name are deleted first.
      checkpoint_seconds: Seconds between checkpoints.
      hardware: What the work runs on.
    """

    methods: tuple[str, ...] = ("finetuning", "influence_tuning")
    seeds: tuple[int, ...] = (2021,)
    name: str = "default"
    out: Path = Path("runs")
    resume: bool = False
    overwrite: bool = False
    checkpoint_seconds: float = 120.0
    hardware: RunsHardwareConfig = RunsHardwareConfig()

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
    """Run every method with every seed, then print a table and verdicts, and leave reports."""
    config = parse(
        Experiment,
        PRESETS,
        argv,
        prog="run.py",
        description="Finetune and influence-tune a classifier on a confounded task.",
        default_preset="quickstart",
        choices={"methods": METHODS},
    )
    command = ("python", "experiments/run.py", *argv)
    setting = narrowed(config, RunConfig)
    options = RunOptions(config.resume, config.overwrite, config.checkpoint_seconds)
    folder = config.hardware.begin(config.out / config.name)
    results = []
    for method, seeds in run_order(config.methods, config.seeds):
        folders = {seed: folder / f"{method}-{seed}" for seed in seeds}
        for done in run_task_seeds(setting, method, folders, options).values():
            result = read_result(done.folder)
            origin = Origin.of_runs(command, [result])
            write_report(run_page(result, origin), result, done.folder, origin)
            results.append(result)
    if len(results) > 1:
        comparison, origin = compare_runs(results, folder), Origin.of_runs(command, results)
        write_comparison(comparison, folder)
        write_report(comparison_page(comparison, origin), comparison, folder, origin)
    else:
        folder /= f"{results[0].method}-{results[0].seed}"
    print(results_table(results), end="\n\n")
    print("\n".join(map(verdict_sentence, results)), end="\n\n")
    print(f"{folder / PAGE} is the report; itune audit RUN looks at a run more closely")


if __name__ == "__main__":
    use_compilation_cache()
    sys.exit(run_main(main, interrupted="go on by the same command with --resume"))
