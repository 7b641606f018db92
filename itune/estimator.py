"""A classifier in the shape of scikit-learn's, which is not needed for it."""

import dataclasses
import importlib
import inspect
import tempfile
from collections.abc import Mapping, Sequence, Sized
from pathlib import Path
from typing import Any

import numpy as np

from itune.config import from_dict
from itune.errors import UserError, as_folder
from itune.predictor import as_rows, load
from itune.tables.table import TableConfig, make_tables
from itune.tuning import tune_on
from itune.utils.suggestions import nearest


class TextClassifier:
    """A text classifier that leans less on a confound: ``fit``, ``predict``, ``score``.

    As scikit-learn asks of estimators, arguments are only kept here, and looked at by :meth:`fit`.

    Attributes:
      classes_: the labels in order, of the type that they were given as, ``(classes,)``.
      tuned_: what training came to, a :class:`~itune.results.RunResult`, on rows to train and
        select by.
      predictor_: the model, a :class:`~itune.predictor.Predictor`.
    """

    _estimator_type = "classifier"

    def __init__(
        self,
        method: str = "influence_tuning",
        *,
        encoder: str = "all-MiniLM-L6-v2",
        rule: str | None = None,
        dev_fraction: float = 0.1,
        seed: int = 0,
        settings: Mapping[str, Any] | None = None,
        out: str | Path | None = None,
    ):
        """Keeps its arguments.

        Args:
          method: a key of :data:`~itune.methods.METHODS`.
          encoder: as of :class:`~itune.training.settings.TrainingConfig`.
          rule: makes confounds of texts, where :meth:`fit` is given none; as of
            :class:`~itune.tables.table.TableConfig`.
          dev_fraction: of the rows, by which the best moment of training is selected.
          seed: of everything random.
          settings: of training by dotted name; the others suit the data.
          out: the folder that training writes; a temporary one if None.
        """
        self.method = method
        self.encoder = encoder
        self.rule = rule
        self.dev_fraction = dev_fraction
        self.seed = seed
        self.settings = settings
        self.out = out

    def fit(
        self, texts: Sequence[Any], labels: Sequence[Any], confounds: Sequence[Any] | None = None
    ) -> "TextClassifier":
        """Trains, and returns itself.

        Args:
          texts: N texts, or pairs of texts.
          labels: N strings or numbers.
          confounds: N strings or numbers, None where not annotated; all None to have the rule make
            them.

        Raises:
          UserError: bad input of any kind.
        """
        classes, codes = _number(labels)
        columns = _columns(texts, codes, confounds)
        if confounds is None and self.rule is None:
            raise UserError("there are no confounds; give them to fit, or set rule to make them")
        settings = self._settings()
        read = {
            "text_pair": "text_pair" if "text_pair" in columns else None,
            "confound": None if confounds is None else "confound",
            "rule": self.rule if confounds is None else None,
            "dev_fraction": self.dev_fraction,
            "test_fraction": 0.0,
        }
        config = from_dict(TableConfig, read)
        tables = make_tables(columns, config)
        tables = dataclasses.replace(tables, test=tables.dev, label_names=tuple(map(str, classes)))
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch) / "tuned" if self.out is None else as_folder(self.out, "out")
            tuned = tune_on(tables, folder, method=self.method, seed=self.seed, settings=settings)
            self.predictor_ = load(folder)
        seen = {split: tuned.accuracies[split] for split in ("train", "dev")}
        self.tuned_ = dataclasses.replace(tuned, accuracies=seen)  # rows to test by are for score
        self.classes_ = classes
        return self

    def predict_proba(self, texts: Sequence[Any]) -> np.ndarray:
        """Probabilities of the classes, in the order of ``classes_``, ``(N, classes)``."""
        return self._fitted().predict_proba(texts)

    def predict(self, texts: Sequence[Any]) -> np.ndarray:
        """The most likely label of each text, ``(N,)``."""
        logits = self._fitted().logits(texts)
        return self.classes_[logits.argmax(axis=-1)]

    def score(self, texts: Sequence[Any], labels: Sequence[Any]) -> float:
        """Accuracy on N texts.

        Raises:
          UserError: it is not fitted, N is 0, there are other than N labels, or one that it does
            not know.
        """
        self._fitted()
        expected = _array(labels)
        _require_equal(as_rows(texts), expected, "labels")
        if not len(expected):
            raise UserError("there are no texts, and so no accuracy; give one or more")
        classes = set(self.classes_.tolist())
        for label in expected.tolist():
            if label not in classes:
                known = ", ".join(map(str, self.classes_))
                raise UserError(f"label {label!s} is none of the classes, which are {known}")
        return float(np.mean(self.predict(texts) == expected))

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The arguments by name; ``deep`` is scikit-learn's, and changes nothing."""
        del deep
        return {name: getattr(self, name) for name in self._names()}

    def set_params(self, **params: Any) -> "TextClassifier":
        """Changes arguments, and returns itself.

        Raises:
          UserError: there is no argument of that name.
        """
        names = self._names()
        for name in params:
            if name not in names:
                near = nearest(name, names)
                remedy = f"did you mean {near}?" if near else f"use one of {', '.join(names)}"
                raise UserError(f"{name} is not an argument of TextClassifier; {remedy}")
        for name, value in params.items():
            setattr(self, name, value)
        return self

    def __repr__(self) -> str:
        """The call that makes it, without defaults."""
        defaults = inspect.signature(type(self)).parameters
        given = (
            f"{name}={value!r}"
            for name, value in self.get_params().items()
            if value != defaults[name].default
        )
        return f"{type(self).__name__}({', '.join(given)})"

    def __sklearn_tags__(self) -> Any:
        """What scikit-learn asks before it cross-validates."""
        utils: Any = importlib.import_module("sklearn.utils")
        return utils.Tags(
            estimator_type="classifier",
            target_tags=utils.TargetTags(required=True),
            classifier_tags=utils.ClassifierTags(),
            input_tags=utils.InputTags(string=True, two_d_array=False),
        )

    def _settings(self) -> dict[str, Any]:
        given = self.settings or {}
        if not isinstance(given, Mapping):
            raise UserError(
                f"settings is of type {type(given).__name__}; make it a dict, such as "
                '{"label.epochs": 3}'
            )
        return {"encoder": str(self.encoder)} | dict(given)

    @classmethod
    def _names(cls) -> list[str]:
        return list(inspect.signature(cls).parameters)

    def _fitted(self):
        if not hasattr(self, "predictor_"):
            raise UserError("this TextClassifier is not fitted; call fit before it predicts")
        return self.predictor_


