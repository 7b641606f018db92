"""Confounds of numbers in bins, of several columns, and rows matched by confound."""

import numpy as np
import pytest

from itune import UserError, describe
from itune.config import from_dict, to_dict
from itune.tables.config import TableConfig
from itune.tables.confounds import combine
from itune.tables.partition import matched
from itune.tables.table import make_tables

AGES, GENDERS = ["17.5", 18, 34.9, "35", 65, 99.0, None, 0], ["f", "m"]
ROWS = [
    {"text": f"t{n}", "label": n % 2, "age": AGES[n % 8], "gender": GENDERS[n // 4 % 2], "one": "x"}
    for n in range(64)
]
NO_SPLIT = {"dev_fraction": 0, "test_fraction": 0}


def values(**columns):
    """Read the rows; return the names of the confounds, and that of each row."""
    tables = make_tables(ROWS, TableConfig(**NO_SPLIT, **columns))
    names = (*tables.confound_names, None)
    return tables.confound_names, [names[code] for code in tables.train.confound]


def test_bins_hold_their_lower_edge_and_not_their_upper():
    names, found = values(confound="age", bins="18,35,65")
    assert names == ("<18", "18 to <35", "35 to <65", ">=65")
    young, adult, middle, old = names
    assert found[:8] == [young, adult, adult, middle, old, old, None, young]


def test_a_threshold_and_bins_that_are_empty():
    assert values(confound="age", bins="65")[0] == ("<65", ">=65")
    assert values(confound="age", bins="-5, 0.5,99,1e3")[0] == (
        "-5 to <0.5",
        "0.5 to <99",
        "99 to <1000",
    )


def test_a_cross_has_the_combinations_that_occur():
    names, found = values(confound="age,gender", bins="age=18")
    assert names == (
        "age <18 & gender f",
        "age <18 & gender m",
        "age >=18 & gender f",
        "age >=18 & gender m",
    )
    for row, value in zip(ROWS, found, strict=True):
        old = None if row["age"] is None else ("<18", ">=18")[float(row["age"]) >= 18]
        assert value == (None if old is None else f"age {old} & gender {row['gender']}")
    assert values(confound="gender,one")[0] == ("gender f & one x", "gender m & one x")


def test_a_cross_of_columns_with_many_values():
    """Of as many values each as there are rows, whose product no memory holds."""
    names = tuple(f"{n:06}" for n in range(200_000))
    codes = [np.arange(200_000, dtype=np.int32)]
    crossed, called = combine({"a": (codes, names), "b": ([codes[0][::-1]], names)}, {})
    np.testing.assert_array_equal(crossed[0], codes[0])
    assert called[1] == "a 000001 & b 199998" and len(called) == 200_000


def test_one_column_is_called_as_before():
    assert values(confound="gender") == values(confound='"gender"')
    assert values(confound="gender")[0] == ("f", "m")
    rows = [{"text": "a", "label": 0, "a,b": "x"}, {"text": "b", "label": 1, "a,b": "y"}]
    assert make_tables(rows, TableConfig(confound='"a,b"', **NO_SPLIT)).confound_names == ("x", "y")


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"confound": "gender", "bins": "18"}, "'gender' has the value 'f', which is no number"),
        ({"confound": "age", "bins": "35,18"}, "bins must be ascending numbers, .* got '35,18'"),
        ({"confound": "age", "bins": "18,old"}, "bins must be ascending numbers"),
        ({"confound": "age", "bins": "nan"}, "bins must be ascending numbers"),
        ({"confound": "age", "bins": ""}, "bins must be ascending numbers"),
        ({"confound": "age,gender", "bins": "18"}, "'18' must name a column of confound .age, gen"),
        ({"confound": "age", "bins": "years=18"}, "'years=18' must name a column of confound"),
        ({"rule": "words:a", "bins": "18"}, "bins and rule are both set"),
        ({"confound": "age,label"}, "label and confound are both column 'label'"),
        ({"confound": "age,age"}, "confound and confound are both column 'age'"),
        ({"confound": "age,race"}, "has no column 'race'"),
        ({"matched": ("train",)}, "matched must be dev, test or both, got 'train'"),
    ],
)
def test_what_cannot_be(columns, message):
    with pytest.raises(UserError, match=message):
        values(**columns)


def test_settings_there_and_back():
    config = TableConfig("a.csv", confound="age,gender", bins="age=18", matched=("dev", "test"))
    assert from_dict(TableConfig, to_dict(config)) == config


@pytest.mark.parametrize("seed", range(5))
def test_matched_rows_have_as_many_of_every_label(seed):
    rng = np.random.default_rng(seed)
    label, confound = rng.integers(0, 3, 300), rng.integers(-1, 4, 300)
    label[confound == 3] %= 2  # a confound that lacks a label
    rows = matched(label, confound, seed)
    assert rows.tolist() == sorted(set(rows.tolist()))
    counts = np.zeros((3, 5), int)
    np.add.at(counts, (label[rows], confound[rows]), 1)
    have = [[np.sum((label == y) & (confound == c)) for c in range(3)] for y in range(3)]
    np.testing.assert_array_equal(counts, [[*np.min(have, axis=0), 0, 0]] * 3)
    np.testing.assert_array_equal(rows, matched(label, confound, seed))
    assert len(rows) != len(label) and rows.tolist() != matched(label, confound, seed + 9).tolist()


SKEWED = {
    "text": [f"t{n}" for n in range(400)],
    "label": [n % 2 for n in range(400)],
    "confound": [(n + (n % 8 < 2)) % 2 for n in range(400)],
}


def test_a_matched_test_is_without_association():
    plain = describe(SKEWED, test_fraction=0.25)
    found = describe(SKEWED, test_fraction=0.25, matched=["test"])
    assert plain.splits["test"].cramers_v > 0.4 and found.splits["test"].cramers_v == 0
    assert found.splits["dev"] == plain.splits["dev"]
    assert "set matched to dev,test" in plain.warnings[-1]
    assert "set matched to dev" in found.warnings[-1]
    assert "test as in train" not in found.warnings[-1]
    groups = found.splits["test"].groups
    assert [groups[0, 0], groups[0, 1]] == [groups[1, 0], groups[1, 1]]
    size = found.splits["test"].size
    assert f"test is matched: {size} of {plain.splits['test'].size} rows are used" in found.warnings


def test_a_split_without_rows_is_not_matched():
    found = make_tables(SKEWED, TableConfig(**NO_SPLIT, matched=("test",)))
    assert found.test.size == 0 and not found.notes


def test_nothing_to_match():
    confounds = [0 if n == 396 else n % 2 for n in range(400)]
    for values in (SKEWED["label"], confounds, [None] * 400):
        rows = {**SKEWED, "confound": values}
        assert "matched to" not in " ".join(describe(rows).warnings)
        with pytest.raises(UserError, match="fewer than two confounds of test occur with each"):
            describe(rows, matched=["test"])
