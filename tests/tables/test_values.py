"""Labels and confounds as people write them, numbered."""

import pyarrow as pa
import pytest

from itune.tables.values import number_values


def numbered(*columns, classes=()):
    arrays = [pa.chunked_array([pa.array(c, pa.large_string())]) for c in columns]
    codes, names = number_values(arrays, classes)
    assert all(code.dtype == "int32" for code in codes)
    return [code.tolist() for code in codes], names


@pytest.mark.parametrize(
    ("values", "codes", "names"),
    [
        (["b", "a", "b"], [1, 0, 1], ("a", "b")),
        (["10", "9", "-1"], [2, 1, 0], ("-1", "9", "10")),
        (["0.5", "1e-3", "2"], [1, 0, 2], ("1e-3", "0.5", "2")),
        (["1", "1.0", "01", "0"], [1, 1, 1, 0], ("0", "1")),
        (["2.0", "1.00", "1.50", "03"], [2, 0, 1, 3], ("1", "1.50", "2", "03")),
        (["1.0", "x"], [0, 1], ("1.0", "x")),
        (["10", "9", "x"], [0, 1, 2], ("10", "9", "x")),
        (["1_0", "9"], [0, 1], ("1_0", "9")),
        (["inf", "9"], [1, 0], ("9", "inf")),
        ([" a ", "a", "", " ", None, "NaN", "nan"], [0, 0, -1, -1, -1, -1, -1], ("a",)),
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


def test_one_order_for_all_splits():
    assert numbered(["b"], ["a", "c"], []) == ([[1], [0, 2], []], ("a", "b", "c"))


def test_class_labels_keep_their_order():
    codes, names = numbered(["1", "0", "-1"], classes=("world", "business"))
    assert (codes, names) == ([[1, 0, -1]], ("world", "business"))
