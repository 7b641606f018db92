"""What a classifier says of rows of data, and of how many of them it has to be asked."""

import functools
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from itune.compiling import jit
from itune.data.dataset import Dataset, chunks_by_length, collate
from itune.methods.method import Classifier

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
    """Builds ``fun(params, dataset, rows, is_pooled=None, notify=...) -> Predictions``.

    ``is_pooled`` says for each of ``rows`` whether its pooled vector is kept; None keeps none.
    ``notify`` is called with the number of rows done by each chunk.
    """

    compiled = _compiled(classifier.outputs)

    def fun(params, dataset: Dataset, rows, is_pooled=None, notify=lambda done: None):
        is_pooled = np.zeros(len(rows), bool) if is_pooled is None else is_pooled
        place = np.cumsum(is_pooled) - 1
        logits, pooled = None, np.empty((int(is_pooled.sum()), classifier.width), np.float32)
        for places, is_real in chunks_by_length(dataset, rows, chunk):
            found, vectors = map(np.asarray, compiled(params, collate(dataset, rows[places])))
            if logits is None:
                logits = np.empty((len(rows), found.shape[1]), np.float32)
            logits[places[is_real]] = found[is_real]
            is_kept = is_real & is_pooled[places]
            pooled[place[places[is_kept]]] = vectors[is_kept]
            notify(int(is_real.sum()))
        return Predictions(rows, logits, pooled)

    return fun
