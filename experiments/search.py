"""Search a method's hyperparameters over a grid, by any number of workers.

``python experiments/search.py --preset textlen-minilm --method influence_tuning`` runs what is left
of the search; started again, it resumes what was cut off, and started twice, two workers share it.
``--report`` prints the state of the search, ``--help`` all settings.
"""

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

from itune.cli import run_main
from itune.config import narrowed, parse
from itune.errors import require
from itune.search import SEARCH, load_grid, make_report, open_study, plan_search, work
from itune.training import RunConfig
from itune.utils import RunsHardwareConfig, use_compilation_cache

PRESETS = Path(__file__).parent / "presets"
DEFAULT_PRESET = "textlen-minilm"


@dataclass(frozen=True)
class Search(RunConfig):
    """A search for the setting with the best mean dev accuracy.

    Attributes:
      method: The method whose hyperparameters are searched.
      grid: ``paper`` (for TextLen), ``paper-msgs``, ``small`` (peak rates for smaller encoders, and
        what baselines depend on), or a file ….toml with lists of values for keys.
      study: What the workers share: a file, or a URL such as ``postgresql://host/base``; none for
        ``study.journal`` in the folder of the search.
      search_seeds: Seeds that every setting is run with.
      trials: Largest number of settings for this worker to run; none for no limit.
      retry: Run settings that have failed once more.
      report: Print the report and run nothing.
      seeds: Seeds of the runs that the report's command makes of the chosen setting.
      name: Name of the folder under ``out``, and of the study in a database; runs are kept in
        ``NAME/search-METHOD``.
      out: Folder of all runs.
      checkpoint_seconds: Seconds between checkpoints of a run.
      devices: Number of devices to use; none uses all.
      together: Number of seeds of a setting that advance together in one program, on one device;
        none takes 1 on a CPU, and as many as fit into the memory of an accelerator.
    """

    method: str = "influence_tuning"
    grid: str = "paper"
    study: str | None = None
    search_seeds: tuple[int, ...] = (2021,)
    trials: int | None = None
    retry: bool = False
    report: bool = False
    seeds: tuple[int, ...] = (2021,)
    name: str = "default"
    out: Path = Path("runs")
    checkpoint_seconds: float = 120.0
    devices: int | None = None
    together: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        require(
            self,
            "a list of different integers from 0 to 2**32 - 1",
            lambda v: 0 < len(v) == len({s for s in v if 0 <= s < 2**32}),
            "seeds",
            "search_seeds",
        )
        counts = ("trials", "devices", "together")
        require(self, "a positive integer or none", lambda v: v is None or v >= 1, *counts)


def main(argv: list[str]) -> None:
    """Run settings until none is left, then print the report."""
    config = _parse(argv)
    RunsHardwareConfig(devices=config.devices, together=config.together).choose_devices()
    grid = load_grid(config.grid, config.method)
    plan = plan_search(narrowed(config, RunConfig), config.method, config.search_seeds, grid)
    folder = config.out / config.name / f"{SEARCH}{config.method}"
    study = open_study(
        plan,
        config.study or str(folder / "study.journal"),
        folder,
        name=config.name,
        create=not config.report,
        retry=config.retry,
    )
    if not config.report:
        seconds = config.checkpoint_seconds
        work(study, folder, trials=config.trials, checkpoint_seconds=seconds, on_message=_say)
    preset = _preset(argv)
    report = make_report(
        plan,
        study.statuses(),
        folder,
        command=("python", "experiments/run.py", "--preset", preset),
        preset=narrowed(_parse(["--preset", preset]), RunConfig),
        name=f"{config.name}-chosen",
        seeds=config.seeds,
    )
    print(report)


def _parse(argv: list[str]) -> Search:
    return parse(
        Search,
        PRESETS,
        argv,
        prog="search.py",
        description="Search a method's hyperparameters over a grid; workers may share a study.",
        default_preset=DEFAULT_PRESET,
    )


def _preset(argv: list[str]) -> str:
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--preset", default=DEFAULT_PRESET)
    return parser.parse_known_args(argv)[0].preset


def _say(line: str) -> None:
    print(f"search: {line}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    use_compilation_cache()
    sys.exit(run_main(main, interrupted="the same command goes on"))
