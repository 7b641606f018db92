"""A model's classes in the order of a table's labels."""

import numpy as np
import pytest

from itune import UserError
from itune.models.labels import match_labels, reordered


@pytest.mark.parametrize(
    ("model", "table", "classes"),
    [
        (["pos", "neg"], ["neg", "pos"], [1, 0]),
        (["Pos", "NEG", "x"], ["neg", "pos", "X "], [1, 0, 2]),
        (["1", "0"], ["0", "1"], [1, 0]),  # by name before number
        (["a", "A"], ["A", "a"], [1, 0]),
        (["neg", "neu", "pos"], ["POS", "neg"], [2, 0]),
        (["0", "1", "2"], ["0", "2"], [0, 2]),
    ],
)
def test_by_name(model, table, classes):
    found, note = match_labels(model, table)
    assert found.tolist() == classes and note is None


@pytest.mark.parametrize(
    ("model", "table", "note"),
    [
        (["LABEL_0", "LABEL_1"], ["bad", "good"], "in order: LABEL_0 = bad, LABEL_1 = good"),
        (["bad", "good"], ["0", "1"], "numbers of classes: bad = 0, good = 1"),
        (["0", "1"], ["bad", "good"], "numbers its classes; they are taken in order: 0 = bad, 1"),
    ],
)
def test_by_place(model, table, note):
    found, said = match_labels(model, table)
    assert found.tolist() == [0, 1] and note in said


def test_by_number_where_some_are_absent():
    found, said = match_labels(["bad", "so so", "good"], ["0", "2"])
    assert found.tolist() == [0, 2] and said.endswith("the numbers of classes: bad = 0, good = 2")


def test_all_classes_may_be_needed():
    with pytest.raises(UserError, match=r"3 classes \(a, b, c\), but the table 2 labels \(a, b\)"):
        match_labels(["a", "b", "c"], ["a", "b"], need_all=True)


@pytest.mark.parametrize(
    ("model", "table", "message"),
    [
        (["a", "b"], ["a", "b", "c"], r"2 classes \(a, b\), but the table 3 labels \(a, b, c\)"),
        (["a", "b"], ["a"], r"2 classes \(a, b\), but the table 1 label \(a\)"),
        (["a", "b"], ["c"], r"2 classes \(a, b\), but the table 1 label \(c\)"),
        (["a", "b", "c"], ["1", "2"], r"3 classes \(a, b, c\), but the table 2 labels \(1, 2\)"),
        (["a", "b", "c"], ["0", "3"], r"3 classes \(a, b, c\), but the table 2 labels \(0, 3\)"),
        (["a", "b", "c"], ["a", "d"], "classes are a, b, c, but the table's labels a, d; name"),
        (["LABEL_0", "LABEL_1", "LABEL_2"], ["bad", "good"], r"3 classes .*, but the table 2 labe"),
        (["a", "b"], ["a", "c"], "classes are a, b, but the table's labels a, c; name them alike"),
        (["a", "A"], ["a", "b"], "name them alike"),
        (["a", "b"], ["1", "2"], "name them alike"),
        (list("abcdefg"), list("abcdefh"), "a, b, c, d, e, 2 more, but"),
    ],
)
def test_no_match(model, table, message):
    with pytest.raises(UserError, match=message):
        match_labels(model, table)


def test_reordered():
    head = {"kernel": np.arange(6).reshape(2, 3), "bias": np.arange(3)}
    found = reordered({"classifier": head, "pooler": 1}, np.array([2, 0, 1]))
    assert found["classifier"]["kernel"].tolist() == [[2, 0, 1], [5, 3, 4]]
    assert found["classifier"]["bias"].tolist() == [2, 0, 1] and found["pooler"] == 1
