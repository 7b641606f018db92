"""The record of a finished run, read from the run's folder or from a row of a collection."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from itune.errors import UserError, as_path
from itune.methods.registry import require_method
from itune.metrics.proportions import wilson
from itune.tables.splits import SPLITS
from itune.training.best_checkpoint import ACCURACY, BALANCED, WORST, BestCheckpoint
from itune.training.formats import upgrade
from itune.training.run_folder import read_run
from itune.utils.notebook import html_of

FEW_ROUNDS = 3
"""Number of influence rounds below which a note says that they are few."""

MANY_TRUNCATED = 0.1
"""Share of training rows that fill ``max_length`` above which a note says so."""

CRITERIA = {BALANCED: "group-balanced accuracy", WORST: "worst group", ACCURACY: "accuracy"}
"""What each rule of selection maximises, in words."""


@dataclass(frozen=True)
class GroupAccuracy:
    """Accuracy of one group.

    Attributes:
      name: Name of the group: ``good/Acme``, or ``y=0 c=1`` where labels have no names.
      label: Name of the group's label; ``y=0`` where labels have no names.
      confound: Name of the group's confound; ``c=1`` where confounds have no names.
      accuracy: Fraction of the group's rows that are classified correctly.
      size: Number of rows of the group; None where the run did not record it.
    """

    name: str
    label: str
    confound: str
    accuracy: float
    size: int | None = None


@dataclass(frozen=True)
class SplitAccuracy:
    """Accuracies of one split.

    Attributes:
      accuracy: Fraction of all rows that are classified correctly.
      groups: Groups that have any rows, in order; empty where no row is annotated.
      size: Number of rows; None where the run did not record it.
    """

    accuracy: float
    groups: tuple[GroupAccuracy, ...]
    size: int | None = None

    @property
    def balanced(self) -> float | None:
        """Group-balanced accuracy, the mean over groups; None where no row is annotated."""
        if not self.groups:
            return None
        return sum(group.accuracy for group in self.groups) / len(self.groups)

    @property
    def worst(self) -> GroupAccuracy | None:
        """The first of the groups with the lowest accuracy; None without groups."""
        return min(self.groups, key=lambda group: group.accuracy, default=None)


@dataclass(frozen=True)
class CIDEvaluation:
    """CID, the confound influence difference, at one point of a run.

    Attributes:
      step: Number of label steps finished before the evaluation.
      note: What a person calls the point, such as ``before round 1``.
      cid: Mean over the probes; None where it is not a finite number.
      standard_error: Standard error of ``cid``; None for a single probe.
      without_gradient: Share of the probes whose gradient is exactly 0 in float32, as where they
        are fitted with certainty; None where the run did not record it.
    """

    step: int
    note: str
    cid: float | None
    standard_error: float | None = None
    without_gradient: float | None = None


@dataclass(frozen=True)
class DevEvaluation:
    """Accuracies on dev at one point of a run.

    Attributes:
      step: Number of label steps finished before the evaluation.
      note: What a person calls the point, such as ``epoch 2``.
      accuracy: Accuracies overall and by group.
    """

    step: int
    note: str
    accuracy: SplitAccuracy


@dataclass(frozen=True)
class SwappedPredictions:
    """What a model's predictions do when the confound in a text is swapped and nothing else.

    Attributes:
      split: Name of the split that the texts are from.
      size: Number of texts in which the swap changed what the model reads, at least 1.
      changed: Number of these texts whose prediction changed.
    """

    split: str
    size: int
    changed: int

    @property
    def share(self) -> float:
        """Share of the texts whose prediction changed."""
        return self.changed / self.size

    def __str__(self) -> str:
        """Return one sentence, without its full stop."""
        low, high = wilson(self.changed, self.size)
        return (
            f"When the confound in the text is swapped, {self.changed:,} of {self.size:,} "
            f"predictions on {self.split} change ({self.share:.1%}; 95 % interval {low:.1%} to "
            f"{high:.1%})"
        )


@dataclass(frozen=True)
class RunResult:
    """Results of one finished run.

    Attributes:
      where: Description of the place that the record was read from, for messages.
      folder: Folder of the run; None where the record was read from a collection.
      setting: Name of the folder that holds the run's own folder.
      data: Name of the task or the table.
      method: Key of :data:`itune.methods.registry.METHODS`.
      seed: Seed of the run.
      encoder: Name or folder of the encoder that training started from.
      access: Fraction of the training rows whose confounds could be read.
      label_names: Names of the labels, by number; empty where they have none.
      confound_names: Names of the confounds, by number; empty where they have none.
      accuracies: Accuracies of the splits ``train``, ``dev`` and ``test``, by name.
      final_cid: CID of the final model.
      cid_history: CID at every evaluation, in order.
      dev_history: Accuracies on dev at every evaluation, in order.
      best_checkpoint: Evaluation on dev whose checkpoint is the model; None where the model is the
        last checkpoint.
      has_collapsed: Whether training rows are classified no better than by chance at the end.
      confounds_visible: Number of training rows whose confound the method could see; None where
        the run did not record it.
      confounds_read: Number of training rows whose confound the method used; None where the run did
        not record it.
      swapped: What predictions of the final model do when the confound in a text is swapped; None
        where neither a rule over words nor a task made the confounds, or the run did not record it.
      minutes: Wall clock time of training, in minutes.
      config: Settings of the run, as ``config.json`` has them.
      digest: SHA-256 of the data, in hexadecimal; None where the run did not record it.
      versions: Versions of Python and of the packages used, by name.
      device: Kind of device that training ran on.
      notes: Remarks on the run, one sentence each, without a full stop.
    """

    where: str
    folder: Path | None
    setting: str
    data: str
    method: str
    seed: int
    encoder: str
    access: float
    label_names: tuple[str, ...]
    confound_names: tuple[str, ...]
    accuracies: dict[str, SplitAccuracy]
    final_cid: CIDEvaluation
    cid_history: tuple[CIDEvaluation, ...]
    dev_history: tuple[DevEvaluation, ...]
    best_checkpoint: BestCheckpoint | None
    has_collapsed: bool
    confounds_visible: int | None
    confounds_read: int | None
    swapped: SwappedPredictions | None
    minutes: float
    config: dict[str, Any] = field(repr=False)
    digest: str | None
    versions: dict[str, str] = field(repr=False)
    device: str
    notes: tuple[str, ...] = ()

    @property
    def model(self) -> Path | None:
        """Folder of the model, which ``transformers`` can load; None without a folder."""
        return None if self.folder is None else self.folder / "model"

    @property
    def cid(self) -> float | None:
        """CID of the final model; None where it is not a finite number."""
        return self.final_cid.cid

    @property
    def cid_before(self) -> CIDEvaluation | None:
        """The first evaluation of CID; None unless it precedes that of the final model."""
        first = self.cid_history[0] if self.cid_history else self.final_cid
        last = self.final_cid
        is_last = first.step > last.step or (first.step, first.note) == (last.step, last.note)
        return None if is_last else first

    @property
    def dev_accuracy(self) -> float:
        """Accuracy on dev, a fraction."""
        return self.accuracies["dev"].accuracy

    @property
    def test_accuracy(self) -> float:
        """Accuracy on test, a fraction."""
        return self.accuracies["test"].accuracy

    @property
    def balanced_accuracy(self) -> float:
        """Group-balanced accuracy on test; the accuracy where test is not annotated."""
        balanced = self.accuracies["test"].balanced
        return self.test_accuracy if balanced is None else balanced

    @property
    def worst_group_accuracy(self) -> float:
        """Accuracy of the worst group of test; the accuracy where test is not annotated."""
        worst = self.accuracies["test"].worst
        return self.test_accuracy if worst is None else worst.accuracy

    @property
    def swapped_share(self) -> float | None:
        """Share of predictions that change when the confound is swapped; None without a count."""
        return None if self.swapped is None else self.swapped.share

    @property
    def criterion(self) -> str | None:
        """Measure on dev by which the best checkpoint was chosen; None if the last was taken."""
        if self.best_checkpoint is None:
            return None
        has_groups = bool(self.accuracies["dev"].groups)
        return CRITERIA[self.best_checkpoint.rule if has_groups else ACCURACY]

    def judged(self) -> tuple[str, SplitAccuracy]:
        """Return the name and accuracies of the split to judge by: test, or else dev, or train."""
        name = next(name for name in reversed(SPLITS) if name in self.accuracies)
        return name, self.accuracies[name]

    def to_rows(self) -> list[dict[str, Any]]:
        """Return a row for every group of every split, which ``pandas.DataFrame`` takes."""
        return [
            {"split": name, **{key: value for key, value in asdict(group).items() if key != "name"}}
            for name, split in self.accuracies.items()
            for group in split.groups
        ]

    def _repr_html_(self) -> str:
        return html_of(self)


def read_result(folder: str | Path) -> RunResult:
    """Read the folder of a finished run.

    Args:
      folder: Folder that holds ``config.json``, ``metrics.jsonl`` and ``result.json``.

    Raises:
      UserError: A file is missing or damaged.
    """
    folder = as_path(folder)
    return result_of_row(read_row(folder), str(folder), folder=folder)


def read_row(folder: Path) -> dict[str, Any]:
    """Read the folder of a finished run as one JSON object: its files, and its setting."""
    finished = read_run(folder)
    return {
        "setting": folder.absolute().parent.name,
        **read_json(folder / "config.json", dict),
        "result": finished.result,
        "measured": finished.metrics,
    }


def read_json(path: Path, kind: type) -> Any:
    """Return the ``dict`` or ``list`` that a JSON file holds, or raise a UserError."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"cannot read {path}: {error}") from None
    if not isinstance(value, kind):
        raise UserError(f"{path} is damaged: it holds no {kind.__name__}")
    return value


