"""Finished runs read back: their results from folders or from collected JSON, and their models."""

import itertools
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import isfinite
from pathlib import Path
from typing import Any, NamedTuple

import jax

from itune.config import from_dict
from itune.data.dataset import Dataset, tokenize
from itune.errors import UserError
from itune.methods.base import Classifier
from itune.methods.registry import METHODS, require_method
from itune.models import BertClassifier, load_encoder, load_tokenizer
from itune.search.worker import SEARCH
from itune.training.classifier import make_classifier
from itune.training.formats import upgraded
from itune.training.run import load_data
from itune.training.run_folder import decisive, flat, read_run
from itune.training.settings import RunConfig

UPDATES = "influence_update"
MEASURES = ("cid", "accuracy", UPDATES)
"""Kinds of rows of ``metrics.jsonl`` that a collection keeps; the last, at a round's ends."""


class RunResult(NamedTuple):
    """What one finished run came to.

    Attributes:
      where: it was read from, for messages.
      setting: the name of the folder that holds the run's own.
      description: what its ``config.json`` says.
      result: what its ``result.json`` says; what later versions added may lack.
      measured: rows of its ``metrics.jsonl``, of :data:`MEASURES` at least.
    """

    where: str
    setting: str
    description: dict[str, Any]
    result: dict[str, Any]
    measured: list[dict[str, Any]]

    @property
    def method(self) -> str:
        """A key of :data:`itune.methods.METHODS`."""
        return self.description["method"]

    @property
    def seed(self) -> int:
        """The run's seed."""
        return self.description["seed"]

    @property
    def task(self) -> str:
        """A key of :data:`itune.corpora.tasks.TASKS`, or the name of a table."""
        return self.result["task"]

    @property
    def access(self) -> float:
        """The fraction of training examples whose confound could be read."""
        return self.description["config"].get("access", {}).get("rate", 1.0)

    @property
    def accuracy(self) -> float:
        """On test, a fraction."""
        return self.result["test"]["accuracy"]

    @property
    def worst_group(self) -> float:
        """Accuracy of the worst group of test, a fraction."""
        return self.result["test"]["worst_group_accuracy"]

    @property
    def cid(self) -> float | None:
        """The confound influence difference after training."""
        return self.result["cid"]["cid"]

    @property
    def minutes(self) -> float:
        """Wall clock of training."""
        return self.result["seconds"] / 60

    @property
    def has_collapsed(self) -> bool:
        """Whether training data are classified no better than by chance."""
        return self.result.get("collapsed", False)

    def confounds(self, kind: str) -> int | None:
        """How many confounds were ``"visible"``, or ``"read"``; None if the run did not tell."""
        return self.result.get("confounds", {}).get(kind)


# Explanation and collecting


def read_result(folder: Path) -> RunResult:
    """Reads a finished run's folder.

    Raises:
      UserError: a file of it is missing or damaged.
    """
    finished = read_run(folder)
    path = folder / "config.json"
    row = {
        "setting": folder.absolute().parent.name,
        **_read_json(path, dict),
        "result": finished.result,
        "measured": finished.metrics,
    }
    return _from_row(row, str(folder), setting="")


def collected(run: RunResult) -> dict[str, Any]:
    """A run as one object of a collection: what decided it, what came out, what was measured.

    Of paths to data their last part is kept, and of a round's updates the first and the last.
    """
    config = run.description["config"]
    paths = {key: config["data"][key] for key in ("source", "control") if config["data"].get(key)}
    data = config["data"] | {key: Path(path).name for key, path in paths.items()}
    return {
        "setting": run.setting,
        **run.description,
        "config": config | {"data": data},
        "result": run.result,
        "measured": list(_kept(row for row in run.measured if row["kind"] in MEASURES)),
    }


