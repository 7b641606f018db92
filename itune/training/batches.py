"""From a plan to what step functions get: pieces of work, with their examples on the devices."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from itune.data.dataset import Dataset, collate_shared
from itune.methods.base import Batch, Work
from itune.utils.devices import device_count


def next_work(plan: Sequence[Work], start: int) -> tuple[Work, int]:
    """Return the next piece of a plan, and how many pieces of the plan it is.

    On several devices pieces of one kind that follow one another are done at once, as many as there
    are devices, if nothing is drawn for a piece as a whole.
    """
    pieces = [plan[start]]
    for piece in plan[start + 1 : start + device_count()]:
        if not _can_join(pieces[0], piece):
            break
        pieces.append(piece)
    return (_joined(pieces) if len(pieces) > 1 else pieces[0]), len(pieces)


def batch_of(work: Work, data: Dataset) -> Batch:
    """Return what the step function of a piece of work gets: its arrays, and padded examples."""
    work = _filled_up(work, device_count())
    batch: Batch = dict(work.arrays)
    if work.examples is not None:
        batch["examples"] = collate_shared(data, np.asarray(work.examples), axis=work.axis)
    return batch


def _can_join(first: Work, other: Work) -> bool:
    if first.examples is None or other.examples is None or first.axis:
        return False
    is_alike = first.kind == other.kind and first.examples.shape == other.examples.shape
    return is_alike and set(_of_examples(first)) == set(first.arrays) == set(other.arrays)


def _joined(pieces: Sequence[Work]) -> Work:
    arrays = {
        name: np.concatenate([piece.arrays[name] for piece in pieces]) for name in pieces[0].arrays
    }
    examples = np.concatenate([piece.examples for piece in pieces if piece.examples is not None])
    return pieces[0]._replace(arrays=arrays, examples=examples)


def _filled_up(work: Work, count: int) -> Work:
    """Fill up the examples of a piece of work to a multiple of a number, by none that is real."""
    if work.examples is None or "is_real" not in work.arrays:
        return work
    axis = work.axis
    missing = -work.examples.shape[axis] % count
    if not missing:
        return work

    def filled(array: Any, mode: Literal["edge", "constant"]) -> np.ndarray:
        ends = [(0, missing if at == axis else 0) for at in range(array.ndim)]
        return np.pad(array, ends, mode)

    arrays = {
        name: filled(array, "constant") if name in _of_examples(work) else array
        for name, array in work.arrays.items()
    }
    return work._replace(arrays=arrays, examples=filled(work.examples, "edge"))


def _of_examples(work: Work) -> list[str]:
    """Return the names of the arrays with an entry, or a row, for each of the examples."""
    assert work.examples is not None
    lead = work.examples.shape[: work.axis + 1]
    return [name for name, array in work.arrays.items() if np.shape(array)[: len(lead)] == lead]
