"""What a worker of a search does: it runs settings that are left and records how they did on dev.

The test accuracies of runs are not read before the report on a search that is over.
"""

from collections.abc import Callable
from pathlib import Path
from statistics import fmean
from typing import Any

from itune.models import resolve_encoder
from itune.search.grids import points
from itune.search.study import DONE, FAILED, RUNNING, Study
from itune.training.run import run_task_seeds
from itune.training.run_folder import RunOptions

SEARCH = "search-"
"""Prefix of the name of a search's folder; the name of its method follows."""


def run_folder(folder: Path, point: int, seed: int) -> Path:
    """Return the folder of a setting's run, below that of the search."""
    return folder / f"{point:03d}-{seed}"


def work(
    study: Study,
    folder: Path,
    *,
    trials: int | None = None,
    checkpoint_seconds: float = 120.0,
    on_message: Callable[[str], None] = lambda line: None,
) -> None:
    """Run settings until none is left that no other worker has.

    Args:
      study: The study, shared with other workers.
      folder: Folder of the search; runs in it that were cut off are resumed.
      trials: Largest number of settings for this worker to run; None for no limit.
      checkpoint_seconds: Seconds between checkpoints of a run.
      on_message: Takes a line for each setting that has ended.

    Raises:
      UserError: There is no such encoder, or the study cannot be used any more. An error of a run
        is recorded in the study instead.
    """
    plan = study.plan
    options = RunOptions(resume=True, checkpoint_seconds=checkpoint_seconds)

    def mean_dev_accuracy(point: int) -> tuple[float, dict[str, Any]]:
        folders = {seed: run_folder(folder, point, seed) for seed in plan.seeds}
        done = run_task_seeds(plan.settings[point], plan.method, folders, options)
        results = {seed: run.result for seed, run in done.items()}
        accuracies = [result["dev"]["accuracy"] for result in results.values()]
        return fmean(accuracies), {
            "accuracies": accuracies,
            "collapsed": [seed for seed, result in results.items() if result.get("collapsed")],
            "seconds": sum(result["seconds"] for result in results.values()),
        }

    resolve_encoder(plan.settings[0].encoder)
    count = 0
    while (trials is None or count < trials) and (
        point := study.run(mean_dev_accuracy)
    ) is not None:
        count += 1
        on_message(_progress(study, point))


def _progress(study: Study, point: int) -> str:
    """How far the search is, and what came of a point."""
    statuses = study.statuses()
    states = [status.state for status in statuses]
    over, others = states.count(DONE) + states.count(FAILED), states.count(RUNNING)
    values = ", ".join(f"{key} {value}" for key, value in points(study.plan.grid)[point].items())
    status = statuses[point]
    outcome = f"failed ({status.notes.get('error')})"
    if status.accuracy is not None:
        outcome = f"dev {status.accuracy:.3f}" + ", collapsed" * bool(status.notes["collapsed"])
    running = f" ({others} running)" if others else ""
    return f"{over} of {len(states)}{running}: {values}: {outcome}"
