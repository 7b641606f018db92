"""scikit-learn's own checks of estimators, on a classifier that reads rows of numbers as texts.

The checks give matrices of numbers; an estimator whose tags say that it takes texts is not checked
at all. So a subclass writes each row as a text. What it inherits is what is checked.
"""

import numpy as np
import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from itune import TextClassifier
from tests.helpers import tuning_cases

pytestmark = [
    pytest.mark.usefixtures("encoder_in_place"),
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning"),
]

ENCODER = "encoder-of-the-checks"  # a folder, in the working directory of each test

EXEMPT = {
    "check_array_api_input": "texts are no arrays of an array library",
    "check_estimators_dtypes": "its classes are rounded noise, so that one may have a single row; "
    "no confound can be told from such a class, and fit says so",
    "check_classifiers_train": "asks for an accuracy on points in a plane, which digits as words "
    "do not show to a random encoder",
    "check_fit2d_1sample": "is refused in the words of tables, 'train: has 1 row', not samples",
}


class OfNumbers(TextClassifier):
    """Reads a matrix of numbers, a text for each row; two brands take turns as confounds."""

    def fit(self, X, y, confounds=None):
        texts = texts_of(X)
        return super().fit(texts, y, [("acme", "umbrella")[row % 2] for row in range(len(texts))])

    def predict(self, X):
        return super().predict(texts_of(X))

    def predict_proba(self, X):
        return super().predict_proba(texts_of(X))

    def score(self, X, y, sample_weight=None):
        return super().score(texts_of(X), y, sample_weight)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = True
        return tags


def texts_of(matrix):
    if isinstance(matrix, list) and isinstance(matrix[0], str):
        return matrix
    if hasattr(matrix, "toarray"):
        raise TypeError("sparse input is not supported")
    rows = np.asarray(matrix)
    if rows.ndim != 2:
        raise ValueError("Expected 2D array. Reshape your data")
    words = np.array(sum(tuning_cases.WORDS.values(), []))
    rows = rows.astype(float)
    return [" ".join([*words[np.searchsorted([-1, 0, 1], row)], *map(str, row)]) for row in rows]


@pytest.fixture(scope="module")
def encoder_folder(tmp_path_factory):
    return tuning_cases.make_encoder(tmp_path_factory.mktemp("checks"))


@pytest.fixture
def encoder_in_place(encoder_folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / ENCODER).symlink_to(encoder_folder)


@parametrize_with_checks(
    [
        OfNumbers(
            "finetuning",
            encoder=ENCODER,
            settings=tuning_cases.SETTINGS | {"label.epochs": 1},
        )
    ],
    expected_failed_checks=lambda estimator: EXEMPT,
)
def test_check(estimator, check):
    check(estimator)


def test_texts_are_declared():
    tags = TextClassifier().__sklearn_tags__()
    assert tags.input_tags.string and not tags.input_tags.two_d_array
    assert tags.estimator_type == "classifier" and tags.target_tags.required
