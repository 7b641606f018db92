"""Predictions of a classifier, chunk by chunk: logits and pooled vectors."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import numpy as np

from itune.data.dataset import Dataset, chunks_by_length, collate_shared
from itune.methods.base import Classifier, Params
from itune.utils.compiling import jit, memoized
from itune.utils.devices import lay_out, on_all
from itune.utils.resumable import NEVER_SAVED, Resumable

CHUNK = 32


class Predictions(NamedTuple):
    """Outputs of a classifier for some rows of a data set.

    Attributes:
      logits: Logits of each row, ``(n, classes)``, float32.
      pooled: Pooled vectors of the rows for which they were requested, in the order of the rows,
        ``(m, width)``, float32.
    """

    logits: np.ndarray
    pooled: np.ndarray


def predict(
    classifier: Classifier,
    params: Params,
    dataset: Dataset,
    rows: np.ndarray,
    is_pooled: np.ndarray | None = None,
    *,
    chunk: int = CHUNK,
    on_progress: Callable[[int], None] = lambda done: None,
    resumable: Resumable = NEVER_SAVED,
    name: str = "predictions",
) -> Predictions:
    """Compute the outputs of a classifier for some rows of a data set, without dropout.

    Pooled vectors are those of the rows with ``is_pooled``, or none; ``name`` is that of this call
    in ``resumable``, which no other call has.
    """
    wanted = np.zeros(len(rows), bool) if is_pooled is None else is_pooled
    place = np.cumsum(wanted) - 1
    outputs = _compiled(classifier.outputs)
    params, chunk = lay_out(params), on_all(chunk)

    def step(state: dict[str, np.ndarray], item: tuple[np.ndarray, np.ndarray]):
        places, is_real = item
        logits, pooled = map(np.asarray, outputs(params, collate_shared(dataset, rows[places])))
        if not state:
            state = {
                "logits": np.empty((len(rows), logits.shape[1]), np.float32),
                "pooled": np.empty((int(wanted.sum()), pooled.shape[1]), np.float32),
            }
        state["logits"][places[is_real]] = logits[is_real]
        is_kept = is_real & wanted[places]
        state["pooled"][place[places[is_kept]]] = pooled[is_kept]
        return state

    chunks = chunks_by_length(dataset, rows, chunk)
    state = resumable.fold(
        name, {}, chunks, step, lambda done: on_progress(min(done * chunk, len(rows)))
    )
    return Predictions(**state)


@memoized
def _compiled(outputs: Callable) -> Callable[..., tuple[jax.Array, jax.Array]]:
    """Jitted logits and pooled vectors; one function a model, so that shapes compile once."""

    def both(params: Params, examples: dict[str, jax.Array]) -> tuple[jax.Array, jax.Array]:
        result = outputs(params, examples, None)
        return result.logits, result.pooled

    return jit(both)
