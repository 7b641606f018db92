"""A finetuned classifier, loaded from a folder to classify new texts."""

import re
from collections.abc import Callable, Mapping, Sequence, Set
from pathlib import Path
from typing import Any

import jax
import numpy as np
from scipy.special import softmax

from itune.data.dataset import Dataset, tokenize_texts
from itune.errors import UserError
from itune.metrics.accuracy import make_logits
from itune.models import ModelConfig, Params, load_classifier, load_tokenizer, model_folder
from itune.training.classifier import make_classifier
from itune.training.record import find_record
from itune.utils.compiling import memoized


class Predictor:
    """A finetuned classifier that predicts the classes of texts.

    Args:
      folder: Folder of a run, or of a Hugging Face sequence classifier with its tokenizer.

    Attributes:
      labels: Names of the classes, in the order of the columns of logits and probabilities.
      max_length: Number of tokens to which inputs are truncated.

    Raises:
      UserError: The folder holds no such classifier.
    """

    def __init__(self, folder: str | Path):
        record = find_record(folder)
        folder = model_folder(folder)
        self._config, self._params, self.labels = load_classifier(folder)
        self._tokenizer = load_tokenizer(folder)
        limits = [self._tokenizer.model_max_length, self._config.max_positions]
        self.max_length = min(limits if record is None else [*limits, record.config.max_length])

    def __getstate__(self) -> dict[str, Any]:
        return vars(self) | {"_params": jax.device_get(self._params)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state | {"_params": jax.device_put(state["_params"])})

    def logits(self, texts: Sequence[Any]) -> np.ndarray:
        """Return the logits of texts.

        Args:
          texts: N strings, or N pairs of strings if the model takes two texts.

        Returns:
          The logits, an array of shape ``(N, classes)`` and dtype float32.

        Raises:
          UserError: The texts are not a sequence of strings or of pairs, or the model does not take
            pairs.
        """
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
        if data.second is not None and not self._config.takes_pairs:
            raise UserError("the model does not tell two texts apart; give it one a row")
        with jax.default_matmul_precision("highest"):
            return _logits_fn(self._config)(self._params, data)

    def predict_proba(self, texts: Sequence[Any]) -> np.ndarray:
        """Return the probabilities of the classes for each text.

        Args:
          texts: N strings, or N pairs of strings if the model takes two texts.

        Returns:
          The probabilities, an array of shape ``(N, classes)`` and dtype float64; each row sums to
          1.

        Raises:
          UserError: The texts are not a sequence of strings or of pairs, or the model does not take
            pairs.
        """
        return softmax(self.logits(texts).astype(np.float64), axis=-1)

    def predict(self, texts: Sequence[Any]) -> np.ndarray:
        """Return the most likely class of each text.

        Args:
          texts: N strings, or N pairs of strings if the model takes two texts.

        Returns:
          The names of the classes, an array of strings of shape ``(N,)``.

        Raises:
          UserError: The texts are not a sequence of strings or of pairs, or the model does not take
            pairs.
        """
        return np.array(self.labels)[self.logits(texts).argmax(axis=-1)]


@memoized
def _logits_fn(config: ModelConfig) -> Callable[[Params, Dataset], np.ndarray]:
    classifier = make_classifier(config)
    return make_logits(lambda params, z: classifier.outputs(params, z, None).logits)


def load(folder: str | Path) -> Predictor:
    """Load a finetuned classifier to predict with.

    Args:
      folder: Folder that ``itune tune`` or :func:`itune.tune` has written, or any folder of a
        Hugging Face sequence classifier with its tokenizer.

    Returns:
      The classifier.

    Raises:
      UserError: The folder holds no such classifier.
    """
    return Predictor(folder)


def as_texts(texts: Sequence[Any]) -> list[Any]:
    """Return strings, or pairs of strings, of a list, an array or a series as a list, in order.

    Anything else is a UserError, and so is a string with half a surrogate pair.
    """
    rows = as_rows(texts)
    _require_one_kind(rows)
    return rows


def as_rows(values: Any, name: str = "texts") -> list[Any]:
    """Return the items of a list, an array or a series as a list, in order.

    ``values`` with another number of axes than one, or without order or length, are a UserError
    that calls them ``name``.
    """
    if not hasattr(values, "__len__") and hasattr(values, "__array__"):
        return as_rows(list(np.asarray(values)), name)
    is_other = isinstance(values, str | bytes | Mapping | Set | type)
    if is_other or not hasattr(values, "__len__"):
        raise UserError(f"{name} is of type {type(values).__name__}; give a list of {name}")
    if (axes := getattr(values, "ndim", 1)) != 1:
        remedy = "a text, or a tuple of two," if name == "texts" else "one value"
        raise UserError(f"{name} has {axes} axes; give {remedy} in each row")
    convert = next((of for of in ("tolist", "to_pylist") if hasattr(values, of)), None)
    return getattr(values, convert)() if convert else list(values)


def _require_one_kind(texts: list[Any]) -> None:
    is_pair = len(texts) > 0 and isinstance(texts[0], tuple | list)
    wanted = "a pair of strings" if is_pair else "a string"
    for place, row in enumerate(texts, start=1):
        parts = row if is_pair and isinstance(row, tuple | list) else (row,)
        others = [type(part).__name__ for part in parts if not isinstance(part, str)]
        if others or len(parts) != 1 + is_pair:
            if parts is not row:
                kind = f"is of type {type(row).__name__}"
            else:
                kind = f"has a part of type {others[0]}" if others else f"is {len(parts)} values"
            raise UserError(f"text {place} of {len(texts)} {kind}; make it {wanted}")
        if any(re.search("[\ud800-\udfff]", part) for part in parts):
            raise UserError(
                f"text {place} of {len(texts)} holds half a surrogate pair; write the character "
                "itself"
            )
