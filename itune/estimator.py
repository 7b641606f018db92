"""A classifier of texts that is an estimator of scikit-learn's."""

import contextlib
import dataclasses
import itertools
import os
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import DataConversionWarning, NotFittedError
from sklearn.utils.multiclass import type_of_target

from itune.config.mappings import from_dict
from itune.errors import UserError, as_folder
from itune.predictor import Predictor, as_rows, as_texts, load
from itune.tables.cells import value_text
from itune.tables.config import TableConfig
from itune.tables.table import make_tables
from itune.tables.values import MISSING
from itune.training.run_folder import LOCK
from itune.tuning.tune import tune_on
from itune.utils.suggestions import hint


class Unfitted(UserError, NotFittedError):
    """Raised by what a classifier can do only once it is fitted."""


class TextClassifier(ClassifierMixin, BaseEstimator):
    """A text classifier that leans less on a confound: ``fit``, ``predict``, ``score``.

    As scikit-learn requires of estimators, the constructor only stores its arguments, and
    :meth:`fit` checks them. A fitted classifier can be pickled and copied, and takes part in
    cross-validation and searches. With metadata routing, ``set_fit_request(confounds=True)``
    and ``set_score_request(sample_weight=True)`` split confounds and weights as the texts are.

    Attributes:
      classes_: The classes in order, an array of shape ``(classes,)`` with labels of the type that
        was given to :meth:`fit`.
      tuned_: The :class:`~itune.results.RunResult` of training; its accuracies are those on the
        splits train and dev, and its ``folder`` is None if the run's folder was a temporary one.
      predictor_: The trained model, a :class:`~itune.predictor.Predictor`.
    """

    def __init__(
        self,
        method: str = "influence_tuning",
        *,
        encoder: str = "all-MiniLM-L6-v2",
        rule: str | None = None,
        bins: str | None = None,
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
          bins: Edges at which confounds that are numbers are cut into a few, such as ``18,35,65``;
            None takes each number for a confound of its own.
          dev_fraction: Fraction of the rows, from 0 to below 1, that is set aside to select the
            best checkpoint by.
          seed: Seed of everything random in training; an integer from 0 to 2**32 - 1.
          settings: Fields of :class:`~itune.training.TrainingConfig` by dotted name, such as
            ``{"label.epochs": 3}``. Fields that are left out are scaled to the size of the data.
          out: Folder of the run; None for a temporary folder. If it holds a run already, as when
            :meth:`fit` is called again or on folds, the run gets the first free one of ``OUT-2``,
            ``OUT-3`` …; ``tuned_.folder`` names it.
        """
        self.method = method
        self.encoder = encoder
        self.rule = rule
        self.bins = bins
        self.dev_fraction = dev_fraction
        self.seed = seed
        self.settings = settings
        self.out = out

    def fit(
        self, X: Sequence[Any], y: Sequence[Any], confounds: Sequence[Any] | None = None
    ) -> "TextClassifier":
        """Train the classifier.

        Args:
          X: N strings, or N pairs of strings.
          y: N labels, strings or whole numbers of one type.
          confounds: N confounds, strings or numbers, with None for each row that is not annotated.
            If the argument itself is None, the rule makes the confounds.

        Returns:
          The classifier itself.

        Raises:
          UserError: An argument here or of the constructor has a bad value, or the rows cannot be
            trained on.
        """
        classes, codes = _number(y)
        columns = _columns(X, codes, confounds)
        if confounds is None and self.rule is None:
            raise UserError("there are no confounds; give them to fit, or set rule to make them")
        settings = self._settings()
        read = {
            "text_pair": "text_pair" if "text_pair" in columns else None,
            "confound": None if confounds is None else "confound",
            "rule": self.rule if confounds is None else None,
            "bins": None if confounds is None else self.bins,
            "dev_fraction": self.dev_fraction,
            "test_fraction": 0.0,
        }
        config = from_dict(TableConfig, read)
        tables = make_tables(columns, config)
        tables = dataclasses.replace(tables, test=tables.dev, label_names=tuple(map(str, classes)))
        with _run_folder(self.out) as folder:
            tuned = tune_on(tables, folder, method=self.method, seed=self.seed, settings=settings)
            self.predictor_ = load(folder)
        self.tuned_ = dataclasses.replace(
            tuned,
            folder=None if self.out is None else folder,
            # Rows to test by are for score.
            accuracies={split: tuned.accuracies[split] for split in ("train", "dev")},
        )
        self.classes_ = classes
        return self

    def predict_proba(self, X: Sequence[Any]) -> np.ndarray:
        """Return the probabilities of the classes for each text.

        Args:
          X: N strings, or N pairs of strings if the classifier was trained on pairs.

        Returns:
          The probabilities in the order of ``classes_``, an array of shape ``(N, classes)`` and
          dtype float64; each row sums to 1.

        Raises:
          UserError: The texts are not strings or pairs.
          NotFittedError: The classifier is not fitted.
        """
        return self._fitted().predict_proba(X)

    def predict(self, X: Sequence[Any]) -> np.ndarray:
        """Return the most likely label of each text.

        Args:
          X: N strings, or N pairs of strings if the classifier was trained on pairs.

        Returns:
          The labels, an array of shape ``(N,)`` with values of ``classes_``.

        Raises:
          UserError: The texts are not strings or pairs.
          NotFittedError: The classifier is not fitted.
        """
        logits = self._fitted().logits(X)
        return self.classes_[logits.argmax(axis=-1)]

    def score(
        self,
        X: Sequence[Any],
        y: Sequence[Any],
        sample_weight: Sequence[float] | float | None = None,
    ) -> float:
        """Return the accuracy on some texts.

        Args:
          X: N strings, or N pairs of strings if the classifier was trained on pairs.
          y: N correct labels, each one of ``classes_``.
          sample_weight: N weights of the texts, 0 or more and not all 0; None and a single number
            weigh all alike.

        Returns:
          The accuracy, from 0 to 1.

        Raises:
          UserError: There are no texts, the numbers of texts, labels and weights differ, a label is
            none of the classes, or a weight is negative or not finite.
          NotFittedError: The classifier is not fitted.
        """
        self._fitted()
        expected = _array(y)
        _require_equal(X, expected, "labels")
        weights = _weights(sample_weight, X)
        if not len(expected):
            raise UserError("there are no texts, and so no accuracy; give one or more")
        classes = {(_kind(label), label) for label in self.classes_.tolist()}
        for label in expected.tolist():
            if (_kind(label), label) not in classes:
                known = ", ".join(map(repr, self.classes_.tolist()))
                raise UserError(f"label {label!r} is none of the classes, which are {known}")
        return float(np.average(self.predict(X) == expected, weights=weights))

    def set_params(self, **params: Any) -> "TextClassifier":
        """Change arguments of the constructor.

        Args:
          params: New values by name of the argument.

        Returns:
          The classifier itself.

        Raises:
          UserError: The constructor has no argument of that name.
        """
        names = self.get_params()
        for name in params:
            if name not in names:
                raise UserError(f"{name} is not an argument of TextClassifier; {hint(name, names)}")
        return super().set_params(**params)

    def __sklearn_tags__(self) -> Any:
        """Return the tags that scikit-learn reads before it cross-validates."""
        tags = super().__sklearn_tags__()  # pyrefly: ignore[missing-attribute]  # of BaseEstimator
        tags.input_tags.string, tags.input_tags.two_d_array = True, False
        tags.no_validation = True  # of arrays of numbers
        return tags

    def _settings(self) -> dict[str, Any]:
        given = self.settings or {}
        if not isinstance(given, Mapping):
            raise UserError(
                f"settings is of type {type(given).__name__}; make it a dict, such as "
                '{"label.epochs": 3}'
            )
        return {"encoder": str(self.encoder)} | dict(given)

    def _fitted(self) -> Predictor:
        if not hasattr(self, "predictor_"):
            raise Unfitted("this TextClassifier is not fitted; call fit before it predicts")
        return self.predictor_


@contextlib.contextmanager
def _run_folder(out: str | Path | None) -> Iterator[Path]:
    """Make a folder for a run: ``out``, or ``out-2`` and so on, the first that is free."""
    if out is None:
        with tempfile.TemporaryDirectory() as scratch:
            yield Path(scratch) / "tuned"
        return
    first = Path(os.path.abspath(as_folder(out, "out")))
    others = (first.with_name(f"{first.name}-{number}") for number in itertools.count(2))
    folder = next(filter(_is_claimed, itertools.chain([first], others)))
    try:
        yield folder
    finally:
        with contextlib.suppress(OSError):  # of a run that never began
            (folder / LOCK).unlink(missing_ok=True)
            folder.rmdir()


def _is_claimed(folder: Path) -> bool:
    """Make a folder unless it holds a run, and mark it as in use; other processes may try too."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if (folder / "config.json").exists():
            return False
        (folder / LOCK).touch(exist_ok=False)
    except FileExistsError:
        return not folder.is_dir()  # which a run refuses, by its own message
    except OSError as error:
        raise UserError(f"cannot use folder {folder}: {error.strerror}; try another out") from None
    return True


def _number(labels: Sequence[Any]) -> tuple[np.ndarray, np.ndarray]:
    """Return the classes in order, and the position of each label among them."""
    values = _array(labels)
    try:
        classes, codes = np.unique(values, return_inverse=True)
    except (TypeError, ArithmeticError):
        kind = type(values[0]).__name__
        raise UserError(f"labels of type {kind} have no order; make them strings") from None
    if type_of_target(values) == "continuous":
        raise UserError(
            f"Unknown label type: continuous, such as {values[values % 1 != 0][0]}; give classes"
        )
    if len({str(name).strip() for name in classes}) < len(classes):
        raise UserError("two labels are written alike; call them by different names")
    return classes, codes


def _array(labels: Any) -> np.ndarray:
    """Return labels as an array with one axis; one column is taken for that, with a warning."""
    if getattr(labels, "ndim", 1) == 2 and labels.shape[1] == 1:
        message = "labels is a column of shape (n, 1); give an array of shape (n,)"
        warnings.warn(message, DataConversionWarning, stacklevel=4)
        labels = labels.iloc[:, 0] if hasattr(labels, "iloc") else labels[:, 0]
    rows = as_rows(labels, "labels")
    is_typed = type(labels) is np.ndarray and labels.dtype != object
    kinds: dict[type, str] = {}
    for number, label in enumerate(labels if is_typed else rows, start=1):
        text = value_text(label, "label", f"row {number} of {len(rows)}", is_text=False)
        if text is None or text.strip() in MISSING:
            raise UserError(f"label {number} of {len(rows)} is missing; leave that row out")
        if text in ("inf", "-inf") and not isinstance(label, str):
            raise UserError(f"label {number} of {len(rows)} is {text}; give classes")
        kinds.setdefault(_kind(label), type(label).__name__)
    if is_typed:
        return labels
    if len(kinds) > 1:
        names = " and ".join(sorted(kinds.values()))
        raise UserError(f"labels are of types {names}; make them one type")
    is_text = str in kinds  # whose subclasses, as members of an Enum, may be spelt otherwise
    return np.asarray(["".join(row) for row in rows] if is_text else rows)


def _kind(label: Any) -> type:
    """Return the type of a label, one for all strings and one for all numbers."""
    kinds = {str: str, bool: bool | np.bool_, float: int | float | np.integer | np.floating}
    return next((kind for kind, types in kinds.items() if isinstance(label, types)), type(label))


def _weights(weights: Any, texts: Sequence[Any]) -> np.ndarray | None:
    """Return a weight for each text; one number weighs all alike."""
    if weights is None:
        return None
    if np.isscalar(weights) and not isinstance(weights, str | bytes):
        weights = [weights] * len(texts)
    rows = _require_equal(texts, weights, "weights")
    array = np.array([np.nan])
    if all(_kind(row) in (bool, float) for row in rows):
        with contextlib.suppress(OverflowError):  # of integers beyond floating point
            array = np.asarray(rows, np.float64)
    with np.errstate(over="ignore"):
        total = array.sum()
    if not np.isfinite(total) or (array < 0).any() or total == 0:
        raise UserError("sample_weight must be finite numbers of 0 or more, not all 0")
    return array


def _columns(
    texts: Sequence[Any], codes: np.ndarray, confounds: Sequence[Any] | None
) -> dict[str, Any]:
    """Return the columns of a table of texts."""
    _require_equal(texts, codes, "labels")
    rows = as_texts(texts)
    columns: dict[str, Any] = {"text": rows, "label": codes}
    if rows and not isinstance(rows[0], str):
        columns |= {"text": [a for a, _ in rows], "text_pair": [b for _, b in rows]}
    if confounds is not None:
        _require_equal(texts, confounds, "confounds")
        columns["confound"] = confounds
    return columns


def _require_equal(texts: Sequence[Any], values: Any, name: str) -> list[Any]:
    """Return the values as a list, one for each text."""
    rows = as_rows(values, name)
    if (count := len(as_rows(texts))) != len(rows):
        raise UserError(f"there are {count} texts, but {len(rows)} {name}; give one each")
    return rows
