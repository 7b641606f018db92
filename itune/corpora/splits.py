"""Training, development and test examples, and what a task has to tell about making them."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from itune.corpora.example import Example
from itune.corpora.jsonl import read_jsonl
from itune.errors import UserError
from itune.tables.splits import SPLITS


class Splits(NamedTuple):
    """The examples of a run."""

    train: list[Example]
    dev: list[Example]
    test: list[Example]

    def digest(self) -> str:
        """SHA-256 of all examples in order, in hexadecimal."""
        return hashlib.sha256(json.dumps(self).encode()).hexdigest()

    @property
    def label_count(self) -> int:
        """One more than the largest training label."""
        return 1 + max(example.label for example in self.train)


class Task(NamedTuple):
    """How the examples of a task are had.

    A recipe is the task's own configuration dataclass, a section of
    :class:`~itune.corpora.tasks.DataConfig`.

    Attributes:
      sources: what ``build`` knows, as messages show it.
      build: ``(source, recipe, seed)`` to the splits, or None if that is none of its sources.
      read: ``(folder, recipe, seed)`` to the splits.
      unconfounded: a recipe to that of its control, which lacks the spurious correlation.
      reads_control: whether ``read`` makes the control too, of the same folder, by that recipe.
    """

    sources: tuple[str, ...]
    build: Callable[[str, Any, int], Splits | None]
    read: Callable[[Path, Any, int], Splits]
    unconfounded: Callable[[Any], Any]
    reads_control: bool


def read_splits(folder: str | Path) -> Splits:
    """Returns the examples of train.jsonl, dev.jsonl and test.jsonl.

    Raises:
      UserError: a file is missing or breaks the format of :func:`~itune.corpora.jsonl.read_jsonl`.
    """
    return Splits(*(read_jsonl(Path(folder) / f"{name}.jsonl") for name in SPLITS))


def require_sound(splits: Splits) -> None:
    """Checks that the splits go together.

    Raises:
      UserError: training has one class only or a gap between its labels, or another split has a
        label or confound that training has not.
    """
    for field_name in ("label", "confound"):
        known = {getattr(example, field_name) for example in splits.train}
        if field_name == "label" and len(known) < 2:
            raise UserError(
                f"every training example has label {known.pop()}; a classifier needs two classes"
            )
        gap = min(set(range(len(known))) - known, default=None)
        if field_name == "label" and gap is not None:
            raise UserError(
                f"no training example has label {gap}, but one has label {max(known)}; number the "
                "classes from 0 without gaps"
            )
        for name in ("dev", "test"):
            new = {getattr(example, field_name) for example in getattr(splits, name)} - known
            if new:
                raise UserError(
                    f"{field_name} {min(new)} occurs in {name} but never in train; remove those "
                    "examples or add some to train"
                )
