"""The best checkpoint: which of a run's evaluations on dev gives its model, and its parameters."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np
from flax.traverse_util import flatten_dict, unflatten_dict

from itune.errors import UserError, option
from itune.methods.base import ACCURACY as ACCURACY_KIND
from itune.methods.base import Params
from itune.methods.plans import AT_START
from itune.utils.files import write_atomically

LAST, BALANCED, WORST, ACCURACY = "last", "balanced", "worst", "accuracy"
SELECTIONS = (LAST, BALANCED, WORST, ACCURACY)


class BestCheckpoint(NamedTuple):
    """The evaluation whose parameters a run ends with, and the rule's value on dev, a fraction."""

    rule: str
    step: int
    note: str
    value: float
    is_last: bool


def dev_value(rule: str, row: Mapping[str, Any]) -> float:
    """Return the value of a rule for a row of ``metrics.jsonl``; larger is better.

    Without groups it is the overall accuracy, whatever the rule.

    >>> row = {"dev_accuracy": 0.9, "dev_groups": {"y=0 c=0": 1.0, "y=0 c=1": 0.5}}
    >>> [dev_value(rule, row) for rule in ("balanced", "worst", "accuracy")]
    [0.75, 0.5, 0.9]
    """
    groups = list(row["dev_groups"].values())
    if rule == ACCURACY or not groups:
        return row["dev_accuracy"]
    return min(groups) if rule == WORST else float(np.mean(groups))


def is_candidate(row: Mapping[str, Any]) -> bool:
    """Return whether a row of ``metrics.jsonl`` is an evaluation on dev after the first step."""
    return row["kind"] == ACCURACY_KIND and row["note"] != AT_START


class BestCheckpointTracker:
    """Keeps the parameters of the best evaluation so far on disk; the latest of equal ones.

    ``rows`` are those of ``metrics.jsonl`` up to the newest checkpoint. The parameters of what was
    best there stay as well, so that a run which was killed can be resumed from there.
    """

    def __init__(self, folder: Path, rule: str, rows: Sequence[Mapping[str, Any]]) -> None:
        self._folder, self._rule = Path(folder), rule
        self._evaluations = [row for row in rows if is_candidate(row)]
        self._best_at_checkpoint = self._best()
        path = None if self._best_at_checkpoint is None else self._path(self._best_at_checkpoint)
        if path is not None and not path.exists():
            raise UserError(
                f"{path} is missing, the best model before the checkpoint; "
                f"start over with {option('overwrite', True)}, or delete the run's folder"
            )

    def offer(self, row: Mapping[str, Any], params: Params) -> None:
        """Keep the parameters that a row evaluates if they are the best so far."""
        if not is_candidate(row):
            return
        self._evaluations.append(row)
        newest = len(self._evaluations) - 1
        if self._best() == newest:
            self._write(self._path(newest), params)
            self._remove_all_but(newest, self._best_at_checkpoint)

    def checkpoint_saved(self) -> None:
        """Remove what was best before, now that a checkpoint of the run was saved."""
        self._best_at_checkpoint = self._best()
        self._remove_all_but(self._best_at_checkpoint)

    def best(self) -> BestCheckpoint:
        """Return the best evaluation; there must have been one."""
        number = self._number_of_best()
        row = self._evaluations[number]
        value = dev_value(self._rule, row)
        is_last = number == len(self._evaluations) - 1
        return BestCheckpoint(self._rule, row["step"], row["note"], value, is_last)

    def params(self) -> Params:
        """Return the parameters of the best evaluation; there must have been one."""
        from safetensors.numpy import load_file

        arrays = load_file(self._path(self._number_of_best()))
        return jax.device_put(unflatten_dict(arrays, sep="/"), jax.local_devices()[0])

    def _best(self) -> int | None:
        values = [dev_value(self._rule, row) for row in self._evaluations]
        return max(range(len(values)), key=lambda number: (values[number], number), default=None)

    def _number_of_best(self) -> int:
        number = self._best()
        assert number is not None, "no evaluation on dev"
        return number

    def _path(self, number: int) -> Path:
        return self._folder / f"{number}.safetensors"

    def _write(self, path: Path, params: Params) -> None:
        from safetensors.numpy import save_file

        self._folder.mkdir(exist_ok=True)
        arrays = {name: np.asarray(leaf) for name, leaf in flatten_dict(params, sep="/").items()}
        with write_atomically(path) as (temporary,):
            save_file(arrays, temporary)

    def _remove_all_but(self, *numbers: int | None) -> None:
        needed = {self._path(number) for number in numbers if number is not None}
        for path in self._folder.glob("*.safetensors"):
            if path not in needed:
                path.unlink()
