"""Runs: a method on some data with an encoder and a seed, each in a folder of its own."""

import contextlib
import datetime
import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import jax
import numpy as np

from itune.data.dataset import Dataset
from itune.errors import UserError, option
from itune.groups import groups_of
from itune.methods.plans import confounds_read, labels_in_steps, last_training
from itune.methods.registry import METHODS, require_method
from itune.models import save_classifier
from itune.tables.splits import SPLITS
from itune.tables.table import Tables
from itune.tables.tasks import task_tables
from itune.training.collapse import chance_limit, make_collapse_test
from itune.training.formats import FORMAT
from itune.training.loop import Evaluator, Training, TrainingOutcome, train
from itune.training.metrics_log import read_metrics
from itune.training.preparation import Prepared, prepare
from itune.training.run_folder import (
    Finished,
    RunOptions,
    locked_run_folder,
    read_run,
    require_usable,
)
from itune.training.settings import RunConfig, TrainingConfig
from itune.training.states import runs_at_once, runs_that_fit
from itune.training.versions import machine, versions
from itune.utils.devices import wait_for_all
from itune.utils.json import write_json


def run_task(
    config: RunConfig, method: str, seed: int, folder: Path, options: RunOptions | None = None
) -> Finished:
    """Train and test a method on a task, and write the run's folder.

    Args:
      config: Settings of training and of the task.
      method: Key of :data:`~itune.methods.registry.METHODS`.
      seed: Seed of the classifier's initial weights, batches, dropout, probes and partners; an
        integer from 0 to 2**32 - 1.
      folder: The run's own folder; made if absent.
      options: What to do with what is in the folder.

    Returns:
      The finished run; a run that had finished before is returned unchanged.

    Raises:
      UserError: An argument has a bad value, the data cannot be used, or the folder is not empty
        and the options do not permit its use.
    """
    return run_task_seeds(config, method, {seed: Path(folder)}, options)[seed]


def run_task_seeds(
    config: RunConfig,
    method: str,
    folders: Mapping[int, Path],
    options: RunOptions | None = None,
) -> dict[int, Finished]:
    """Train and test a method on a task with several seeds, and write their runs' folders.

    As many runs as :func:`~itune.training.states.runs_at_once` says, and fit the device's memory,
    advance together in one program. What a run comes to depends on it by rounding only.

    Args:
      config: Settings of training and of the task.
      method: Key of :data:`~itune.methods.registry.METHODS`.
      folders: The folder of the run with each seed.
      options: What to do with what is in the folders.

    Returns:
      The finished run of each seed; one that had finished before is returned unchanged.

    Raises:
      UserError: An argument has a bad value, the data cannot be used, or a folder is not empty and
        the options do not permit its use.
    """
    require_method(method)
    return run_seeds(load_data(config, method), config, method, folders, options)


def load_data(config: RunConfig, method: str) -> Tables:
    """Read or make the table of a task that a method is trained and tested on."""
    return task_tables(config.data, is_control=METHODS[method].uses_control)


def run_on(
    tables: Tables,
    config: TrainingConfig,
    method: str,
    seed: int,
    folder: Path,
    options: RunOptions | None = None,
) -> Finished:
    """Train and test a method on a table, and write the run's folder.

    Args:
      tables: The table to train and test on.
      config: Settings of training.
      method: Key of :data:`~itune.methods.registry.METHODS`.
      seed: Seed of the classifier's initial weights, batches, dropout, probes and partners; an
        integer from 0 to 2**32 - 1.
      folder: The run's own folder; made if absent.
      options: What to do with what is in the folder.

    Returns:
      The finished run; a run that had finished before is returned unchanged.

    Raises:
      UserError: An argument has a bad value, the data cannot be used, or the folder is not empty
        and the options do not permit its use.
    """
    return run_seeds(tables, config, method, {seed: Path(folder)}, options)[seed]


