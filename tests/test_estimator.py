"""The estimator keeps scikit-learn's protocol, and refuses in words."""

import ast
import copy
import enum
import inspect
import io
import pickle
import re
import subprocess
import sys
from pathlib import Path

import joblib
import numpy as np
import pyarrow
import pytest
import sklearn
from sklearn.base import clone
from sklearn.exceptions import DataConversionWarning, NotFittedError
from sklearn.model_selection import GridSearchCV, cross_validate

import itune
from itune import TextClassifier, UserError
from itune.errors import on_command_line, option
from itune.estimator import _columns, _number
from itune.predictor import as_rows
from tests.helpers import tuning_cases

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
    assert list(unusual.get_params()) == sorted(inspect.signature(TextClassifier).parameters)
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
        ((TEXTS, [3.5, "b"] * 32, BRANDS), "labels are of types float and str; make them one"),
        ((TEXTS, [1, True] * 32, BRANDS), "labels are of types bool and int; make them one type"),
        ((TEXTS, np.ones((64, 2)), BRANDS), "labels has 2 axes"),
        ((TEXTS, np.array(5), BRANDS), "labels has 0 axes"),
        ((TEXTS, dict.fromkeys(range(64)), BRANDS), "labels is of type dict; give a list"),
        ((TEXTS, set(range(64)), BRANDS), "labels is of type set; give a list"),
        ((TEXTS, [["a"], ["b", "c"]] * 32, BRANDS), "row 1 of 64: 'label' is a list"),
        ((TEXTS, [b"a", b"b"] * 32, BRANDS), "row 1 of 64: 'label' is .*; make it a string or"),
        ((TEXTS, [1j, 2j] * 32, BRANDS), "row 1 of 64: 'label' is .*; make it a string or"),
        ((TEXTS, [1.0, np.inf] * 32, BRANDS), "label 2 of 64 is inf; give classes"),
        ((TEXTS, ["a", " "] * 32, BRANDS), "label 2 of 64 is missing"),
        ((TEXTS, np.array(["a", np.nan] * 32), BRANDS), "label 2 of 64 is missing"),
        ((TEXTS, np.ma.masked_equal(STARS, 3), BRANDS), "label 2 of 64 is missing"),
        ((TEXTS, STARS, 5), "confounds is of type int; give a list"),
        ((TEXTS, STARS, iter(BRANDS)), "confounds is of type list_iterator; give a list"),
        ((TEXTS, STARS, set(range(64))), "confounds is of type set; give a list"),
        ((TEXTS, STARS, np.array(5)), "confounds has 0 axes; give one value in each row"),
        ((iter(TEXTS), STARS, BRANDS), "texts is of type list_iterator; give a list of texts"),
        (([["a"]] * 64, STARS, BRANDS), "text 1 of 64 is 1 values; make it a pair of strings"),
        (([("a", 5)] * 64, STARS, BRANDS), "text 1 of 64 has a part of type int; make it a pair"),
        (([["a", "b"], "a"] * 32, STARS, BRANDS), "text 2 of 64 is of type str; make it a pair"),
        ((["a", ["a", "b"]] * 32, STARS, BRANDS), "text 2 of 64 is of type list; make it a str"),
        ((range(64), STARS, BRANDS), "text 1 of 64 is of type int; make it a string"),
        ((TEXTS, np.ones(64), BRANDS), "a classifier needs two classes"),
        ((["", *TEXTS[1:]], STARS, BRANDS), "train, row 1: 'text' is empty"),
        (([("a", "b"), *TEXTS[1:]], STARS, BRANDS), "text 2 of 64 is of type str; make it a pair"),
        (([*TEXTS[1:], 3], STARS[:-1], BRANDS), "there are 64 texts, but 63 labels"),
        (([("a", "b"), None, *TEXTS[2:]], STARS, BRANDS), "text 2 of 64 is of type NoneType"),
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
        (
            {"method": "tuning"},
            r"method must be one of finetuning.*ipg, got 'tuning'; did.*\?$",
        ),
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


@pytest.mark.parametrize("dtype", [object, "Int64", "string"])
def test_missing_values_of_pandas(classifier, dtype):
    pandas = pytest.importorskip("pandas")
    labels = pandas.Series([*map(str, STARS[1:]), pandas.NA], dtype="string").astype(dtype)
    with pytest.raises(UserError, match="label 64 of 64 is missing; leave that row out"):
        clone(classifier).fit(TEXTS, labels, BRANDS)