def _number(labels: Sequence[Any]) -> tuple[np.ndarray, np.ndarray]:
    """The classes in order, and the place of each label among them."""
    values = _array(labels)
    for row, label in enumerate(values):
        if label is None or label != label:
            raise UserError(f"label {row + 1} of {len(values)} is missing; leave that row out")
    try:
        classes, codes = np.unique(values, return_inverse=True)
    except TypeError:
        kinds = sorted({type(value).__name__ for value in values})
        raise UserError(f"labels are of types {' and '.join(kinds)}; make them one type") from None
    if len(set(map(str, classes))) < len(classes):
        raise UserError("two labels are written alike; call them by different names")
    return classes, codes


def _array(values: Sequence[Any]) -> np.ndarray:
    if isinstance(values, str) or not hasattr(values, "__len__"):
        raise UserError(f"labels is of type {type(values).__name__}; give a list of labels")
    values = values if isinstance(values, np.ndarray) else list(values)
    kinds = {type(value) for value in values}
    array = np.asarray(values, None if len(kinds) == 1 and None not in kinds else object)
    if array.ndim != 1:
        raise UserError(f"labels has {array.ndim} axes; give one label a row")
    return array


def _columns(
    texts: Sequence[Any], codes: np.ndarray, confounds: Sequence[Any] | None
) -> dict[str, Any]:
    """The columns of a table of some texts."""
    texts = as_rows(texts)
    _require_equal(texts, codes, "labels")
    columns: dict[str, Any] = {"text": texts, "label": codes}
    if texts and isinstance(texts[0], tuple | list):
        if any(not isinstance(pair, tuple | list) or len(pair) != 2 for pair in texts):
            raise UserError("texts are pairs, but not all of them; give two strings in every row")
        columns |= {"text": [a for a, _ in texts], "text_pair": [b for _, b in texts]}
    if confounds is not None:
        _require_equal(texts, confounds, "confounds")
        columns["confound"] = confounds
    return columns


def _require_equal(texts: Sized, values: Sized, name: str) -> None:
    if len(texts) != len(values):
        raise UserError(f"there are {len(texts)} texts, but {len(values)} {name}; give one each")
