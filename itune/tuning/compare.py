"""Compare methods on one table, with one rate of access to confounds and one rule of selection."""

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from itune.errors import UserError, as_folder
from itune.results import Comparison, compare_runs, read_result, write_comparison
from itune.tables.table import Tables
from itune.training.run import check_run, describe_run, run_order, run_seeds
from itune.training.run_folder import RunOptions, require_usable
from itune.tuning.tune import is_seed, require_tunable, scaled_settings


def compare_on(
    tables: Tables,
    folder: str | Path,
    methods: Sequence[str],
    seeds: Sequence[int],
    settings: Mapping[str, Any] | None = None,
    options: RunOptions | None = None,
    *,
    say: Callable[[str], None] = lambda sentence: None,
) -> Comparison:
    """Train on a table by each method with each seed, and write tables of the comparison.

    The methods are compared with the first; settings that are not given are scaled to the data.
    Every run is checked before anything is trained; ``say`` gets a sentence after each.
    """
    _require_list("methods", methods, "different methods", lambda method: isinstance(method, str))
    _require_list("seeds", seeds, "different integers from 0 to 2**32 - 1", is_seed)
    for method in methods:
        require_tunable(method)
    folder, seeds = as_folder(folder, "out"), [int(seed) for seed in seeds]
    config, options = scaled_settings(tables, settings or {}), options or RunOptions()
    runs = [(method, seed) for seed in seeds for method in methods]
    for method, seed in runs:
        description = describe_run(tables, config, method, seed, options)
        require_usable(folder / f"{method}-{seed}", description, options)
    for method in methods:
        check_run(tables, config, method, seeds[0])
    started, results = time.monotonic(), {}
    for method, together in run_order(methods, seeds):
        folders = {seed: folder / f"{method}-{seed}" for seed in together}
        done = run_seeds(tables, config, method, folders, options)
        results |= {(method, seed): read_result(run.folder) for seed, run in done.items()}
        left = (time.monotonic() - started) / len(results) * (len(runs) - len(results)) / 60
        say(f"{len(results)} of {len(runs)} runs done, about {left:.0f} min left")
    comparison = compare_runs([results[m, s] for m in methods for s in seeds], folder)
    write_comparison(comparison, folder)
    return comparison


def _require_list(
    name: str, values: Sequence[Any], expected: str, is_fit: Callable[[Any], bool]
) -> None:
    is_list = isinstance(values, Sequence) and not isinstance(values, str)
    if not is_list or not values or not all(map(is_fit, values)) or len(set(values)) < len(values):
        shown = tuple(values) if is_list else values
        raise UserError(f"{name} must be a list of {expected}, got {shown!r}")