def result_of_row(
    row: Any, where: str, *, setting: str = "", folder: Path | None = None
) -> RunResult:
    """Make the record of a run from a JSON object of any format version.

    The object has the contents of ``config.json``, with ``result``, ``measured`` (the rows of
    ``metrics.jsonl``) and perhaps ``setting``; ``where`` names its place in messages.
    """
    try:
        return _result(row, where, setting, folder)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, UserError):
        raise UserError(f"{where} is damaged, or no result of a run") from None


def _result(row: Any, where: str, setting: str, folder: Path | None) -> RunResult:
    result, config = upgrade(row["result"]), row["config"]
    measured = [dict(measure) for measure in upgrade(row["measured"])]
    names, rows = result.get("names", {}), result.get("rows", {})
    counts, best = result.get("confounds", {}), result.get("selected")
    require_method(row["method"])
    if not isinstance(config["encoder"], str) or not all("step" in measure for measure in measured):
        raise ValueError
    history = tuple(_evaluation(measure) for measure in measured if measure["kind"] == "cid")
    return RunResult(
        where=where,
        folder=folder,
        setting=str(row.get("setting", setting)),
        data=result["task"],
        method=row["method"],
        seed=_number(row["seed"]),
        encoder=config["encoder"],
        access=_number(config.get("access", {}).get("rate", 1.0)),
        label_names=tuple(names.get("label", ())),
        confound_names=tuple(names.get("confound", ())),
        accuracies={name: _split(result[name], rows.get(name, {}), names) for name in SPLITS},
        final_cid=_evaluation(result["cid"]),
        cid_history=history,
        dev_history=tuple(
            DevEvaluation(
                measure["step"],
                measure.get("note", ""),
                _split(measure, rows.get("dev", {}), names, "dev_"),
            )
            for measure in measured
            if measure["kind"] == "accuracy"
        ),
        best_checkpoint=None if best is None else BestCheckpoint(**best),
        has_collapsed=result.get("collapsed", False),
        confounds_visible=counts.get("visible"),
        confounds_read=counts.get("read"),
        swapped=_swapped(result.get("swapped")),
        minutes=_number(result["seconds"]) / 60,
        config=config,
        digest=row.get("data_sha256"),
        versions=row.get("versions", {}),
        device=row.get("device", ""),
        notes=(*_notes(result, history), *_truncated(rows.get("train", {}), config)),
    )


