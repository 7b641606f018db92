"""One run: a method on some data with an encoder and a seed, in a folder of its own."""

import contextlib
import datetime
import json
import re
import shutil
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np

from itune.data.access import hide_confounds
from itune.data.dataset import Dataset, tokenize_table, tokenize_tables
from itune.data.padding import Padding, choose_lengths, every_other, padded_length
from itune.data.twins import add_twins
from itune.errors import UserError, option
from itune.groups import groups_of
from itune.methods import Method, Work
from itune.methods.base import Step
from itune.methods.plans import (
    confounds_read,
    evaluated_after_rounds,
    evaluated_at_start,
    evaluated_every,
    labels_in_steps,
    last_evaluation_only,
    last_training,
    looked_into,
)
from itune.methods.registry import METHODS, require_method
from itune.models import ModelConfig, Params, load_tokenizer, resolve_encoder, save_classifier
from itune.models.saving import require_savable
from itune.tables.splits import SPLITS
from itune.tables.table import Tables, require_trainable
from itune.tables.tasks import task_tables
from itune.tables.twins import make_twins
from itune.training.best_checkpoint import LAST
from itune.training.classifier import make_classifier
from itune.training.collapse import chance_limit, make_collapse_test
from itune.training.diagnostics import make_diagnostics
from itune.training.formats import FORMAT
from itune.training.initialization import load_initial_model
from itune.training.loop import Evaluator, TrainingOutcome, train
from itune.training.measures import Accuracies, make_accuracies, make_measures
from itune.training.metrics_log import read_metrics
from itune.training.run_folder import (
    Finished,
    RunOptions,
    locked_run_folder,
    read_run,
    require_usable,
)
from itune.training.settings import AT_END, RunConfig, TrainingConfig
from itune.training.versions import machine, versions
from itune.utils.compiling import memoized
from itune.utils.devices import wait_for_all
from itune.utils.files import digest_of
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
    require_method(method)
    return run_on(load_data(config, method), config, method, seed, folder, options)


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
    require_method(method)
    folder, options = Path(folder), options or RunOptions()
    description = describe_run(tables, config, method, seed, options)
    require_usable(folder, description, options)
    if not options.overwrite and (folder / "result.json").exists():
        return read_run(folder)
    with jax.default_matmul_precision(config.precision):
        prepared = _prepare(tables, config, method, seed)
        # All input was good: only now is anything deleted or written.
        with locked_run_folder(folder, description, overwrite=options.overwrite):
            try:
                return _run(tables, config, method, seed, folder, prepared, options)
            except OSError as error:
                raise UserError(
                    f"cannot write to {folder} ({error.strerror or error}); make room, then go on "
                    f"with the same arguments and {option('resume', True)}"
                ) from error


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
    _prepare(tables, config, method, seed)


class _Prepared(NamedTuple):
    """A run before its first step."""

    source: Path
    bert: ModelConfig
    params: Params
    data: dict[str, Dataset]
    seen: Dataset
    accuracies: Accuracies
    measures: dict[str, Evaluator]
    method: Method
    plan: list[Work]


@contextlib.contextmanager
def _groups_by_name(tables: Tables) -> Iterator[None]:
    """Let errors raised in its context call a group ``good/Acme``, not ``y=1 c=0``."""

    def named(group: re.Match[str]) -> str:
        label, confound = map(int, group.groups())
        return f"{tables.label_names[label]}/{tables.confound_names[confound]}"

    try:
        yield
    except UserError as error:
        raise UserError(re.sub(r"\by=(\d+) c=(\d+)\b", named, str(error))) from error.__cause__


def _prepare(tables: Tables, config: TrainingConfig, method_name: str, seed: int) -> _Prepared:
    require_trainable(tables)
    source = resolve_encoder(config.encoder)
    bert, params, is_finetuned = load_initial_model(
        source, tables.label_names, config.head, jax.random.key(seed)
    )
    spec = METHODS[method_name]
    data = _tokenized(tables, source, bert, config)
    with _groups_by_name(tables):
        rng = np.random.default_rng([seed, 3])
        seen = hide_confounds(data["train"], config.access, rng)
    if spec.uses_twins:
        seen = _with_twins(seen, tables, source, bert, config, method_name, seed)
    of_training, of_evaluations = _paddings({**data, "train": seen}, bert, config)
    data = {split: of.padded_to(of_evaluations) for split, of in data.items()}
    classifier = make_classifier(bert)
    accuracies = make_accuracies(classifier)
    # A run on a task has never been measured at its start, and older ones can be resumed.
    at_start = is_finetuned and tables.recipe_digest is None
    with _groups_by_name(tables):
        measures = make_measures(config, classifier, data, accuracies)
        if config.diagnostics:
            measures["diagnostics"] = make_diagnostics(classifier, data, accuracies)
        seen = seen.padded_to(of_training)
        method = spec.make(config, classifier, seen, seed)
        method = _measured(method, config, at_start=at_start)
        plan = method.plan()  # refuses data that it cannot use
    steps = _steps(method_name, config, bert, tables.digest(), digest_of(seen.confound))
    steps.update({} if steps else method.steps)
    method = method._replace(steps=steps)
    return _Prepared(source, bert, params, data, seen, accuracies, measures, method, plan)


