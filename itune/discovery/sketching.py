"""Sketches of the unit gradients of many rows, in a file that is mapped into memory."""

import contextlib
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import numpy as np

from itune.data.dataset import Dataset, chunks_by_length, collate, collate_shared
from itune.errors import UserError
from itune.influence import LinenLoss, draw_projections, sketches
from itune.influence.types import Params
from itune.utils.compiling import jit, memoized
from itune.utils.devices import lay_out, on_all
from itune.utils.files import digest_of
from itune.utils.resumable import Resumable

FILE = "sketches.npy"
BLOCK = 8192
"""Rows that are read from the file at a time."""


@dataclass(frozen=True, eq=False)
class Sketches:
    """Sketches of the unit gradients of a data set's rows.

    Attributes:
      values: One row each, ``(N, size)``, float32, mapped from a file; inner products estimate
        gradient cosines without bias. Zeros where a gradient is exactly 0.
      sketch: Function that sketches the rows of a data set by the same projections, ``(n, size)``.
    """

    values: np.ndarray
    sketch: Callable[[Dataset], np.ndarray]

    def nearest(self, examples: Dataset, shown: int = 10) -> tuple[np.ndarray, np.ndarray]:
        """Find the rows whose gradients have the largest estimated cosines with those of examples.

        Args:
          examples: Examples with the labels that their losses are of.
          shown: Rows that are returned for each.

        Returns:
          Indices of rows and their estimates, both ``(n, shown)``, the largest first.
        """
        wanted = self.sketch(examples)
        shown = min(shown, len(self.values))
        rows = np.zeros((len(wanted), 0), np.int64)
        scores = np.zeros((len(wanted), 0), np.float32)
        for start in range(0, len(self.values), BLOCK):
            block = wanted @ np.asarray(self.values[start : start + BLOCK]).T
            places = np.broadcast_to(np.arange(start, start + block.shape[1]), block.shape)
            rows, scores = np.hstack([rows, places]), np.hstack([scores, block])
            order = np.argsort(-scores, axis=1, kind="stable")[:, :shown]
            rows, scores = (np.take_along_axis(part, order, axis=1) for part in (rows, scores))
        return rows, scores


def sketch_rows(
    loss: LinenLoss,
    params: Params,
    dataset: Dataset,
    *,
    size: int,
    seed: int = 0,
    chunk: int = 16,
    folder: Path | None = None,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> Sketches:
    """Sketch the unit gradients of all rows of a data set, in one pass.

    Args:
      loss: Label loss of one example and its module, without dropout.
      params: Parameters of the model.
      dataset: The rows.
      size: Numbers of a sketch, at least one for each tensor of the parameters.
      seed: Seed of the projections; a non-negative integer.
      chunk: Number of examples computed at once on each device.
      folder: Folder of these sketches alone, in which an interrupted pass goes on, and which later
        calls read; None uses a temporary file.
      on_progress: Called with the number of rows done and the number in all.

    Raises:
      UserError: The folder holds something else or cannot be written, or ``size`` is too small.
    """
    about = {
        "params": digest_of(params),
        "data": digest_of([*dataset.input_ids, dataset.label]),
        "size": size,
        "seed": seed,
    }
    params, chunk = lay_out(params), on_all(chunk)
    chunks = chunks_by_length(dataset, np.arange(len(dataset)), chunk)
    places = [chunks[place][0] for place in (0, len(chunks) // 2, -1)]
    pilot = collate(dataset, np.concatenate(places))
    try:
        projections = draw_projections(loss, params, pilot, size=size, seed=seed)
    except ValueError as error:
        raise UserError(str(error)) from None
    run = _compiled(loss)
    width = jax.eval_shape(run, params, pilot, projections).shape[1]
    with Resumable(folder, about, seconds=0.0) as resumable:
        values = _mapped(folder, (len(dataset), width), resumable)

        def step(state: dict[str, Any], item: tuple[np.ndarray, np.ndarray]) -> dict[str, Any]:
            places, is_real = item
            rows = np.asarray(run(params, collate_shared(dataset, places), projections))
            values[places[is_real]] = rows[is_real]
            return state

        def report(done: int) -> None:
            on_progress(min(done * chunk, len(dataset)), len(dataset))

        resumable.fold("done", {}, chunks, step, report)

    def sketch(examples: Dataset) -> np.ndarray:
        found = np.empty((len(examples), width), np.float32)
        for places, is_real in chunks_by_length(examples, np.arange(len(examples)), chunk):
            rows = np.asarray(run(params, collate_shared(examples, places), projections))
            found[places[is_real]] = rows[is_real]
        return found

    return Sketches(values, sketch)


@memoized
def _compiled(loss: LinenLoss) -> Callable[..., jax.Array]:
    return jit(sketches(loss))


def _mapped(folder: Path | None, shape: tuple[int, int], resumable: Resumable) -> np.ndarray:
    """Map a file into memory, that of the folder if it has one of this shape."""
    if folder is None:
        with tempfile.TemporaryFile() as file:
            return np.memmap(file, np.float32, "w+", shape=shape)
    path = folder / FILE
    try:
        if path.exists():
            with contextlib.suppress(ValueError):
                found = np.lib.format.open_memmap(path, "r+")
                if found.shape == shape and found.dtype == np.float32:
                    return found
        resumable.forget()
        folder.mkdir(parents=True, exist_ok=True)
        return np.lib.format.open_memmap(path, "w+", np.float32, shape)
    except OSError as error:
        raise UserError(f"cannot write {path} ({error.strerror}); choose another folder") from None