def _number(value: Any) -> Any:
    """Return the value if it is a finite number."""
    if not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError
    return value


def _evaluation(row: Mapping[str, Any]) -> CIDEvaluation:
    cid = None if row["cid"] is None else _number(row["cid"])
    rest = row.get("cid_standard_error"), row.get("cid_without_gradient")
    return CIDEvaluation(_number(row["step"]), row.get("note", ""), cid, *rest)


def _swapped(counts: Mapping[str, Any] | None) -> SwappedPredictions | None:
    if counts is None:
        return None
    size, changed = _number(counts["size"]), _number(counts["changed"])
    if not 0 <= changed <= size or not size:
        raise ValueError
    return SwappedPredictions(str(counts["split"]), size, changed)


def _split(
    row: Mapping[str, Any],
    sizes: Mapping[str, Any],
    names: Mapping[str, Sequence[str]],
    prefix: str = "",
) -> SplitAccuracy:
    groups = tuple(
        GroupAccuracy(
            *_group_names(key, names), _number(accuracy), sizes.get("groups", {}).get(key)
        )
        for key, accuracy in row[f"{prefix}groups"].items()
    )
    return SplitAccuracy(_number(row[f"{prefix}accuracy"]), groups, sizes.get("all"))


def _group_names(key: str, names: Mapping[str, Sequence[str]]) -> tuple[str, str, str]:
    """Names of the group ``y=0 c=1``: its own, that of its label, and that of its confound."""
    label, confound = key.split()
    if not names:
        return key, label, confound
    label, confound = (
        names[kind][int(part.partition("=")[2])]
        for kind, part in (("label", label), ("confound", confound))
    )
    return f"{label}/{confound}", label, confound


def _notes(result: Mapping[str, Any], history: Sequence[CIDEvaluation]) -> list[str]:
    notes = list(map(str, result.get("notes", ())))
    after_rounds = [found.step for found in history if found.note.startswith("after round")]
    if 0 < len(after_rounds) < FEW_ROUNDS:
        rounds = "round" if len(after_rounds) == 1 else "rounds"
        notes.append(
            f"only {len(after_rounds)} influence {rounds} fitted into the label steps; more epochs "
            "or smaller batches make room"
        )
    if result.get("collapsed", False):
        notes.append(
            "training accuracy is at chance: nothing was learnt; train for more epochs, or, if it "
            "had been better before, lower the learning rates"
        )
    best = result.get("selected")
    if best and after_rounds and best["step"] < after_rounds[0]:
        notes.append(
            "no evaluation after an influence round was better on dev than the one before the first"
        )
    return notes


def _truncated(rows: Mapping[str, Any], config: Mapping[str, Any]) -> list[str]:
    """A note on the rows that may have been truncated, where they are more than a few."""
    if rows.get("full", 0) <= MANY_TRUNCATED * rows.get("all", 0):
        return []
    return [
        f"{rows['full'] / rows['all']:.0%} of the training rows fill max_length, "
        f"{config['max_length']} tokens, and are truncated if they are longer"
    ]
