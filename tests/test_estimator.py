"""The estimator keeps scikit-learn's protocol, and refuses in words."""

import inspect

import numpy as np
import pytest

from itune import TextClassifier, UserError
from itune.estimator import _columns
from tests.helpers import tuning_cases

pytestmark = pytest.mark.usefixtures("compilation_cache")

ROWS = tuning_cases.make_rows()
TEXTS = [row["review"] for row in ROWS]
STARS = np.array([3 if row["stars"] == "good" else 1 for row in ROWS])
BRANDS = [row["brand"] or None for row in ROWS]


@pytest.fixture(scope="module")
def classifier(tmp_path_factory):
    encoder = tuning_cases.make_encoder(tmp_path_factory.mktemp("encoder"))
    return TextClassifier("finetuning", encoder=encoder, settings=tuning_cases.SETTINGS)


@pytest.fixture(scope="module")
def fitted(classifier):
    return clone(classifier).fit(TEXTS, STARS, BRANDS)


def clone(estimator):
    """As scikit-learn's: parameters must come back as they were given."""
    params = estimator.get_params(deep=False)
    new = type(estimator)(**params)
    assert all(new.get_params()[name] is value for name, value in params.items())
    return new


def test_fit_and_predict(fitted):
    assert fitted.classes_.tolist() == [1, 3] and fitted.classes_.dtype == STARS.dtype
    predicted, probabilities = fitted.predict(TEXTS), fitted.predict_proba(TEXTS)
    np.testing.assert_array_equal(predicted, fitted.classes_[probabilities.argmax(axis=1)])
    assert fitted.score(TEXTS, STARS) == np.mean(predicted == STARS) > 0.6
    assert fitted.tuned_.method == "finetuning" and fitted.predictor_.labels == ("1", "3")
    assert {n: a.size for n, a in fitted.tuned_.accuracies.items()} == {"train": 58, "dev": 6}


def test_names_as_labels_and_a_rule_in_place_of_confounds(classifier, tmp_path):
    names = ["good" if star == 3 else "a bad one" for star in STARS]
    rule = clone(classifier).set_params(rule="words:acme || words:umbrella", out=tmp_path / "out")
    rule.fit(tuple(TEXTS), names)
    assert rule.classes_.tolist() == ["a bad one", "good"]
    assert set(rule.predict(TEXTS[:5])) <= set(names)
    assert (tmp_path / "out" / "model" / "config.json").exists()
    assert rule.tuned_.confound_names == ("none", "words:acme", "words:umbrella")


def test_nothing_is_done_before_fit():
    unusual = TextClassifier(method=None, encoder=3, settings="x", seed="y")
    assert unusual.get_params()["encoder"] == 3
    assert list(unusual.get_params()) == list(inspect.signature(TextClassifier).parameters)
    assert repr(TextClassifier(seed=3)) == "TextClassifier(seed=3)"
    assert not [name for name in vars(unusual) if name.endswith("_")]


def test_set_params(classifier):
    assert clone(classifier).set_params(seed=5).get_params()["seed"] == 5
    with pytest.raises(UserError, match=r"sed is not an argument .*; did you mean seed\?"):
        TextClassifier().set_params(sed=5)


@pytest.mark.parametrize("name", ["predict", "predict_proba", "score"])
def test_unfitted(name):
    with pytest.raises(UserError, match="this TextClassifier is not fitted; call fit"):
        getattr(TextClassifier(), name)(*([TEXTS, STARS] if name == "score" else [TEXTS]))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((TEXTS, STARS), "there are no confounds; give them to fit, or set rule"),
        ((TEXTS, STARS[:3], BRANDS), "there are 64 texts, but 3 labels; give one each"),
        ((TEXTS, STARS, BRANDS[:3]), "there are 64 texts, but 3 confounds; give one each"),
        ((TEXTS[0], STARS, BRANDS), "texts is of type str; give a list"),
        ((TEXTS, "abc", BRANDS), "labels is of type str; give a list"),
        ((TEXTS, [None, *STARS[1:]], BRANDS), "label 1 of 64 is missing"),
        ((TEXTS, [np.nan, *STARS[1:]], BRANDS), "label 1 of 64 is missing"),
        ((TEXTS, ["a", *STARS[1:]], BRANDS), "labels are of types .* and str; make them one type"),
        ((TEXTS, np.ones((64, 2)), BRANDS), "labels has 2 axes"),
        ((TEXTS, np.ones(64), BRANDS), "a classifier needs two classes"),
        ((["", *TEXTS[1:]], STARS, BRANDS), "train, row 1: 'text' is empty"),
        (([("a", "b"), *TEXTS[1:]], STARS, BRANDS), "texts are pairs, but not all"),
        (([*TEXTS[1:], 3], STARS[:-1], BRANDS), "there are 64 texts, but 63 labels"),
        (([("a", "b"), None, *TEXTS[2:]], STARS, BRANDS), "texts are pairs, but not all"),
        ((TEXTS, STARS, ["a"] * 64), "every training row has confound 'a'"),
    ],
)
def test_bad_input(classifier, arguments, message):
    with pytest.raises(UserError, match=message) as error:
        clone(classifier).fit(*arguments)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"seed": "a"}, "seed must be an integer from 0 to .*, got 'a'"),
        ({"seed": -1}, "seed must be an integer from 0 to .*, got -1"),
        ({"dev_fraction": "a"}, "dev_fraction must be a finite number, got 'a'"),
        ({"settings": 3}, "settings is of type int; make it a dict"),
        ({"method": "tuning"}, r"method must be one of finetuning.*experts, got 'tuning'$"),
    ],
)
def test_bad_arguments(classifier, params, message):
    with pytest.raises(UserError, match=message) as error:
        clone(classifier).set_params(**params).fit(TEXTS, STARS, BRANDS)
    assert "\n" not in str(error.value)


def test_series_go_by_place(fitted):
    pandas = pytest.importorskip("pandas")
    texts = pandas.Series(TEXTS)[10:20]
    assert np.array_equal(fitted.predict(texts), fitted.predict(TEXTS[10:20]))
    columns = _columns(texts, np.zeros(10, int), None)
    assert columns["text"] == TEXTS[10:20]


def test_bad_scores(fitted):
    with pytest.raises(UserError, match="there are no texts, and so no accuracy"):
        fitted.score([], [])
    with pytest.raises(UserError, match="label 7 is none of the classes, which are 1, 3"):
        fitted.score(TEXTS[:2], [1, 7])
    with pytest.raises(UserError, match="label good is none of the classes"):
        fitted.score(TEXTS[:1], ["good"])
    with pytest.raises(UserError, match="there are 2 texts, but 1 labels"):
        fitted.score(TEXTS[:2], [1])


def test_scikit_learn_itself(classifier):
    base = pytest.importorskip("sklearn.base")
    from sklearn.model_selection import cross_val_score

    rule = base.clone(classifier).set_params(rule="words:acme || words:umbrella")
    scores = cross_val_score(rule, TEXTS, STARS, cv=2)
    assert scores.shape == (2,) and np.all(scores > 0) and base.is_classifier(rule)
