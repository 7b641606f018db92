"""Orders of candidates that know nothing of influence: association, and gradient × input."""

import math
from collections.abc import Callable, Sequence
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from itune.data import Dataset, chunks_by_length, collate
from itune.discovery import (
    Candidates,
    Feature,
    Rows,
    associate,
    find_candidates,
    merge,
    with_pairs,
)
from itune.models import load_tokenizer, model_folder
from itune.training import LoadedModel
from planting import Row


def rows_of(rows: Sequence[Row]) -> Rows:
    """Return rows as candidates are found in them, with their column ``source``."""
    names = tuple(sorted({row.source for row in rows}))
    codes = np.array([names.index(row.source) for row in rows])
    return Rows({"text": [row.text for row in rows]}, {"source": (codes, names)})


def taken(candidates: Candidates, place: int) -> tuple[Feature, np.ndarray]:
    """Return a candidate and which rows have it, booleans ``(N,)``."""
    has = np.zeros(candidates.rows.shape[1], bool)
    has[candidates.having(place)] = True
    return candidates.features[place], has


def rank_otherwise(
    rows: Sequence[Row],
    label: np.ndarray,
    model: LoadedModel,
    folder: Path,
    *,
    minimum: int,
    max_length: int,
    count: int,
) -> tuple[Candidates, dict[str, list[tuple[Feature, np.ndarray]]]]:
    """Return all single candidates, and the first ``count`` by each order that is not discover's.

    Args:
      rows: Training rows.
      label: Their labels, integers ``(N,)``.
      model: The classifier.
      folder: Where it is.
      minimum: Rows that a candidate has, and lacks, at least.
      max_length: Number of tokens that texts are truncated to.
      count: Number of candidates of each order.
    """
    singles = find_candidates(rows_of(rows), minimum)
    saliency = Saliency(rows, label, model, folder, max_length)
    scores: dict[str, Callable[[Candidates], np.ndarray]] = {
        "z": lambda candidates: associate(candidates.rows, label).z,
        # Of equal ones, those of more rows.
        "PMI": lambda candidates: (
            associate(candidates.rows, label).pmi + 1e-9 * candidates.rows.getnnz(axis=1)
        ),
        "gradient × input": saliency.scores,
    }
    first = {}
    for name, score in scores.items():
        every, values = with_pairs(singles, score, minimum=minimum)
        order = np.argsort(-values, kind="stable")
        places = merge(every, order[np.isfinite(values[order])], count).places
        first[name] = [taken(every, place) for place in places.tolist()]
    return singles, first


class Saliency:
    """Gradient × input of the predicted logit, for every token of the training rows."""

    def __init__(
        self,
        rows: Sequence[Row],
        label: np.ndarray,
        model: LoadedModel,
        folder: Path,
        max_length: int,
    ):
        self._texts = [row.text for row in rows]
        tokens = load_tokenizer(model_folder(folder))(
            self._texts,
            return_offsets_mapping=True,
            truncation=True,
            max_length=max_length,
        )
        self._offsets = [np.array(offsets) for offsets in tokens["offset_mapping"]]
        data = Dataset([np.array(ids) for ids in tokens["input_ids"]], label, np.zeros_like(label))
        self._shares = _shares(model, data)

    def scores(self, candidates: Candidates) -> np.ndarray:
        """Return the mean share of each candidate's tokens times the number of tokens.

        It is minus infinity for candidates that are in no place of a text.
        """
        return np.array(
            [
                self._score(feature, candidates.having(place))
                for place, feature in enumerate(candidates.features)
            ]
        )

    def _score(self, feature: Feature, having: np.ndarray) -> float:
        values = []
        for row in having.tolist():
            offsets, inside = self._offsets[row], np.zeros(len(self._offsets[row]), bool)
            for begin, end in feature.spans(self._texts[row]):
                inside |= (offsets[:, 0] < end) & (offsets[:, 1] > begin)
            if inside.any():
                values.append(self._shares[row][inside].mean() * len(inside))
        return float(np.mean(values)) if values else -math.inf


def _shares(model: LoadedModel, data: Dataset) -> list[np.ndarray]:
    """Return each token's share of |gradient × input| of its row."""
    table = model.params["embeddings"]["word"]["embedding"]

    @jax.jit
    def products(examples: dict[str, jax.Array]) -> jax.Array:
        ids = examples["input_ids"]
        vectors = table[ids.ravel()]
        places = {**examples, "input_ids": jnp.arange(ids.size).reshape(ids.shape)}

        def logits(vectors: jax.Array) -> jax.Array:
            # The first rows of the table are the vectors of the tokens, each in a row of its own.
            own = table.at[: ids.size].set(vectors)
            embeddings = {**model.params["embeddings"], "word": {"embedding": own}}
            params = {**model.params, "embeddings": embeddings}
            return model.classifier.outputs(params, places, None).logits.max(axis=-1).sum()

        return jnp.abs(jnp.sum(jax.grad(logits)(vectors) * vectors, axis=-1)).reshape(ids.shape)

    shares: list[np.ndarray] = [np.empty(0)] * len(data)
    for places, is_real in chunks_by_length(data, np.arange(len(data)), 16):
        values = np.asarray(products(collate(data, places)))
        for place, row in zip(places[is_real].tolist(), values[is_real], strict=True):
            row = row[: len(data.input_ids[place])]
            shares[place] = row / max(row.sum(), 1e-30)
    return shares
