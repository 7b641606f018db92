"""What a run on a table came to, on plain values, groups and labels by their names."""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from itune.errors import UserError
from itune.training.run_folder import Finished, read_run
from itune.training.selection import ACCURACY, BALANCED, WORST, Selected

FEW_ROUNDS, FEW_CUT = 3, 0.1

CRITERIA = {BALANCED: "group-balanced accuracy", WORST: "worst group", ACCURACY: "accuracy"}
"""Rules of selection in words."""


class GroupAccuracy(NamedTuple):
    """Accuracy of one combination of a label and a confound.

    Attributes:
      label: its name.
      confound: its name.
      accuracy: a fraction.
      size: rows.
    """

    label: str
    confound: str
    accuracy: float
    size: int

    @property
    def name(self) -> str:
        """``good/Acme``, as people read it."""
        return f"{self.label}/{self.confound}"


class SplitAccuracy(NamedTuple):
    """Accuracies of one split.

    Attributes:
      size: rows.
      accuracy: over all of them, a fraction.
      groups: those that have any rows, in order.
    """

    size: int
    accuracy: float
    groups: tuple[GroupAccuracy, ...]

    @property
    def balanced(self) -> float | None:
        """The mean over groups; None where no row is annotated."""
        found = [group.accuracy for group in self.groups]
        return sum(found) / len(found) if found else None

    @property
    def worst(self) -> GroupAccuracy | None:
        """The group of the lowest accuracy."""
        return min(self.groups, key=lambda group: group.accuracy, default=None)


class Moment(NamedTuple):
    """CID, the confound influence difference, at one moment of a run.

    Attributes:
      step: label steps finished before it.
      note: what a person calls it.
      cid: mean over probes.
      standard_error: of that mean; None for a single probe.
    """

    step: int
    note: str
    cid: float
    standard_error: float | None


class Tuned(NamedTuple):
    """A finished run on a table.

    Attributes:
      folder: of the run, with ``config.json``, ``metrics.jsonl`` and ``result.json``.
      model: folder of the model, which Hugging Face's ``transformers`` load.
      data: name of the table.
      method: a key of :data:`~itune.methods.METHODS`.
      encoder: what it started from.
      seed: of the run.
      label_names: what labels are called, by number.
      confound_names: what confounds are called, by number.
      accuracies: of train, dev and test, by name.
      before: CID of the finetuned model that was given, else where it was measured first; None
        where that is ``after``, or later.
      after: CID of the result.
      course: CID at every moment that it was measured, in order.
      dev_course: accuracies on dev likewise, as step, note and what they are.
      selected: the moment that gave the model; None where that was the last.
      has_collapsed: training rows are classified no better than by chance, at the end.
      visible: training rows whose confound the method could see.
      minutes: wall clock of training.
      config: all settings.
      digest: SHA-256 of the data, in hexadecimal.
      versions: of what computed, by name.
      device: that it ran on.
      notes: what else to know, a sentence each.
    """

    folder: Path
    model: Path
    data: str
    method: str
    encoder: str
    seed: int
    label_names: tuple[str, ...]
    confound_names: tuple[str, ...]
    accuracies: dict[str, SplitAccuracy]
    before: Moment | None
    after: Moment
    course: tuple[Moment, ...]
    dev_course: tuple[tuple[int, str, SplitAccuracy], ...]
    selected: Selected | None
    has_collapsed: bool
    visible: int
    minutes: float
    config: dict[str, Any]
    digest: str
    versions: dict[str, str]
    device: str
    notes: tuple[str, ...] = ()

    @property
    def criterion(self) -> str | None:
        """What the model was selected by on dev, in words; None where it is the last moment's."""
        if self.selected is None:
            return None
        has_groups = bool(self.accuracies["dev"].groups)
        return CRITERIA[self.selected.rule] if has_groups else CRITERIA[ACCURACY]

    def to_rows(self) -> list[dict[str, Any]]:
        """Accuracy of every group of every split; ``pandas.DataFrame`` takes them."""
        return [
            {"split": split, **group._asdict()}
            for split, found in self.accuracies.items()
            for group in found.groups
        ]


