"""One run: a method on some data with an encoder and a seed, in a folder of its own."""

import datetime
import functools
import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import jax
import numpy as np

from itune.data.access import hide_confounds
from itune.data.corpus import Corpus, corpus_of_splits
from itune.data.dataset import Dataset
from itune.data.tasks import SPLITS, Splits, load_control, load_splits
from itune.methods import Work, confounds_read, last_cid_only
from itune.methods.label import labels_met
from itune.models import (
    BertClassifier,
    load_encoder,
    load_tokenizer,
    resolve_encoder,
    save_classifier,
)
from itune.training.classifier import make_classifier
from itune.training.collapse import chance_limit, make_collapse_test
from itune.training.folder import Finished, begin_run, read_run, require_free
from itune.training.loop import train
from itune.training.measures import make_accuracies, make_measures
from itune.training.recipes import METHODS, require_method
from itune.training.records import read_rows, write_json
from itune.training.settings import AT_END, RunConfig, TrainingConfig
from itune.training.versions import versions


def run(
    config: RunConfig,
    method: str,
    seed: int,
    folder: Path,
    *,
    resume: bool = False,
    overwrite: bool = False,
    checkpoint_seconds: float = 120.0,
) -> Finished:
    """Trains on a task, measures and writes a run's folder; returns a finished one as it is.

    Args:
      config: the setting.
      method: a key of :data:`~itune.training.recipes.METHODS`.
      seed: of the classifier's initial weights, batches, dropout, probes and partners.
      folder: the run's own folder; made if absent.
      resume: go on with what is there; a finished run of this configuration is returned untouched.
      overwrite: delete what is there first.
      checkpoint_seconds: time between checkpoints.

    Raises:
      UserError: bad input of any kind, or the folder holds something else.
    """
    require_method(method)
    return run_on(
        corpus_of_splits(load_data(config, method), config.data.name),
        config,
        method,
        seed,
        folder,
        resume=resume,
        overwrite=overwrite,
        checkpoint_seconds=checkpoint_seconds,
    )


def load_data(config: RunConfig, method: str) -> Splits:
    """The examples that a method is trained and tested on.

    Raises:
      UserError: they are missing or malformed.
    """
    load = load_control if METHODS[method].uses_control else load_splits
    return load(config.data)


def run_on(
    corpus: Corpus,
    config: TrainingConfig,
    method: str,
    seed: int,
    folder: Path,
    *,
    about: Mapping[str, Any] | None = None,
    resume: bool = False,
    overwrite: bool = False,
    checkpoint_seconds: float = 120.0,
) -> Finished:
    """Does the same with any corpus.

    Args:
      corpus: what to train and test on.
      config: the setting.
      method: as of :func:`run`, and so are the others.
      seed: the same.
      folder: the same.
      about: what else ``config.json`` should tell; decides nothing.
      resume: as of :func:`run`.
      overwrite: the same.
      checkpoint_seconds: the same.

    Raises:
      UserError: bad input of any kind, or the folder holds something else.
    """
    require_method(method)
    folder = Path(folder)
    description = {
        "method": method,
        "seed": seed,
        "config": json.loads(json.dumps(asdict(config))),
        "data_sha256": corpus.digest,
        "versions": versions(),
        "device": jax.devices()[0].device_kind,
        **(about or {}),
    }
    require_free(folder, description, resume=resume, overwrite=overwrite)
    if not overwrite and (folder / "result.json").exists():
        return read_run(folder)
    begin = functools.partial(begin_run, folder, description, overwrite=overwrite)
    with jax.default_matmul_precision(config.precision):
        return _run(corpus, config, method, seed, folder, begin, checkpoint_seconds)


def _run(corpus, config, method_name, seed, folder, begin, checkpoint_seconds) -> Finished:
    source = resolve_encoder(config.encoder)
    bert, params = load_encoder(source, corpus.label_count, jax.random.key(seed))
    data = corpus.tokenize(
        load_tokenizer(source),
        max_length=config.max_length,
        max_positions=bert.max_positions,
        vocab_size=bert.vocab_size,
    )
    classifier = make_classifier(BertClassifier(bert))
    accuracies = make_accuracies(classifier)
    measures = make_measures(config, classifier, data, accuracies)
    hides = np.random.default_rng([seed, 3])
    seen = hide_confounds(data["train"], config.access, hides)
    method = METHODS[method_name].make(config, classifier, seen, seed)
    if config.cid_when == AT_END:
        method = method._replace(plan=lambda train, plan=method.plan: last_cid_only(plan(train)))
    plan = method.plan(seen)  # refuses data that it cannot use
    begin()  # all input was good: only now is anything deleted or written
    trained = train(
        method,
        params,
        seen,
        measures,
        folder,
        name=f"{method_name} {seed}",
        checkpoint_seconds=checkpoint_seconds,
        has_collapsed=_collapse_test(config, data["train"], plan),
    )
    params = trained.state.params
    _save_model(folder / "model", bert, params, source, corpus, config)
    metrics = read_rows(folder / "metrics.jsonl")
    scores = {split: accuracies(params, data[split]) for split in SPLITS}
    limit = chance_limit(data["train"].label, len(data["train"]))
    result = {
        "method": method_name,
        "task": corpus.name,
        "encoder": config.encoder,
        "seed": seed,
        **scores,
        "collapsed": trained.has_collapsed or scores["train"]["accuracy"] < limit,
        "access": asdict(config.access),
        "confounds": {"visible": len(seen.visible), "read": confounds_read(plan, seen)},
        "cid": [row for row in metrics if row["kind"] == "cid"][-1],
        "seconds": round(trained.seconds, 1),
        "finished": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    }
    if corpus.label_names is not None:
        result["names"] = {"label": corpus.label_names, "confound": corpus.confound_names}
    write_json(folder / "result.json", result)
    shutil.rmtree(folder / "checkpoints")
    return Finished(folder, result, metrics)


def _collapse_test(config: TrainingConfig, train: Dataset, plan: list[Work]):
    updates = sum(work.kind == "label_update" for work in plan)
    return make_collapse_test(
        labels_met(plan, train),
        batch=config.label.batch,
        epoch_steps=len(train) // config.label.batch,
        total_steps=updates,
    )


def _save_model(folder, bert, params, source, corpus: Corpus, config: TrainingConfig) -> None:
    """A corpus with names gives them to the model, and its tokenizer the length that was cut to."""
    if corpus.label_names is None:
        save_classifier(folder, bert, params, source, overwrite=True)
        return
    save_classifier(
        folder,
        bert,
        params,
        source,
        labels=corpus.label_names,
        max_length=config.max_length,
        overwrite=True,
    )