def _kept(rows: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Measures, and of the updates of each round the first and the last."""
    for (kind, _), group in itertools.groupby(rows, key=lambda row: (row["kind"], row["step"])):
        group = list(group)
        yield from group if kind != UPDATES else [*group[:1], *group[1:][-1:]]


def read_runs(places: Iterable[Path]) -> list[RunResult]:
    """Reads the finished runs below folders, and JSON files of :func:`collected` objects.

    Those of searches, in folders ``search-METHOD``, are of many settings and left out, unless such
    a folder is named. An object without a setting, as earlier versions wrote it, has the file's
    name for one.

    Raises:
      UserError: a file is missing or damaged, a folder holds no finished run, or a run is in there
        twice.
    """
    runs: dict[tuple, RunResult] = {}
    for place in places:
        for run in _below(place) if place.is_dir() else _collection(place):
            key = run.setting, run.method, run.seed
            if key in runs:
                raise UserError(
                    f"{run.where} is {run.method} with seed {run.seed} of {run.setting}, as is "
                    f"{runs[key].where}; leave one of them out"
                )
            runs[key] = run
    return list(runs.values())


def _below(folder: Path) -> list[RunResult]:
    found = sorted(
        path.parent
        for path in folder.rglob("result.json")
        if not any(name.startswith(SEARCH) for name in path.relative_to(folder).parts)
    )
    if not found:
        raise UserError(f"{folder} holds no finished run; give the folder of a name, or of names")
    return [read_result(path) for path in found]


def _collection(path: Path) -> list[RunResult]:
    return [
        _from_row(row, f"{path}, run {number}", setting=path.stem)
        for number, row in enumerate(_read_json(path, list), 1)
    ]


def _from_row(row: Any, where: str, *, setting: str) -> RunResult:
    try:
        rest = dict(row)
        parts = [upgraded(rest.pop(name)) for name in ("result", "measured")]
        run = RunResult(where, rest.pop("setting", setting), rest, *parts)
        measured = [dict(row) for row in run.measured]
        numbers = [run.accuracy, run.worst_group, run.minutes, run.access, run.seed, run.cid or 0]
        numbers += [row["step"] for row in measured] + [run.confounds("read") or 0]
        numbers += [row["cid"] or 0 for row in measured if row["kind"] == "cid"]
        if not all(isinstance(number, int | float) and isfinite(number) for number in numbers):
            raise ValueError
        require_method(run.method)
        if not isinstance(run.description["config"]["encoder"], str):
            raise ValueError
        return run._replace(setting=str(run.setting), measured=measured)
    except (KeyError, TypeError, ValueError, AttributeError, UserError):
        raise UserError(f"{where} is damaged, or no result of a run") from None


def _read_json(path: Path, kind: type) -> Any:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"cannot read {path}: {error}") from None
    if not isinstance(value, kind):
        raise UserError(f"{path} is damaged: it holds no {kind.__name__}")
    return value


# Whether runs may stand in one table


def require_one_configuration(
    runs: Sequence[RunResult], wanted: Mapping[str, Any] | None = None
) -> None:
    """Checks that runs differ in nothing that decides them but method, seed and access rate.

    Keys that only one of two runs has are of different versions, and do not count. A method that
    takes its data from ``data.control`` has data of its own.

    Args:
      runs: of one task.
      wanted: a configuration that they must have; that of the first run if None.

    Raises:
      UserError: names the two that differ, and in what.
    """
    known = {key: (value, "the setting") for key, value in flat(wanted or {}).items()}
    for run in runs:
        data = "data of no_spurious" if run.method == "no_spurious" else "data"
        values = decisive(run.description["config"], run.method)
        values.pop("access.rate", None)
        values |= {data: run.description.get("data_sha256")}
        for key, value in values.items():
            other, where = known.setdefault(key, (value, run.where))
            if other != value:
                raise UserError(
                    f"{run.where} was run with {key} {value!r}, but {where} has {other!r}; keep "
                    "runs of different configurations in different folders"
                )


# What a run has learnt


class Trained(NamedTuple):
    """A finished run's model, and what it was trained on.

    Attributes:
      config: the run's configuration.
      classifier: its losses.
      params: of the trained model.
      train: the tokenised training data.
    """

    config: RunConfig
    classifier: Classifier
    params: Any
    train: Dataset


def load_trained(folder: Path) -> Trained:
    """Loads the model of a finished run, and its training data.

    Raises:
      UserError: the run has not finished, or the data are not there any more, or have changed.
    """
    path = folder / "config.json"
    description = _read_json(path, dict)
    config = from_dict(RunConfig, description.get("config", {}), source=str(path))
    method = description.get("method")
    if method not in METHODS:
        raise UserError(f"{path} is damaged: it is of method {method!r}")
    splits = load_data(config, method)
    if splits.digest() != description.get("data_sha256"):
        raise UserError(f"{path}: the run had other data than data.source {config.data.source} has")
    model = folder / "model"
    bert, params = load_encoder(model, splits.label_count, jax.random.key(0))
    train = tokenize(
        splits.train,
        load_tokenizer(model),
        max_length=config.max_length,
        max_positions=bert.max_positions,
        vocab_size=bert.vocab_size,
    )
    train = train.padded_to(config.pad_to_multiple_of)
    return Trained(config, make_classifier(BertClassifier(bert)), params, train)
