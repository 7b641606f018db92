"""The report on a search, in Markdown."""

import json
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean

from itune.config.command_line import to_arguments
from itune.config.help import as_typed
from itune.config.mappings import to_toml
from itune.search.grids import points
from itune.search.plan import SearchPlan
from itune.search.study import DONE, FAILED, LEFT, RUNNING, PointStatus
from itune.search.worker import run_folder
from itune.training.run_folder import read_run
from itune.training.settings import RunConfig
from itune.utils.formats import duration, method_title
from itune.utils.shell import join
from itune.utils.table_files import Row, to_markdown


def make_report(
    plan: SearchPlan,
    statuses: Sequence[PointStatus],
    folder: Path,
    *,
    command: Sequence[str],
    preset: RunConfig,
    name: str,
    seeds: Sequence[int],
) -> str:
    """Return all settings, the chosen one, and the mean dev accuracy of each value.

    The setting with the best mean dev accuracy is chosen; of equal ones, the first of the grid. Its
    test accuracy is shown once no setting is left: looking at it earlier would be choosing by it.

    Args:
      plan: What was searched.
      statuses: Status of every point, in the order of the grid.
      folder: Folder of the search, which holds the folders of the runs.
      command: Words of the command that runs a preset; options are appended.
      preset: The configuration that this command runs without further options.
      name: Name of the runs that the report's command makes.
      seeds: Seeds of these runs.
    """
    done = [status for status in statuses if status.state == DONE]
    parts = [
        f"# Search for {method_title(plan.method)}",
        _summary(plan, statuses),
        _settings_table(plan, statuses),
    ]
    if done:
        best = max(done, key=lambda status: (status.accuracy, -status.point))
        chosen = plan.settings[best.point]
        values = {"name": name, "methods": (plan.method,), "seeds": tuple(seeds)}
        options = [word for key, value in values.items() for word in (f"--{key}", as_typed(value))]
        header = (
            f"# {chosen.data.name}: {plan.method} with the best of {len(statuses)} settings, "
            f"dev {best.accuracy:.4f}"
        )
        top = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in values.items()]
        parts += [
            "## Chosen",
            f"Setting {best.point:03d}, dev {best.accuracy:.4f}. "
            + _test(plan, statuses, folder, best.point),
            f"    {join([*command, *options, *to_arguments(chosen, preset)])}",
            "As a preset:",
            "\n".join(["```toml", header, *top, to_toml(chosen), "```"]),
            "## Mean dev accuracy of each value",
            _marginals(plan, done),
        ]
    return "\n\n".join(parts)


def _summary(plan: SearchPlan, statuses: Sequence[PointStatus]) -> str:
    states = [status.state for status in statuses]
    collapsed = sum(bool(status.notes.get("collapsed")) for status in statuses)
    seconds = sum(status.notes.get("seconds", 0) for status in statuses)
    starts = [status.started for status in statuses if status.started]
    ends = [status.ended for status in statuses if status.ended]
    elapsed = ""
    if ends:
        minutes = (max(ends) - min(starts)).total_seconds() / 60
        elapsed = f"; from the first start to the last end it was {duration(minutes)}"
    return (
        f"{len(states)} settings, seeds {', '.join(map(str, plan.seeds))}: {states.count(DONE)} "
        f"done, of which {collapsed} collapsed; {states.count(FAILED)} failed; "
        f"{states.count(RUNNING)} running; {states.count(LEFT)} left. The runs took "
        f"{duration(seconds / 60)} in all{elapsed}."
    )


def _settings_table(plan: SearchPlan, statuses: Sequence[PointStatus]) -> str:
    """The settings that were started: those done by their accuracy, then the others."""
    order = (DONE, RUNNING, FAILED)
    started = [status for status in statuses if status.state in order]
    started.sort(key=lambda status: (order.index(status.state), -(status.accuracy or 0)))
    rows = [
        (
            f"{status.point:03d}",
            *map(str, points(plan.grid)[status.point].values()),
            "" if status.accuracy is None else f"{status.accuracy:.4f}",
            _note(status),
        )
        for status in started
    ]
    return to_markdown(("setting", *plan.grid, "dev", "note"), rows)


def _note(status: PointStatus) -> str:
    if status.state == RUNNING:
        return "running"
    if status.state == FAILED:
        return f"failed: {status.notes['error']}"
    seeds = status.notes["collapsed"]
    return f"collapsed with seed {', '.join(map(str, seeds))}" if seeds else ""


def _test(plan: SearchPlan, statuses: Sequence[PointStatus], folder: Path, best: int) -> str:
    waiting = sum(status.state in (RUNNING, LEFT) for status in statuses)
    if waiting:
        return f"Its test accuracy is shown when the other {waiting} settings are done."
    folders = [run_folder(folder, best, seed) for seed in plan.seeds]
    missing = [str(run) for run in folders if not (run / "result.json").exists()]
    if missing:
        return f"Its test accuracy is not here: {missing[0]} holds no finished run."
    tests = [read_run(run).result["test"] for run in folders]
    accuracy, worst = (fmean(t[key] for t in tests) for key in ("accuracy", "worst_group_accuracy"))
    return f"Test {accuracy:.4f}; the worst group of test {worst:.4f}."


def _marginals(plan: SearchPlan, done: Sequence[PointStatus]) -> str:
    settings = points(plan.grid)
    rows: list[Row] = []
    for key, values in plan.grid.items():
        for value in values:
            found = [s.accuracy or 0 for s in done if settings[s.point][key] == value]
            if found:
                numbers = f"{fmean(found):.4f}", f"{max(found):.4f}"
                rows.append((key, str(value), str(len(found)), *numbers))
    return to_markdown(("key", "value", "settings", "mean", "best"), rows)