@memoized
def _steps(*setting: Any) -> dict[str, Step]:
    """Return the dict that holds a setting's step functions, which runs of all seeds share."""
    return {}


_TOKENS: weakref.WeakKeyDictionary[Tables, tuple[Any, dict[str, Dataset]]] = (
    weakref.WeakKeyDictionary()
)
"""The tokens of each table, for other runs on it, and what they depend on beside it."""


def _tokenized(
    tables: Tables, source: Path, bert: ModelConfig, config: TrainingConfig
) -> dict[str, Dataset]:
    limits = _limits(bert, config)
    setting, data = _TOKENS.get(tables, (None, {}))
    if setting != (source, limits):
        tokenizer = load_tokenizer(source)
        if tables.train.is_pair and not bert.takes_pairs:
            raise UserError(f"{source} does not tell two texts apart; leave out text_pair")
        require_savable(source, tokenizer)  # rather than refuse it after training
        data = tokenize_tables(tables, tokenizer, **limits)
        _TOKENS[tables] = (source, limits), data
    return data


def _limits(bert: ModelConfig, config: TrainingConfig) -> dict[str, Any]:
    return {
        "max_length": config.max_length,
        "max_positions": bert.max_positions,
        "vocab_size": bert.vocab_size,
    }


def _with_twins(
    seen: Dataset,
    tables: Tables,
    source: Path,
    bert: ModelConfig,
    config: TrainingConfig,
    method_name: str,
    seed: int,
) -> Dataset:
    """Return the training data and, at the end, counterfactual twins of its visible examples."""
    rng = np.random.default_rng([seed, 4])
    twins, rows = make_twins(tables, seen.visible, rng, method_name)
    tokens = tokenize_table(twins, load_tokenizer(source), **_limits(bert, config))
    return add_twins(seen, tokens, rows)


def _paddings(
    data: Mapping[str, Dataset], bert: ModelConfig, config: TrainingConfig
) -> tuple[Padding, Padding]:
    """Return what is padded to in training, and in evaluations, which are seldom."""
    multiple = config.pad_to_multiple_of
    longest = max(padded_length(of.lengths, multiple or 1) for of in data.values())
    if multiple is None:
        lengths = choose_lengths(
            data["train"].lengths,
            longest,
            batch=config.label.batch,
            chunk=config.label.chunk,
            epochs=config.label.epochs,
            width=bert.hidden_size,
        )
        return lengths, every_other(lengths)
    if longest > bert.max_positions:
        raise UserError(
            f"pad_to_multiple_of is {multiple}, so inputs are padded up to {longest} tokens, "
            f"but the encoder has {bert.max_positions} positions; set it to a divisor of that, or "
            "max_length lower"
        )
    return multiple, multiple


def _run(
    tables: Tables,
    config: TrainingConfig,
    method_name: str,
    seed: int,
    folder: Path,
    prepared: _Prepared,
    options: RunOptions,
) -> Finished:
    data, seen, plan = prepared.data, prepared.seen, prepared.plan
    trained = train(
        prepared.method,
        prepared.params,
        seen,
        prepared.measures,
        folder,
        name=f"{method_name}, seed {seed}",
        checkpoint_seconds=options.checkpoint_seconds,
        has_collapsed=_collapse_test(config, seen, len(data["train"]), plan),
        selection=config.selection,
    )
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


def _measured(method: Method, config: TrainingConfig, *, at_start: bool) -> Method:
    """Return the method with evaluations in its plan where the configuration wants them."""

    def plan() -> list[Work]:
        work = method.plan()
        if config.selection != LAST:
            work = evaluated_after_rounds(work)
        if config.accuracy_every is not None:
            work = evaluated_every(work, config.accuracy_every)
        if at_start:
            work = evaluated_at_start(work)
        for kind, when in (("cid", config.cid_when), ("accuracy", config.accuracy_when)):
            work = last_evaluation_only(work, kind) if when == AT_END else work
        return looked_into(work) if config.diagnostics else work

    return method._replace(plan=plan)


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


def _collapse_test(
    config: TrainingConfig, train: Dataset, size: int, plan: list[Work]
) -> Callable[[Sequence[float]], bool]:
    """Return the test of the last training, should there be two, whose start is at chance again.

    ``size`` is how many rows an epoch goes through.
    """
    last = last_training(plan)
    total, updates = (sum(work.kind == "label_update" for work in part) for part in (plan, last))
    test = make_collapse_test(
        labels_in_steps(last, train),
        batch=config.label.batch,
        epoch_steps=size // config.label.batch,
        total_steps=updates,
    )
    return lambda accuracies: test(accuracies[total - updates :])
