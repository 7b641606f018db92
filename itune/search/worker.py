"""What a worker of a search does: it claims settings, runs them, and says how they did on dev.

A search looks at training and dev alone. The test accuracies that runs write into their folders
are not read, let alone stored in the study, before the report on a search that is over.
"""

import functools
from collections.abc import Callable
from pathlib import Path
from statistics import fmean
from typing import Any, NamedTuple

from itune.config import to_dict
from itune.errors import UserError
from itune.methods.registry import require_method
from itune.models import resolve_encoder
from itune.search.grids import Grid, points, settings
from itune.search.study import DONE, FAILED, RUNNING, Claim, Study
from itune.training.run import load_data, run
from itune.training.settings import RunConfig

SEARCH = "search-"
"""What the folder of a search is called before its method."""


class Plan(NamedTuple):
    """What to search.

    Attributes:
      method: a key of :data:`~itune.methods.METHODS`.
      seeds: every setting is run with each.
      grid: the values to try.
      settings: the configuration of each point.
      data_sha256: of the examples.
    """

    method: str
    seeds: tuple[int, ...]
    grid: Grid
    settings: list[RunConfig]
    data_sha256: str

    @property
    def fingerprint(self) -> dict[str, Any]:
        """What makes it this search and no other, beside the grid."""
        return {
            "method": self.method,
            "seeds": list(self.seeds),
            "config": to_dict(self.settings[0]),
            "data_sha256": self.data_sha256,
        }


def make_plan(config: RunConfig, method: str, seeds: tuple[int, ...], grid: Grid) -> Plan:
    """Return the plan of a search.

    Args:
      config: for all keys that the grid does not name.
      method: as of :class:`Plan`, and so are the others.
      seeds: the same.
      grid: the same.

    Raises:
      UserError: there is no such method, key or data, or a value is refused.
    """
    require_method(method)
    configs = settings(config, grid)
    return Plan(method, seeds, grid, configs, load_data(configs[0], method).digest())


def run_folder(folder: Path, point: int, seed: int) -> Path:
    """Return the folder of a setting's run, below that of the search."""
    return folder / f"{point:03d}-{seed}"


def work(
    plan: Plan,
    study: Study,
    folder: Path,
    *,
    trials: int | None = None,
    checkpoint_seconds: float = 120.0,
    say: Callable[[str], None] = lambda line: None,
) -> None:
    """Run settings until none is left that another worker does not have.

    Args:
      plan: what to search.
      study: shared with other workers.
      folder: holds the folders of the runs. What was cut off in there goes on.
      trials: settings that this worker runs at most.
      checkpoint_seconds: time between checkpoints.
      say: takes a line for each setting that has ended.

    Raises:
      UserError: there is no such encoder, or the study cannot be used any more. An error of a run
        is noted in the study instead.
    """
    resolve_encoder(plan.settings[0].encoder)
    start = functools.partial(_run_setting, plan, folder, checkpoint_seconds)
    count = 0
    while (trials is None or count < trials) and (claim := study.claim()) is not None:
        with claim:
            told = _try(claim, start)
        count += 1
        say(f"{_position(study)}: {in_words(points(plan.grid)[claim.point])}: {told}")


def in_words(point: dict[str, Any]) -> str:
    """Return the values of a point as one reads them.

    >>> in_words({"influence.interval": 25, "influence.learning_rate": 3e-05})
    'influence.interval 25, influence.learning_rate 3e-05'
    """
    return ", ".join(f"{key} {value}" for key, value in point.items())


def _try(claim: Claim, start: Callable[[int], tuple[float, dict[str, Any]]]) -> str:
    """Runs a setting and says in the study how that went; returns it in words."""
    try:
        accuracy, notes = start(claim.point)
    except UserError as error:
        message = " ".join(str(error).split())
        claim.fail(message)
        return f"failed ({message})"
    claim.finish(accuracy, **notes)
    return f"dev {accuracy:.3f}" + (", collapsed" if notes["collapsed"] else "")


def _run_setting(
    plan: Plan, folder: Path, checkpoint_seconds: float, point: int
) -> tuple[float, dict[str, Any]]:
    """Mean dev accuracy over the seeds, and what is worth a note."""
    accuracies, collapsed, seconds = [], [], 0.0
    for seed in plan.seeds:
        result = run(
            plan.settings[point],
            plan.method,
            seed,
            run_folder(folder, point, seed),
            resume=True,
            checkpoint_seconds=checkpoint_seconds,
        ).result
        accuracies.append(result["dev"]["accuracy"])
        collapsed += [seed] if result.get("collapsed") else []
        seconds += result["seconds"]
    return fmean(accuracies), {
        "accuracies": accuracies,
        "collapsed": collapsed,
        "seconds": seconds,
    }


def _position(study: Study) -> str:
    states = [standing.state for standing in study.standings()]
    over, others = states.count(DONE) + states.count(FAILED), states.count(RUNNING)
    return f"{over} of {len(states)}" + (f" ({others} under way)" if others else "")
