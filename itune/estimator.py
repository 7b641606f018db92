"""A classifier with the interface of scikit-learn's, which need not be installed."""

import dataclasses
import importlib
import inspect
import tempfile
from collections.abc import Mapping, Sequence, Sized
from pathlib import Path
from typing import Any

import numpy as np

from itune.config.mappings import from_dict
from itune.errors import UserError, as_folder
from itune.predictor import Predictor, as_rows, load
from itune.tables.config import TableConfig
from itune.tables.table import make_tables
from itune.tuning.tune import tune_on
from itune.utils.suggestions import nearest


class TextClassifier:
    """A text classifier that leans less on a confound: ``fit``, ``predict``, ``score``.

    As scikit-learn requires of estimators, the constructor only stores its arguments, and
    :meth:`fit` checks them.

    Attributes:
      classes_: The classes in order, an array of shape ``(classes,)`` with labels of the type that
        was given to :meth:`fit`.
      tuned_: The :class:`~itune.results.RunResult` of training; its accuracies are those on the
        splits train and dev.
      predictor_: The trained model, a :class:`~itune.predictor.Predictor`.
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
        """Store the arguments.

        Args:
          method: Key of :data:`~itune.methods.METHODS`, but not ``no_spurious``.
          encoder: Encoder to start from: a name on the Hugging Face hub, a local folder, or
            ``all-MiniLM-L6-v2``.
          rule: Rule that makes the confound of a text if :meth:`fit` is given no confounds, such as
            ``words:nice,great``; ``rule`` of :class:`~itune.tables.TableConfig` lists the forms.
          dev_fraction: Fraction of the rows, from 0 to below 1, that is set aside to select the
            best checkpoint by.
          seed: Seed of everything random in training; an integer from 0 to 2**32 - 1.
          settings: Fields of :class:`~itune.training.TrainingConfig` by dotted name, such as
            ``{"label.epochs": 3}``. Fields that are left out are scaled to the size of the data.
          out: Folder of the run, which must be absent or empty; None for a temporary folder.
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
        """Train the classifier.

        Args:
          texts: N strings, or N pairs of strings.
          labels: N labels, strings or numbers of one type.
          confounds: N confounds, strings or numbers, with None for each row that is not annotated.
            If the argument itself is None, the rule makes the confounds.

        Returns:
          The classifier itself.

        Raises:
          UserError: An argument here or of the constructor has a bad value, or the rows cannot be
            trained on.
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
        """Return the probabilities of the classes for each text.

        Args:
          texts: N strings, or N pairs of strings if the classifier was trained on pairs.

        Returns:
          The probabilities in the order of ``classes_``, an array of shape ``(N, classes)`` and
          dtype float64; each row sums to 1.

        Raises:
          UserError: The classifier is not fitted, or the texts are not strings or pairs.
        """
        return self._fitted().predict_proba(texts)

    def predict(self, texts: Sequence[Any]) -> np.ndarray:
        """Return the most likely label of each text.

        Args:
          texts: N strings, or N pairs of strings if the classifier was trained on pairs.

        Returns:
          The labels, an array of shape ``(N,)`` with values of ``classes_``.

        Raises:
          UserError: The classifier is not fitted, or the texts are not strings or pairs.
        """
        logits = self._fitted().logits(texts)
        return self.classes_[logits.argmax(axis=-1)]

    def score(self, texts: Sequence[Any], labels: Sequence[Any]) -> float:
        """Return the accuracy on some texts.

        Args:
          texts: N strings, or N pairs of strings if the classifier was trained on pairs.
          labels: N correct labels, each one of ``classes_``.

        Returns:
          The accuracy, from 0 to 1.

        Raises:
          UserError: The classifier is not fitted, there are no texts, the numbers of texts and
            labels differ, or a label is none of the classes.
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
        """Return the arguments of the constructor by name.

        Args:
          deep: Accepted because scikit-learn passes it; it changes nothing.
        """
        del deep
        return {name: getattr(self, name) for name in self._names()}

    def set_params(self, **params: Any) -> "TextClassifier":
        """Change arguments of the constructor.

        Args:
          params: New values by name of the argument.

        Returns:
          The classifier itself.

        Raises:
          UserError: The constructor has no argument of that name.
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
        """Return the call that makes the classifier, without arguments that have their default."""
        defaults = inspect.signature(type(self)).parameters
        given = (
            f"{name}={value!r}"
            for name, value in self.get_params().items()
            if value != defaults[name].default
        )
        return f"{type(self).__name__}({', '.join(given)})"

    def __sklearn_tags__(self) -> Any:
        """Return the tags that scikit-learn reads before it cross-validates."""
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

    def _fitted(self) -> Predictor:
        if not hasattr(self, "predictor_"):
            raise UserError("this TextClassifier is not fitted; call fit before it predicts")
        return self.predictor_


def _number(labels: Sequence[Any]) -> tuple[np.ndarray, np.ndarray]:
    """Return the classes in order, and the position of each label among them."""
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
    """Return the columns of a table of texts."""
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
