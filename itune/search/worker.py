"""What a worker of a search does: it runs settings that are left and records how they did on dev.

A search looks at training and dev alone. The test accuracies that runs write into their folders
are not read, let alone stored in the study, before the report on a search that is over.
"""

from collections.abc import Callable
from pathlib import Path
from statistics import fmean
from typing import Any, NamedTuple

from itune.config import to_dict
from itune.methods.registry import require_method
from itune.models import resolve_encoder
from itune.search.grids import Grid, points, settings
from itune.search.study import DONE, FAILED, RUNNING, Study
from itune.training.run import load_data, run
from itune.training.settings import RunConfig

SEARCH = "search-"
"""Prefix of the name of a search's folder; the name of its method follows."""


class SearchPlan(NamedTuple):
    """What to search.

    Attributes:
      method: Name of the method whose hyperparameters are searched.
      seeds: Seeds that every setting is run with.
      grid: The values to try.
      settings: Configuration of each point of the grid.
      data_sha256: Digest of the examples, in hexadecimal.
    """

    method: str
    seeds: tuple[int, ...]
    grid: Grid
    settings: list[RunConfig]
    data_sha256: str

    @property
    def fingerprint(self) -> dict[str, Any]:
        """What tells this search from others beside the grid; JSON-ready."""
        return {
            "method": self.method,
            "seeds": list(self.seeds),
            "config": to_dict(self.settings[0]),
            "data_sha256": self.data_sha256,
        }


def plan_search(config: RunConfig, method: str, seeds: tuple[int, ...], grid: Grid) -> SearchPlan:
    """Return the plan of a search.

    Args:
      config: Values of all keys that the grid does not name.
      method: Name of the method whose hyperparameters are searched.
      seeds: Seeds that every setting is run with.
      grid: The values to try.

    Raises:
      UserError: There is no such method, key or data, or a value is refused.
    """
    require_method(method)
    configs = settings(config, grid)
    return SearchPlan(method, seeds, grid, configs, load_data(configs[0], method).digest())


def run_folder(folder: Path, point: int, seed: int) -> Path:
    """Return the folder of a setting's run, below that of the search."""
    return folder / f"{point:03d}-{seed}"


def work(
    plan: SearchPlan,
    study: Study,
    folder: Path,
    *,
    trials: int | None = None,
    checkpoint_seconds: float = 120.0,
    on_message: Callable[[str], None] = lambda line: None,
) -> None:
    """Run settings until none is left that no other worker has.

    Args:
      plan: What to search.
      study: The study, shared with other workers.
      folder: Folder of the search; runs in it that were cut off are resumed.
      trials: Largest number of settings for this worker to run; None for no limit.
      checkpoint_seconds: Seconds between checkpoints of a run.
      on_message: Takes a line for each setting that has ended.

    Raises:
      UserError: There is no such encoder, or the study cannot be used any more. An error of a run
        is recorded in the study instead.
    """

    def mean_dev_accuracy(point: int) -> tuple[float, dict[str, Any]]:
        results = [
            run(
                plan.settings[point],
                plan.method,
                seed,
                run_folder(folder, point, seed),
                resume=True,
                checkpoint_seconds=checkpoint_seconds,
            ).result
            for seed in plan.seeds
        ]
        accuracies = [result["dev"]["accuracy"] for result in results]
        return fmean(accuracies), {
            "accuracies": accuracies,
            "collapsed": [
                seed
                for seed, result in zip(plan.seeds, results, strict=True)
                if result.get("collapsed")
            ],
            "seconds": sum(result["seconds"] for result in results),
        }

    resolve_encoder(plan.settings[0].encoder)
    count = 0
    while (trials is None or count < trials) and (
        point := study.run(mean_dev_accuracy)
    ) is not None:
        count += 1
        on_message(_progress(plan, study, point))


def _progress(plan: SearchPlan, study: Study, point: int) -> str:
    """How far the search is, and what came of a point."""
    statuses = study.statuses()
    states = [status.state for status in statuses]
    over, others = states.count(DONE) + states.count(FAILED), states.count(RUNNING)
    values = ", ".join(f"{key} {value}" for key, value in points(plan.grid)[point].items())
    status = statuses[point]
    outcome = f"failed ({status.notes.get('error')})"
    if status.accuracy is not None:
        outcome = f"dev {status.accuracy:.3f}" + ", collapsed" * bool(status.notes["collapsed"])
    running = f" ({others} running)" if others else ""
    return f"{over} of {len(states)}{running}: {values}: {outcome}"
