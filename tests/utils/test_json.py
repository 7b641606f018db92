"""Results as JSON."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

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


def test_no_json():
    with pytest.raises(TypeError, match="set is nothing that JSON can hold"):
        to_jsonable({"a": {1, 2}})
