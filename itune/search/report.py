"""The report on a search, in Markdown."""

import json
import shlex
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from statistics import fmean

from itune.config import to_arguments, to_toml
from itune.search.grids import Value, points
from itune.search.study import DONE, FAILED, LEFT, RUNNING, Standing
from itune.search.worker import Plan, run_folder
from itune.training.run_folder import read_run
from itune.training.settings import RunConfig


def make_report(
    plan: Plan,
    standings: Sequence[Standing],
    folder: Path,
    *,
    command: Sequence[str],
    preset: RunConfig,
    name: str,
    seeds: Sequence[int],
) -> str:
    """Return all settings, the chosen one, and what each value did to dev accuracy.

    The setting with the best mean dev accuracy is chosen, of equals the first of the grid. Its test
    accuracy stands there once no setting is left: before, looking at it would be choosing by it.

    Args:
      plan: what was searched.
      standings: how each point stands.
      folder: holds the folders of the runs.
      command: what runs a preset, to which options are added.
      preset: the configuration that this command stands for as it is.
      name: of the runs that the command makes.
      seeds: of these runs.
    """
    done = [standing for standing in standings if standing.state == DONE]
    parts = [
        f"# Search for {plan.method.replace('_', ' ')}",
        _summary(plan, standings),
        _settings_table(plan, standings),
    ]
    if done:
        best = max(done, key=lambda standing: (standing.accuracy, -standing.point))
        values = [("name", name), ("methods", [plan.method]), ("seeds", list(seeds))]
        parts += [
            "## Chosen",
            _test(plan, standings, folder, best),
            f"    {_command(plan, best, command, preset, values)}",
            "As a preset:",
            f"```toml\n{_preset(plan, best, values)}\n```",
            "## Mean dev accuracy of each value",
            _marginals(plan, done),
        ]
    return "\n\n".join(parts)


def _summary(plan: Plan, standings: Sequence[Standing]) -> str:
    states = [standing.state for standing in standings]
    collapsed = sum(bool(standing.notes.get("collapsed")) for standing in standings)
    seconds = sum(standing.notes.get("seconds", 0) for standing in standings)
    seeds = ", ".join(map(str, plan.seeds))
    return (
        f"{len(states)} settings, seeds {seeds}: {states.count(DONE)} done, of which {collapsed} "
        f"collapsed; {states.count(FAILED)} failed; {states.count(RUNNING)} running; "
        f"{states.count(LEFT)} left. The runs took {_hours(seconds)} in all"
        f"{_elapsed(standings)}."
    )


def _elapsed(standings: Sequence[Standing]) -> str:
    starts = [standing.started for standing in standings if standing.started]
    ends = [standing.ended for standing in standings if standing.ended]
    if not ends:
        return ""
    first, last = min(starts), max(ends)
    return f"; from the first start to the last end it was {_hours(_seconds(first, last))}"


def _seconds(first: datetime, last: datetime) -> float:
    return (last - first).total_seconds()


def _hours(seconds: float) -> str:
    return f"{seconds / 3600:.1f} h" if seconds >= 3600 else f"{seconds / 60:.1f} min"


def _settings_table(plan: Plan, standings: Sequence[Standing]) -> str:
    """What has begun: the done by accuracy, then the others."""
    begun = [standing for standing in standings if standing.state != LEFT]
    begun.sort(key=lambda standing: -1 if standing.accuracy is None else -standing.accuracy)
    begun.sort(key=lambda standing: (DONE, RUNNING, FAILED).index(standing.state))
    rows = [
        (
            f"{standing.point:03d}",
            *map(str, points(plan.grid)[standing.point].values()),
            "" if standing.accuracy is None else f"{standing.accuracy:.4f}",
            _note(standing),
        )
        for standing in begun
    ]
    return _table([("setting", *plan.grid, "dev", "note"), *rows])


def _note(standing: Standing) -> str:
    if standing.state == RUNNING:
        return "running"
    if standing.state == FAILED:
        return f"failed: {standing.notes['error']}"
    seeds = standing.notes["collapsed"]
    return f"collapsed with seed {', '.join(map(str, seeds))}" if seeds else ""


def _test(plan: Plan, standings: Sequence[Standing], folder: Path, best: Standing) -> str:
    told = f"Setting {best.point:03d}, dev {best.accuracy:.4f}. "
    waiting = sum(standing.state in (RUNNING, LEFT) for standing in standings)
    if waiting:
        return f"{told}Its test accuracy is told when the other {waiting} settings are done."
    folders = [run_folder(folder, best.point, seed) for seed in plan.seeds]
    missing = [str(run) for run in folders if not (run / "result.json").exists()]
    if missing:
        return f"{told}Its test accuracy is not here: {missing[0]} holds no finished run."
    tests = [read_run(run).result["test"] for run in folders]
    accuracy, worst = (fmean(t[key] for t in tests) for key in ("accuracy", "worst_group_accuracy"))
    return f"{told}Test {accuracy:.4f}; the worst group of test {worst:.4f}."


def _command(plan, best, command, preset, values) -> str:
    options = [
        word
        for key, value in values
        for word in (f"--{key}", ",".join(map(str, value)) if isinstance(value, list) else value)
    ]
    return shlex.join([*command, *options, *to_arguments(plan.settings[best.point], preset)])


def _preset(plan, best, values) -> str:
    head = (
        f"# {plan.settings[0].data.name}: {plan.method} with the best of {len(plan.settings)} "
        f"settings, dev {best.accuracy:.4f}"
    )
    top = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in values]
    return "\n".join([head, *top, to_toml(plan.settings[best.point])])


def _marginals(plan: Plan, done: Sequence[Standing]) -> str:
    settings = points(plan.grid)
    rows = []
    for key, values in plan.grid.items():
        for value in values:
            found = [s.accuracy for s in done if settings[s.point][key] == value]
            if found:
                rows.append((key, *_marginal(value, found)))
    return _table([("key", "value", "settings", "mean", "best"), *rows])


def _marginal(value: Value, found: Sequence[float]) -> tuple[str, ...]:
    return str(value), str(len(found)), f"{fmean(found):.4f}", f"{max(found):.4f}"


def _table(rows: Sequence[Sequence[str]]) -> str:
    """Rows of a Markdown table, the first of which is its head."""
    rows = [[" ".join(group.split()).replace("|", "\\|") for group in row] for row in rows]
    widths = [max(3, *map(len, column)) for column in zip(*rows, strict=True)]
    rows.insert(1, ["-" * width for width in widths])
    padded = ([c.ljust(w) for c, w in zip(row, widths, strict=True)] for row in rows)
    return "\n".join(f"| {' | '.join(row)} |" for row in padded)