class Star(str, enum.Enum):  # noqa: UP042
    FEW, MANY = "1", "3"


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        ([Star.FEW, Star.MANY], ["1", "3"]),
        (pyarrow.array(["no", "yes"]), ["no", "yes"]),
        (pyarrow.chunked_array([[3], [7]]), [3, 7]),
        ([1, 2.0, np.int64(1)], [1.0, 2.0]),
        (np.array([True, False]), [False, True]),
    ],
    ids=str,
)
def test_labels_of_one_kind(labels, classes):
    names, codes = _number(labels)
    assert names.tolist() == classes and {type(name) for name in names.tolist()} == {
        type(name) for name in classes
    }
    assert codes.tolist() == [classes.index(label) for label in as_rows(labels)]


def test_bad_scores(fitted):
    with pytest.raises(UserError, match="there are no texts, and so no accuracy"):
        fitted.score([], [])
    with pytest.raises(UserError, match="label 7 is none of the classes, which are 1, 3"):
        fitted.score(TEXTS[:2], [1, 7])
    with pytest.raises(UserError, match="label 'good' is none of the classes"):
        fitted.score(TEXTS[:1], ["good"])
    with pytest.raises(UserError, match="label True is none of the classes"):
        fitted.score(TEXTS[:1], [True])
    with pytest.raises(UserError, match="there are 2 texts, but 1 labels"):
        fitted.score(TEXTS[:2], [1])


def by_joblib(value):
    file = io.BytesIO()
    joblib.dump(value, file)
    file.seek(0)
    return joblib.load(file)


# Only pickles that the test itself has made are read, to see that what was fitted can be pickled.
COPIES = [copy.deepcopy, lambda value: pickle.loads(pickle.dumps(value)), by_joblib]


@pytest.mark.parametrize("copied", COPIES, ids=["deepcopy", "pickle", "joblib"])
def test_copies_predict_the_same_bits(fitted, copied):
    again = copied(fitted)
    np.testing.assert_array_equal(again.predict_proba(TEXTS), fitted.predict_proba(TEXTS))
    assert again.score(TEXTS, STARS) == fitted.score(TEXTS, STARS)
    assert again.tuned_.accuracies == fitted.tuned_.accuracies
    logits = copied(fitted.predictor_).logits(TEXTS)
    np.testing.assert_array_equal(logits, fitted.predictor_.logits(TEXTS))


def test_a_pickle_predicts_the_same_bits_in_another_process(fitted, tmp_path):
    # Again only what the test itself has pickled is read: searches send estimators to processes so.
    (tmp_path / "pickled").write_bytes(pickle.dumps(fitted))
    code = f"""
import pickle, sys, tests.conftest, numpy as np
classifier = pickle.loads(open(sys.argv[1], "rb").read())
np.save(sys.argv[2], classifier.predict_proba({TEXTS[:9]!r}))"""
    paths = [str(tmp_path / "pickled"), str(tmp_path / "there.npy")]
    subprocess.run([sys.executable, "-c", code, *paths], check=True, cwd=Path(__file__).parents[1])
    np.testing.assert_array_equal(np.load(paths[1]), fitted.predict_proba(TEXTS[:9]))


def test_a_rule_in_cross_validation(classifier, tmp_path):
    out = tmp_path / "runs" / "mine"
    rule = clone(classifier).set_params(rule="words:acme || words:umbrella", out=out)
    grid = GridSearchCV(rule, {"seed": [3, 4]}, cv=2, error_score="raise").fit(TEXTS, STARS)
    scores = grid.cv_results_["mean_test_score"]
    assert scores.shape == (2,) and np.all(scores > 0)
    assert {path.name for path in out.parent.iterdir()} == {
        "mine",
        *(f"mine-{n}" for n in range(2, 6)),
    }
    assert grid.best_estimator_.tuned_.folder == out.with_name("mine-5")
    loaded = itune.load(grid.best_estimator_.tuned_.folder)
    np.testing.assert_array_equal(loaded.predict_proba(TEXTS), grid.predict_proba(TEXTS))


def test_folders_that_are_no_runs_are_refused_and_left_alone(classifier, tmp_path):
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "note").touch()
    for name, message in (("notes", "is not empty and holds no run"), ("notes/note", "is a file")):
        mine = clone(classifier).set_params(out=tmp_path / name)
        with pytest.raises(UserError, match=f"{name} {message}; choose another out$"):
            mine.fit(TEXTS, STARS, BRANDS)
    with pytest.raises(UserError, match="seed must be"):
        clone(classifier).set_params(out=tmp_path / "new", seed=-1).fit(TEXTS, STARS, BRANDS)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["note", "notes"]


