"""Selection: which of the moments of a run that are measured on dev gives its model."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np
from flax.traverse_util import flatten_dict, unflatten_dict

from itune.errors import UserError
from itune.methods.plans import AT_START
from itune.utils.files import write_atomically

LAST, BALANCED, WORST, ACCURACY = "last", "balanced", "worst", "accuracy"
SELECTIONS = (LAST, BALANCED, WORST, ACCURACY)


class Selected(NamedTuple):
    """The moment that was selected.

    Attributes:
      rule: by which.
      step: label steps finished before it.
      note: what a person calls it.
      value: what the rule found there, on dev; a fraction.
      is_last: no later moment was measured on dev.
    """

    rule: str
    step: int
    note: str
    value: float
    is_last: bool


def dev_value(rule: str, row: Mapping[str, Any]) -> float:
    """What a rule makes of a row of dev accuracies: larger is better.

    ``balanced`` is the mean over groups, ``worst`` the least of them; both are the accuracy overall
    where no row of dev is annotated.

    >>> row = {"dev_accuracy": 0.9, "dev_groups": {"y=0 c=0": 1.0, "y=0 c=1": 0.5}}
    >>> [dev_value(rule, row) for rule in ("balanced", "worst", "accuracy")]
    [0.75, 0.5, 0.9]
    """
    groups = list(row["dev_groups"].values())
    if rule == ACCURACY or not groups:
        return row["dev_accuracy"]
    return min(groups) if rule == WORST else float(np.mean(groups))


def is_candidate(row: Mapping[str, Any]) -> bool:
    """Whether a row of ``metrics.jsonl`` is of a moment that may be selected."""
    return row["kind"] == "accuracy" and row["note"] != AT_START


class Selection:
    """Keeps the parameters of the best moment so far on disk; of equal ones the latest.

    The best as of the newest checkpoint stays, too, so that a run which was killed and goes on from
    there finds what it had.
    """

    def __init__(self, folder: Path, rule: str, rows: Sequence[Mapping[str, Any]]):
        """Goes on with ``rows`` of the record of the run, perhaps none.

        Raises:
          UserError: the parameters of the best of them are not there.
        """
        self._folder, self._rule = Path(folder), rule
        self._moments = [row for row in rows if is_candidate(row)]
        self._settled = self._best()
        if self._settled is not None and not self._path(self._settled).exists():
            raise UserError(
                f"{self._path(self._settled)} is missing, the best model before the checkpoint; "
                "start over with --overwrite"
            )

    def offer(self, row: Mapping[str, Any], params: Any) -> None:
        """Takes the next row of the record, and the parameters that it is of."""
        if not is_candidate(row):
            return
        self._moments.append(row)
        if (best := self._best()) == len(self._moments) - 1:
            self._write(self._path(best), params)
            self._remove_all_but(best, self._settled)

    def settle(self) -> None:
        """Says that a checkpoint was made: what was best before it may go."""
        self._settled = self._best()
        self._remove_all_but(self._settled)

    def selected(self) -> Selected:
        """The best moment."""
        place = self._best()
        row = self._moments[place]
        value = dev_value(self._rule, row)
        is_last = place == len(self._moments) - 1
        return Selected(self._rule, row["step"], row["note"], value, is_last)

    def params(self) -> Any:
        """The parameters of the best moment."""
        from safetensors.numpy import load_file

        found = load_file(self._path(self._best()))
        return jax.device_put(unflatten_dict(found, sep="/"), jax.devices()[0])

    def _best(self) -> int | None:
        values = [dev_value(self._rule, row) for row in self._moments]
        return max(range(len(values)), key=lambda place: (values[place], place), default=None)

    def _path(self, moment: int) -> Path:
        return self._folder / f"{moment}.safetensors"

    def _write(self, path: Path, params: Any) -> None:
        from safetensors.numpy import save_file

        self._folder.mkdir(exist_ok=True)
        with write_atomically(path) as (temporary,):
            save_file(flatten_dict(jax.tree.map(np.asarray, params), sep="/"), temporary)

    def _remove_all_but(self, *moments: int | None) -> None:
        kept = {self._path(moment) for moment in moments if moment is not None}
        for path in self._folder.glob("*.safetensors"):
            if path not in kept:
                path.unlink()