def run_seeds(
    tables: Tables,
    config: TrainingConfig,
    method: str,
    folders: Mapping[int, Path],
    options: RunOptions | None = None,
) -> dict[int, Finished]:
    """Train and test a method on a table with several seeds, and write their runs' folders.

    As many runs as :func:`~itune.training.states.runs_at_once` says, and fit the device's memory,
    advance together in one program. What a run comes to depends on it by rounding only.

    Args:
      tables: The table to train and test on.
      config: Settings of training.
      method: Key of :data:`~itune.methods.registry.METHODS`.
      folders: The folder of the run with each seed.
      options: What to do with what is in the folders.

    Returns:
      The finished run of each seed; one that had finished before is returned unchanged.

    Raises:
      UserError: An argument has a bad value, the data cannot be used, or a folder is not empty and
        the options do not permit its use.
    """
    require_method(method)
    options = options or RunOptions()
    descriptions = {seed: describe_run(tables, config, method, seed, options) for seed in folders}
    for seed, description in descriptions.items():
        require_usable(folders[seed], description, options)
    is_finished = {
        seed: not options.overwrite and (folder / "result.json").exists()
        for seed, folder in folders.items()
    }
    found = {seed: read_run(folders[seed]) for seed in folders if is_finished[seed]}
    left = [seed for seed in folders if not is_finished[seed]]
    with jax.default_matmul_precision(config.precision):
        while left:
            group = _prepared_together(tables, config, method, left)
            left = left[len(group) :]
            with contextlib.ExitStack() as locks:
                # All input was good: only now is anything deleted or written.
                for seed in group:
                    locks.enter_context(
                        locked_run_folder(
                            folders[seed], descriptions[seed], overwrite=options.overwrite
                        )
                    )
                found |= _train_and_test(tables, config, method, group, folders, options)
    return found


def _prepared_together(
    tables: Tables, config: TrainingConfig, method: str, seeds: Sequence[int]
) -> dict[int, Prepared]:
    """Return the first of some runs, and those after it that advance together with it."""
    first, *others = seeds
    group = {first: prepare(tables, config, method, first)}
    one, most = group[first], min(runs_at_once(), len(seeds))
    if most > 1:
        most = runs_that_fit(one.method, one.params, one.seen, one.plan, most)
    for seed in others[: most - 1]:
        prepared = prepare(tables, config, method, seed)
        if prepared.method.steps is not one.method.steps:
            break  # the steps depend on which confounds are hidden, as by another seed
        group[seed] = prepared
    return group


def run_order(methods: Sequence[str], seeds: Sequence[int]) -> list[tuple[str, list[int]]]:
    """Return in which order methods are run, and with which seeds at once.

    That is seed by seed, so that every method has some as soon as may be; or method by method,
    where the runs of several seeds advance together.
    """
    if runs_at_once() > 1:
        return [(method, list(seeds)) for method in methods]
    return [(method, [seed]) for seed in seeds for method in methods]


def describe_run(
    tables: Tables, config: TrainingConfig, method: str, seed: int, options: RunOptions
) -> dict[str, Any]:
    """Return the contents of a run's ``config.json``."""
    return {
        "method": method,
        "seed": seed,
        "config": json.loads(json.dumps(asdict(config))),
        "data_sha256": tables.digest(),
        "versions": versions(),
        "device": jax.devices()[0].device_kind,
        "machine": machine(),
        **options.about,
    }


def check_run(tables: Tables, config: TrainingConfig, method: str, seed: int) -> None:
    """Do all that a run does before its first step, without writing anything.

    Args:
      tables: The table to train and test on.
      config: Settings of training.
      method: Key of :data:`~itune.methods.registry.METHODS`.
      seed: Seed of the run; an integer from 0 to 2**32 - 1.

    Raises:
      UserError: The run would be refused.
    """
    prepare(tables, config, method, seed)


def _train_and_test(
    tables: Tables,
    config: TrainingConfig,
    method: str,
    group: Mapping[int, Prepared],
    folders: Mapping[int, Path],
    options: RunOptions,
) -> dict[int, Finished]:
    """Train runs together, and test each; the folders are theirs."""
    trainings = [
        Training(
            prepared.method,
            prepared.params,
            prepared.seen,
            prepared.measures,
            folders[seed],
            name=f"seed {seed}",
            has_collapsed=_collapse_test(config, prepared),
            selection=config.selection,
        )
        for seed, prepared in group.items()
    ]
    where = ", ".join(str(folders[seed]) for seed in group)
    try:
        outcomes = train(
            trainings,
            name=f"{method}, seed{'s' * (len(group) > 1)} {', '.join(map(str, group))}",
            checkpoint_seconds=options.checkpoint_seconds,
        )
        found, errors = {}, {}
        for seed, trained in zip(group, outcomes, strict=True):
            if isinstance(trained, UserError):
                errors[seed] = trained
            else:
                to, run = folders[seed], group[seed]
                found[seed] = _finished(
                    tables, config, method, seed, to, run, trained, together=len(group)
                )
    except OSError as error:
        raise UserError(
            f"cannot write to {where} ({error.strerror or error}); make room, then go on "
            f"with the same arguments and {option('resume', True)}"
        ) from error
    if errors:
        raise UserError("; ".join(f"seed {seed}: {error}" for seed, error in errors.items()))
    return found