def test_a_temporary_run_has_no_folder(fitted):
    assert fitted.tuned_.folder is None and fitted.tuned_.model is None


def test_confounds_and_weights_are_routed(classifier):
    seen = []

    class Watched(TextClassifier):
        def fit(self, X, y, confounds=None):
            seen.append(sorted(map(str, confounds)))
            return super().fit(X, y, confounds)

        def score(self, X, y, sample_weight=None):
            assert sample_weight.shape == (len(X),)
            return super().score(X, y, sample_weight)

    with sklearn.config_context(enable_metadata_routing=True):
        routed = Watched(**classifier.get_params()).set_fit_request(confounds=True)
        routed.set_score_request(sample_weight=True)
        params = {"confounds": BRANDS, "sample_weight": np.arange(64.0)}
        result = cross_validate(routed, TEXTS, STARS, cv=2, params=params, error_score="raise")
    assert len(result["test_score"]) == 2
    assert sorted(seen[0] + seen[1]) == sorted(map(str, BRANDS))


def test_weights_of_scores(fitted):
    is_right = fitted.predict(TEXTS) == STARS
    weights = np.arange(64.0)
    assert fitted.score(TEXTS, STARS, weights) == np.average(is_right, weights=weights)
    assert fitted.score(TEXTS, STARS, is_right.astype(int)) == 1
    assert fitted.score(TEXTS, STARS, 2.5) == fitted.score(TEXTS, STARS)
    for bad, message in (
        ([1.0], "there are 64 texts, but 1 weights; give one each"),
        (dict.fromkeys(range(64), 1.0), "weights is of type dict; give a list of weights"),
        (iter(weights), "weights is of type iterator; give a list of weights"),
        (np.ones((64, 1)), "weights has 2 axes; give one value in each row"),
        (0.0, "finite numbers of 0 or more, not all 0"),
        (["1.0"] * 64, "finite numbers of 0 or more"),
        ([None, *weights[1:]], "finite numbers of 0 or more"),
        ([1, [2, 3]] * 32, "finite numbers of 0 or more"),
        ([1e308] * 64, "finite numbers of 0 or more"),
        ([10**400] * 64, "finite numbers of 0 or more"),
        (np.zeros(64), "finite numbers of 0 or more, not all 0"),
        (-weights, "finite numbers of 0 or more"),
        (weights + np.inf, "finite numbers of 0 or more"),
    ):
        with pytest.raises(UserError, match=message):
            fitted.score(TEXTS, STARS, bad)


def test_a_column_of_labels(classifier, fitted):
    with pytest.warns(DataConversionWarning, match=r"labels is a column of shape \(n, 1\)"):
        column = clone(classifier).fit(TEXTS, STARS[:, None], BRANDS)
    np.testing.assert_array_equal(column.predict_proba(TEXTS), fitted.predict_proba(TEXTS))
    with pytest.warns(DataConversionWarning):
        assert fitted.score(TEXTS, STARS[:, None]) == fitted.score(TEXTS, STARS)


def test_labels_that_would_be_one_once_saved(classifier):
    with pytest.raises(UserError, match="two labels are written alike"):
        clone(classifier).fit(TEXTS, ["a " if star == 3 else "a" for star in STARS], BRANDS)
    with pytest.raises(UserError, match="Unknown label type: continuous, such as 1.5"):
        clone(classifier).fit(TEXTS, STARS / 2 + 1, BRANDS)


def test_errors_are_those_that_scikit_learn_expects():
    with pytest.raises(NotFittedError):
        TextClassifier().predict(["a"])
    assert issubclass(UserError, ValueError)


def test_options_are_spelt_as_the_caller_gives_them():
    assert option("overwrite", True) == "overwrite=True"
    with on_command_line():
        assert option("overwrite", True) == "--overwrite"
    assert option("out") == "out"


OF_COMMANDS = {"cli.py", "commands", "config", "suggestions.py"}
"""Files of the library whose texts are seen on command lines only, or say which caller they are."""


def test_no_message_of_the_library_has_an_option_in_it():
    """Options of a command are made by ``option``, which knows who the caller is."""
    for path in Path(itune.__file__).parent.rglob("*.py"):
        if OF_COMMANDS & set(path.parts):
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        prose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        words = [node for node in ast.walk(tree) if isinstance(node, ast.Constant)]
        for word in words:
            if isinstance(word.value, str) and " " in word.value and id(word) not in prose:
                options = re.findall(r"(?<!\S)--[a-z][\w-]*", word.value)
                assert not set(options) - {"--no-deps", "--force-reinstall"}, (path, word.value)
