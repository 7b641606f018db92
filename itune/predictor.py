"""A finetuned classifier out of a folder, for new text."""

import re
from collections.abc import Mapping, Sequence, Set
from pathlib import Path
from typing import Any

import jax
import numpy as np
from scipy.special import softmax

from itune.data.dataset import tokenize_texts
from itune.errors import UserError
from itune.metrics.accuracy import make_logits
from itune.models import load_classifier, load_tokenizer, model_folder
from itune.training.classifier import make_classifier
from itune.training.record import find_record


class Predictor:
    """Says what class texts are of.

    Attributes:
      labels: what the classes are called, in the order of columns.
      max_length: tokens that inputs are cut to.
    """

    def __init__(self, folder: str | Path):
        """Load a folder; see :func:`load`."""
        record = find_record(folder)
        folder = model_folder(folder)
        self._config, self._params, self.labels = load_classifier(folder)
        self._tokenizer = load_tokenizer(folder)
        limits = [self._tokenizer.model_max_length, self._config.max_positions]
        self.max_length = min(limits if record is None else [*limits, record.config.max_length])
        classifier = make_classifier(self._config)
        self._logits = make_logits(lambda params, z: classifier.outputs(params, z, None).logits)

    def logits(self, texts: Sequence[Any]) -> np.ndarray:
        """Logits of N texts, or pairs of texts, ``(N, classes)``, float32."""
        texts = as_texts(texts)
        if not texts:
            return np.empty((0, len(self.labels)), np.float32)
        data = tokenize_texts(
            texts,
            self._tokenizer,
            max_length=self.max_length,
            max_positions=self._config.max_positions,
            vocab_size=self._config.vocab_size,
        )
        if data.second is not None and self._config.type_vocab_size < 2:
            raise UserError("the model does not tell two texts apart; give it one a row")
        with jax.default_matmul_precision("highest"):
            return self._logits(self._params, data)

    def predict_proba(self, texts: Sequence[Any]) -> np.ndarray:
        """Probabilities of the classes, ``(N, classes)``, float64; each row sums to 1."""
        return softmax(self.logits(texts).astype(np.float64), axis=-1)

    def predict(self, texts: Sequence[Any]) -> np.ndarray:
        """Names of the most likely classes, ``(N,)``."""
        return np.array(self.labels)[self.logits(texts).argmax(axis=-1)]


def load(folder: str | Path) -> Predictor:
    """Loads a classifier to predict with.

    Args:
      folder: what ``itune tune`` has written, or any folder of a ``BertForSequenceClassification``
        with its tokenizer.

    Raises:
      UserError: it holds no such classifier.
    """
    return Predictor(folder)


def as_texts(texts: Sequence[Any]) -> list[Any]:
    """Texts, or pairs of texts, as a list; those of a series by place, whatever its index.

    Raises:
      UserError: it is no sequence, or its items are not of one kind.
    """
    rows = as_rows(texts)
    _require_one_kind(rows)
    return rows


def as_rows(texts: Sequence[Any]) -> list[Any]:
    """The items of a list, an array or a series, by place.

    Raises:
      UserError: it is none of these.
    """
    if isinstance(texts, str | bytes | Mapping | Set) or not hasattr(texts, "__len__"):
        raise UserError(f"texts is of type {type(texts).__name__}; give a list of texts")
    if (axes := getattr(texts, "ndim", 1)) != 1:
        raise UserError(f"texts has {axes} axes; give a text, or a tuple of two, in each row")
    return texts.tolist() if hasattr(texts, "tolist") else list(texts)


def _require_one_kind(texts: list[Any]) -> None:
    is_pair = len(texts) > 0 and isinstance(texts[0], tuple | list)
    wanted = "a pair of strings" if is_pair else "a string"
    for place, row in enumerate(texts, start=1):
        parts = row if is_pair and isinstance(row, tuple | list) else (row,)
        if len(parts) != 1 + is_pair or not all(isinstance(part, str) for part in parts):
            kind = f"of type {type(row).__name__}" if len(parts) == 1 else f"{len(parts)} values"
            raise UserError(f"text {place} of {len(texts)} is {kind}; make it {wanted}")
        if any(re.search("[\ud800-\udfff]", part) for part in parts):
            raise UserError(
                f"text {place} of {len(texts)} holds half a surrogate pair; write the character "
                "itself"
            )