def _finished(
    tables: Tables,
    config: TrainingConfig,
    method_name: str,
    seed: int,
    folder: Path,
    prepared: Prepared,
    trained: TrainingOutcome,
    *,
    together: int,
) -> Finished:
    """Save and test what a run, one of so many together, ends with, and write its result."""
    data, seen, plan = prepared.data, prepared.seen, prepared.plan
    params = trained.params
    save_classifier(
        folder / "model",
        prepared.bert,
        params,
        prepared.source,
        labels=tables.label_names,
        max_length=config.max_length,
        overwrite=True,
    )
    metrics = read_metrics(folder / "metrics.jsonl")
    scores = {split: prepared.accuracies(params, data[split]) for split in SPLITS}
    limit = chance_limit(data["train"].label, len(data["train"]))
    result = {
        "format": FORMAT,
        "method": method_name,
        "task": tables.name,
        "encoder": config.encoder,
        "seed": seed,
        **scores,
        "collapsed": trained.has_collapsed or scores["train"]["accuracy"] < limit,
        "access": asdict(config.access),
        "confounds": {"visible": len(seen.visible), "read": confounds_read(plan, seen)},
        "cid": _final_cid(trained, metrics, prepared.measures),
        "seconds": round(trained.seconds, 1),
        "finished": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "names": {"label": list(tables.label_names), "confound": list(tables.confound_names)},
        "rows": {split: _row_counts(of, config) for split, of in data.items()},
    }
    swapped = prepared.count_swaps(params)
    if swapped is not None:
        result["swapped"] = swapped
    if together > 1:
        result["together"] = together  # which share the seconds
    if trained.best is not None:
        result["selected"] = trained.best._asdict()
    notes = list(tables.notes)
    if seen.twin_of is not None:
        twins, visible = np.sum(seen.twin_of >= 0), len(seen.visible)
        notes.append(f"{twins} of {visible} visible training rows have a counterfactual twin")
    if notes:
        result["notes"] = notes
    write_json(folder / "result.json", result)
    wait_for_all("run")  # none is at its checkpoints any more
    for unfinished in ("checkpoints", "selected"):
        shutil.rmtree(folder / unfinished, ignore_errors=True)
    return Finished(folder, result, metrics)


def _row_counts(dataset: Dataset, config: TrainingConfig) -> dict[str, Any]:
    """Count all rows, those that have the greatest length allowed, and those of each group."""
    known = dataset.visible
    groups = groups_of(dataset.label[known], dataset.confound[known])
    return {
        "all": len(dataset),
        "full": int(np.sum(dataset.lengths >= config.max_length)),
        "groups": {str(group): len(rows) for group, rows in groups.items()},
    }


def _final_cid(
    trained: TrainingOutcome,
    metrics: list[dict[str, Any]],
    measures: Mapping[str, Evaluator],
) -> dict[str, Any]:
    """Return the CID of the run's model: the last in the metrics, or the best checkpoint's."""
    best = trained.best
    if best is None or best.is_last:
        return [row for row in metrics if row["kind"] == "cid"][-1]
    found = measures["cid"].evaluate(trained.params)
    return {"kind": "cid", "step": best.step, "note": "selected", **found}


def _collapse_test(config: TrainingConfig, prepared: Prepared) -> Callable[[Sequence[float]], bool]:
    """Return the test of the last training, should there be two, whose start is at chance again."""
    last = last_training(prepared.plan)
    total, updates = (
        sum(work.kind == "label_update" for work in part) for part in (prepared.plan, last)
    )
    test = make_collapse_test(
        labels_in_steps(last, prepared.seen),
        batch=config.label.batch,
        epoch_steps=len(prepared.data["train"]) // config.label.batch,
        total_steps=updates,
    )
    return lambda accuracies: test(accuracies[total - updates :])
