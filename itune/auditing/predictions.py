"""What a classifier says of rows of data, and of how many of them it has to be asked."""

import functools
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from itune.data.dataset import Dataset, chunks_by_length, collate
from itune.methods.base import Classifier
from itune.utils.compiling import jit
from itune.utils.resumable import NEVER_SAVED, Resumable

CHUNK = 32


class Predictions(NamedTuple):
    """Outputs for some rows of a data set (NumPy, float32).

    Attributes:
      rows: indices into the data set, ``(n,)``.
      logits: ``(n, classes)``.
      pooled: of those rows whose pooled vectors are asked for, in order, ``(m, width)``.
    """

    rows: np.ndarray
    logits: np.ndarray
    pooled: np.ndarray


@functools.lru_cache(maxsize=4)
def _compiled(outputs: Callable) -> Callable:
    """Logits and pooled vectors; one function for one model, so that shapes compile once."""

    def both(params, examples):
        found = outputs(params, examples, None)
        return found.logits, found.pooled

    return jit(both)


def make_predict(classifier: Classifier, *, chunk: int = CHUNK) -> Callable[..., Predictions]:
    """Builds ``fun(params, dataset, rows, is_pooled=None, *, on_progress, resumable, name) ->
    Predictions``.

    ``is_pooled`` says for each of ``rows`` whether its pooled vector is wanted; None wants none.
    ``on_progress`` is called with the number of rows that are done. ``resumable`` keeps them by the
    ``name``.
    """

    compiled = _compiled(classifier.outputs)

    def fun(
        params,
        dataset: Dataset,
        rows,
        is_pooled=None,
        *,
        on_progress: Callable[[int], None] = lambda done: None,
        resumable: Resumable = NEVER_SAVED,
        name: str = "predictions",
    ):
        is_pooled = np.zeros(len(rows), bool) if is_pooled is None else is_pooled
        place = np.cumsum(is_pooled) - 1

        def step(state, chunk):
            places, is_real = chunk
            found, vectors = map(np.asarray, compiled(params, collate(dataset, rows[places])))
            if not state:
                state = {
                    "logits": np.empty((len(rows), found.shape[1]), np.float32),
                    "pooled": np.empty((int(is_pooled.sum()), vectors.shape[1]), np.float32),
                }
            state["logits"][places[is_real]] = found[is_real]
            is_wanted = is_real & is_pooled[places]
            state["pooled"][place[places[is_wanted]]] = vectors[is_wanted]
            return state

        chunks = chunks_by_length(dataset, rows, chunk)
        state = resumable.fold(
            name, {}, chunks, step, lambda done: on_progress(min(done * chunk, len(rows)))
        )
        return Predictions(rows, **state)

    return fun