def read_tuned(folder: str | Path) -> Tuned:
    """Reads the folder of a finished run on a table.

    Raises:
      UserError: a file of it is missing or damaged.
    """
    return tuned_of(read_run(Path(folder)))


def read_json_of(path: Path, what: str) -> dict[str, Any]:
    """Reads one of the files that tell what a folder is.

    Raises:
      UserError: it is missing or damaged.
    """
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise UserError(
            f"{path.parent} holds no finished {what} (cannot read {path.name}: {error})"
        ) from None


def tuned_of(finished: Finished) -> Tuned:
    """What the files of a run on a table say, with names for numbers.

    Raises:
      UserError: it is a run on something else, or ``config.json`` is damaged.
    """
    result = finished.result
    if "names" not in result:
        raise UserError(f"{finished.folder} holds a run on something else than a table")
    names, told = result["names"], read_json_of(finished.folder / "config.json", "run")
    sizes = result["rows"]

    def split(name, row, prefix=""):
        return _split(row, sizes[name], names, prefix)

    course = tuple(_moment(row) for row in finished.metrics if row["kind"] == "cid")
    after = _moment(result["cid"])
    selected = result.get("selected")
    return Tuned(
        folder=finished.folder,
        model=finished.folder / "model",
        data=result["task"],
        method=result["method"],
        encoder=result["encoder"],
        seed=result["seed"],
        label_names=tuple(names["label"]),
        confound_names=tuple(names["confound"]),
        accuracies={name: split(name, result[name]) for name in sizes},
        before=_before(course[0], after),
        after=after,
        course=course,
        dev_course=tuple(
            (row["step"], row["note"], split("dev", row, "dev_"))
            for row in finished.metrics
            if row["kind"] == "accuracy"
        ),
        selected=None if selected is None else Selected(**selected),
        has_collapsed=result["collapsed"],
        visible=result["confounds"]["visible"],
        minutes=result["seconds"] / 60,
        config=told["config"],
        digest=told["data_sha256"],
        versions=told["versions"],
        device=told["device"],
        notes=(*_notes(finished, course), *_cut(sizes["train"], told["config"])),
    )


def _split(
    row: Mapping[str, Any],
    sizes: Mapping[str, Any],
    names: Mapping[str, Sequence[str]],
    prefix: str,
) -> SplitAccuracy:
    groups = []
    for group, accuracy in row[f"{prefix}groups"].items():
        label, confound = map(int, re.findall(r"-?\d+", group))
        size = sizes["groups"][group]
        groups.append(
            GroupAccuracy(names["label"][label], names["confound"][confound], accuracy, size)
        )
    return SplitAccuracy(sizes["all"], row[f"{prefix}accuracy"], tuple(groups))


def _before(first: Moment, after: Moment) -> Moment | None:
    """The first moment, if it is not the one that gave the model, or a later one."""
    is_after = first.step > after.step or first[:2] == after[:2]
    return None if is_after else first


def _moment(row: Mapping[str, Any]) -> Moment:
    return Moment(row["step"], row["note"], row["cid"], row["cid_standard_error"])


def _cut(rows: Mapping[str, Any], config: Mapping[str, Any]) -> list[str]:
    """A note on the rows that may have been cut, where they are more than a few."""
    if rows.get("full", 0) <= FEW_CUT * rows["all"]:
        return []
    return [
        f"{rows['full'] / rows['all']:.0%} of the training rows fill max_length, "
        f"{config['max_length']} tokens, and what goes beyond that is cut"
    ]


def _notes(finished: Finished, course: Sequence[Moment]) -> list[str]:
    notes = []
    rounds = sum(moment.note.startswith("after round") for moment in course)
    if 0 < rounds < FEW_ROUNDS:
        notes.append(
            f"only {rounds} influence {'round' if rounds == 1 else 'rounds'} fitted into the label "
            "steps; more epochs or smaller batches make room"
        )
    if finished.result["collapsed"]:
        notes.append(
            "training accuracy is at chance: nothing was learnt; train for more epochs, or, if it "
            "had been better before, lower the learning rates"
        )
    after_first = [m.step for m in course if m.note.startswith("after round")][:1]
    selected = finished.result.get("selected")
    if selected and after_first and selected["step"] < after_first[0]:
        notes.append("no moment after an influence round was better on dev than this one before")
    return notes
