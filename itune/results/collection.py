"""Collections of finished runs, read from folders and from JSON files."""

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from itune.config.mappings import flattened
from itune.data import Dataset
from itune.errors import UserError
from itune.methods.base import Classifier
from itune.models import Params
from itune.results.run_result import RunResult, read_json, read_row, result_of_row
from itune.search.worker import SEARCH
from itune.tables.splits import SPLITS
from itune.training.formats import upgrade
from itune.training.record import read_record
from itune.training.run_folder import decisive
from itune.training.settings import TrainingConfig
from itune.training.trained_model import load_model

UPDATES = "influence_update"

COLLECTED = ("cid", "accuracy", UPDATES)
"""Kinds of rows of ``metrics.jsonl`` that a collection has; of each round's updates only two."""


def read_results(places: Iterable[str | Path]) -> list[RunResult]:
    """Read the finished runs below folders and in collections.

    Runs of searches, in folders ``search-METHOD``, have many settings and are left out, unless such
    a folder is named.

    Args:
      places: Folders, and JSON files that hold rows of :func:`collect`. The setting of a row
        without one, which earlier versions wrote, is the name of the file without its suffix.

    Raises:
      UserError: A file is missing or damaged, a folder holds no finished run, or a run is found
        twice.
    """
    return [run for run, _ in _found(places)]


def collect(places: Iterable[str | Path]) -> list[dict[str, Any]]:
    """Return finished runs as rows of a collection, in order of setting, method and seed.

    Paths to data are shortened to their last part, and the updates of each round to the first and
    the last of them.

    Args:
      places: Folders that hold finished runs, and JSON files that hold rows of this function.

    Raises:
      UserError: A file is missing or damaged, a folder holds no finished run, or a run is found
        twice.
    """
    found = sorted(_found(places), key=lambda pair: _key(pair[0]))
    return [_collected(row, run.setting) for run, row in found]


def _found(places: Iterable[str | Path]) -> list[tuple[RunResult, dict[str, Any]]]:
    """Return the runs, each with the JSON object that it is made from."""
    runs: dict[tuple[str, str, int], tuple[RunResult, dict[str, Any]]] = {}
    for place in map(Path, places):
        for run, row in _below(place) if place.is_dir() else _in_collection(place):
            if _key(run) in runs:
                raise UserError(
                    f"{run.where} is {run.method} with seed {run.seed} of {run.setting}, as is "
                    f"{runs[_key(run)][0].where}; leave one of them out"
                )
            runs[_key(run)] = run, row
    return list(runs.values())


def _key(run: RunResult) -> tuple[str, str, int]:
    return run.setting, run.method, run.seed


def _below(folder: Path) -> Iterator[tuple[RunResult, dict[str, Any]]]:
    folders = sorted(
        path.parent
        for path in folder.rglob("result.json")
        if not any(name.startswith(SEARCH) for name in path.relative_to(folder).parts)
    )
    if not folders:
        raise UserError(f"{folder} holds no finished run; give the folder of a name, or of names")
    for path in folders:
        row = read_row(path)
        yield result_of_row(row, str(path), folder=path), row


def _in_collection(path: Path) -> Iterator[tuple[RunResult, dict[str, Any]]]:
    for number, row in enumerate(read_json(path, list), 1):
        yield result_of_row(row, f"{path}, run {number}", setting=path.stem), row


def _collected(row: Mapping[str, Any], setting: str) -> dict[str, Any]:
    config = dict(row["config"])
    if "data" in config:  # of a task
        config["data"] = _without_folders(config["data"], ("source", "control"))
    if "table" in row:
        row = {**row, "table": _without_folders(row["table"], SPLITS)}
    measured = [upgrade(measure) for measure in row["measured"]]
    return {
        "setting": setting,
        **{key: value for key, value in row.items() if key != "setting"},
        "config": config,
        "result": upgrade(row["result"]),
        "measured": list(_thinned(row for row in measured if row["kind"] in COLLECTED)),
    }


def _without_folders(section: Mapping[str, Any], keys: Iterable[str]) -> dict[str, Any]:
    """Return a section of settings in which paths are shortened to their last part."""
    given = {key: section[key] for key in keys if section.get(key)}
    return {**section, **{key: Path(path).name for key, path in given.items()}}


def _thinned(rows: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """All evaluations, and of the updates of each round the first and the last."""
    for (kind, _), group in itertools.groupby(rows, key=lambda row: (row["kind"], row["step"])):
        of_step = list(group)
        yield from of_step if kind != UPDATES else [*of_step[:1], *of_step[1:][-1:]]


def require_one_configuration(
    runs: Sequence[RunResult], wanted: Mapping[str, Any] | None = None
) -> None:
    """Check that runs have one configuration, except for method, seed and access rate.

    Only settings that affect results count; a key that one of two runs lacks is ignored, since it
    comes from another version. ``no_spurious`` has data of its own, from ``data.control``.

    Args:
      runs: Runs on one task.
      wanted: Configuration that the runs must have; None requires the configuration of the first
        run.

    Raises:
      UserError: Two runs differ; the message names both runs and the key.
    """
    known = {key: (value, "the setting") for key, value in flattened(wanted or {}).items()}
    for run in runs:
        data = "data of no_spurious" if run.method == "no_spurious" else "data"
        values = decisive(run.config, run.method)
        values.pop("access.rate", None)
        values |= {data: run.digest}
        for key, value in values.items():
            other, where = known.setdefault(key, (value, run.where))
            if other != value:
                raise UserError(
                    f"{run.where} was run with {key} {value!r}, but {where} has {other!r}; keep "
                    "runs of different configurations in different folders"
                )


# What a run has learnt


class Trained(NamedTuple):
    """The model of a finished run, and its tokenised training data."""

    config: TrainingConfig
    classifier: Classifier
    params: Params
    train: Dataset


def load_trained(folder: Path) -> Trained:
    """Load the model of a finished run, and its training data.

    Args:
      folder: Folder of the run.

    Raises:
      UserError: The run has not finished, or its data are missing or have changed.
    """
    record = read_record(folder)
    tables = record.tables()
    if tables.digest() != record.digest:
        raise UserError(
            f"{record.path}: the run had other data than {tables.train.name} has now; take back "
            "the data it had"
        )
    model = load_model(folder, tables, record.config.max_length)
    train = model.encode(tables.train)
    if record.config.pad_to_multiple_of is not None:
        train = train.padded_to(record.config.pad_to_multiple_of)
    return Trained(record.config, model.classifier, model.params, train)
