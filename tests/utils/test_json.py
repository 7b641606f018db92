"""Results as JSON."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from itune.groups import Group
from itune.utils.json import to_jsonable


class Inner(NamedTuple):
    group: Group
    values: np.ndarray


@dataclass(frozen=True)
class Setting:
    folder: Path
    parts: tuple[Inner, ...] = ()


def test_everything():
    inner = Inner(Group(1, 0), np.array([[0.5, np.nan], [np.inf, -2.0]], np.float32))
    found = to_jsonable(
        {Group(0, 1): Setting(Path("a/b"), (inner,)), 3: np.int64(4), "x": np.bool_(True)}
    )
    assert found == {
        "y=0 c=1": {
            "folder": "a/b",
            "parts": [
                {"group": {"label": 1, "confound": 0}, "values": [[0.5, None], [None, -2.0]]}
            ],
        },
        "3": 4,
        "x": True,
    }
    assert json.loads(json.dumps(found, allow_nan=False)) == found


@pytest.mark.parametrize("text", ["a\ud800b", "\udfff", "\ud83d"])
def test_half_a_surrogate_pair(text):
    assert "\N{REPLACEMENT CHARACTER}" in to_jsonable(text)
    json.dumps(to_jsonable({text: text}), ensure_ascii=False).encode()


def test_whole_characters_stay():
    assert to_jsonable("é\N{GRINNING FACE}\u202e\0") == "é\N{GRINNING FACE}\u202e\0"


LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(st.characters(exclude_categories=[])),  # halves of surrogate pairs as well
    st.floats(width=32).map(np.float32),
    st.booleans().map(np.bool_),
    st.lists(st.floats()).map(np.array),
    st.text(min_size=1).map(Path),
    st.builds(Group, st.integers(0, 3), st.integers(0, 3)),
)
VALUES = st.recursive(
    LEAVES,
    lambda values: st.one_of(
        st.lists(values),
        st.lists(values).map(tuple),
        st.dictionaries(st.text() | st.integers(), values),
        st.builds(Setting, st.just(Path("a")), st.tuples(values)),
        st.builds(Inner, st.just(Group(0, 1)), values),
    ),
    max_leaves=8,
)


@settings(derandomize=True, deadline=None, max_examples=50)
@given(VALUES)
def test_strict_json_whatever_the_value(value):
    """It is parsed again to what it was, and what JSON can hold already stays as it is."""
    jsonable = to_jsonable(value)
    text = json.dumps(jsonable, allow_nan=False, ensure_ascii=False)
    assert json.loads(text.encode("utf-8")) == jsonable
    assert to_jsonable(jsonable) == jsonable


def test_no_json():
    with pytest.raises(TypeError, match="JSON cannot hold a value of type set"):
        to_jsonable({"a": {1, 2}})
