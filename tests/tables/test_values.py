"""Labels and confounds as people write them, numbered."""

import pyarrow as pa
import pytest

from itune.tables.values import number_values


def numbered(*columns, classes=()):
    arrays = [pa.chunked_array([pa.array(c, pa.large_string())]) for c in columns]
    found = number_values(arrays, classes)
    assert all(code.dtype == "int32" for code in found.codes)
    return [code.tolist() for code in found.codes], found.names


@pytest.mark.parametrize(
    ("values", "codes", "names"),
    [
        (["b", "a", "b"], [1, 0, 1], ("a", "b")),
        (["10", "9", "-1"], [2, 1, 0], ("-1", "9", "10")),
        (["0.5", "1e-3", "2"], [1, 0, 2], ("1e-3", "0.5", "2")),
        (["1.10", "1.1", "1.2"], [1, 0, 2], ("1.1", "1.10", "1.2")),
        (["02134", "2134", "90210"], [1, 0, 2], ("2134", "02134", "90210")),
        (["1", "1.0", "01", "0"], [1, 3, 2, 0], ("0", "1", "01", "1.0")),
        (["2.0", "1.0", None], [1, 0, -1], ("1.0", "2.0")),
        (["1.0", "x"], [0, 1], ("1.0", "x")),
        (["10", "9", "x"], [0, 1, 2], ("10", "9", "x")),
        (["1_0", "9"], [0, 1], ("1_0", "9")),
        (["inf", "9"], [1, 0], ("9", "inf")),
        (["9" * 400, "10"], [1, 0], ("10", "9" * 400)),
        ([" a ", "a", "", " ", None, "NaN", "nan"], [0, 0, -1, -1, -1, -1, -1], ("a",)),
        (["caf\u00e9", "cafe\u0301"], [0, 0], ("caf\u00e9",)),
        (
            ["9007199254740993", "9007199254740992"],
            [1, 0],
            ("9007199254740992", "9007199254740993"),
        ),
        ([None, None], [-1, -1], ()),
        ([], [], ()),
    ],
)
def test_one_column(values, codes, names):
    assert numbered(values) == ([codes], names)


@pytest.mark.parametrize(
    ("columns", "names"),
    [
        ((["1", "2"], ["2.0", None]), ("1", "2")),
        ((["1.0", "2.0"], ["2.0"]), ("1.0", "2.0")),
        ((["1.0", "1.1"], ["1"]), ("1", "1.0", "1.1")),  # versions
        ((["1", "1.0"], ["2"]), ("1", "1.0", "2")),
        ((["02134"], ["2134.0"]), ("2134", "02134")),
    ],
)
def test_whole_numbers_with_a_point_in_some_columns(columns, names):
    """As programs write whole numbers where some are missing."""
    codes, found = numbered(*columns)
    assert found == names
    assert [[found[code] for code in column if code >= 0] for column in codes] == [
        [text if text in names else text[:-2] for text in column if text] for column in columns
    ]


@pytest.mark.parametrize(
    ("columns", "classes", "names"),
    [
        ((["True", "False"], ["true", None]), (), ("false", "true")),
        ((["True"], ["false"]), (), ("false", "true")),
        ((["TRUE", "True", "true"],), (), ("true",)),
        ((["FALSE", "True"], ["true"]), ("No", "True"), ("True", "FALSE", "true")),
        ((["FALSE", "False"], ["true"]), ("False", "True"), ("False", "True")),
        ((["True", "False"], ["True"]), (), ("False", "True")),
        ((["TRUE"], ["FALSE"]), (), ("FALSE", "TRUE")),
        ((["True", "yes"], ["true"]), (), ("True", "true", "yes")),
    ],
)
def test_true_and_false_as_several_programs_write_them(columns, classes, names):
    codes, found = numbered(*columns, classes=classes)
    assert found == names
    for column, code in zip(columns, codes, strict=True):
        for text, number in zip(column, code, strict=True):
            assert (number < 0) if text is None else found[number].lower() == text.lower()


@pytest.mark.parametrize(
    ("columns", "note"),
    [
        ([["1", "2"], ["1.0"]], "is read with 1.0 as 1"),
        ([["True", "False"], ["true"]], "is read with False as false, True as true"),
        ([["1.1", "1.10"]], "has '1.1' and '1.10', which are equal as numbers and count as diff"),
        ([["a", "NA"], ["null"]], "has 'NA', 'null' as a value; leave the field empty where there"),
        ([["\u00e9"], ["e\u0301"]], "has 'é' with accents composed in some rows and decomposed"),
    ],
)
def test_what_is_merged_or_looks_alike_is_told(columns, note):
    arrays = [pa.chunked_array([pa.array(c, pa.large_string())]) for c in columns]
    (found,) = number_values(arrays).notes
    assert found.startswith(note)
    assert not number_values([pa.chunked_array([["1.1", "1.2", "é", " é"]])]).notes


def test_one_order_for_all_splits():
    assert numbered(["b"], ["a", "c"], []) == ([[1], [0, 2], []], ("a", "b", "c"))


def test_classes_keep_their_order():
    classes = ("world", "sports", "business")
    assert numbered(["business", "world", None], classes=classes) == (
        [[1, 0, -1]],
        ("world", "business"),
    )
    assert numbered(["b", "world", "a"], classes=classes)[1] == ("world", "a", "b")
