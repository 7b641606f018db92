"""Whatever values a configuration has, it survives JSON, TOML and the command line."""

import json
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from hypothesis import given, settings
from hypothesis import strategies as st

from itune.config import parse, to_dict
from itune.config.command_line import to_arguments
from itune.config.mappings import flattened, from_dict, replaced, to_toml


@dataclass(frozen=True)
class Inner:
    count: int = 1
    rate: float = 0.5
    rule: Literal["adam", "sgd"] = "adam"
    pair: tuple[float, int] = (0.0, 1)


@dataclass(frozen=True)
class Outer:
    text: str = ""
    maybe: str | None = None
    words: tuple[str, ...] = ()
    path: Path = Path("a")
    is_on: bool = False
    first: Inner = Inner()
    second: Inner = Inner(count=2)


FLOATS = st.floats(allow_nan=False, allow_infinity=False)
TEXTS = st.text() | st.sampled_from(["--a-b", "-x", "--is_on=true", "-1e", "-", "a=b", "%"])
WORDS = TEXTS.filter(lambda text: text != "none")  # which stands for None
ITEMS = TEXTS.map(lambda text: text.replace(",", "").strip())  # as the command line has them
INNER = st.builds(
    Inner,
    count=st.integers(),
    rate=FLOATS,
    rule=st.sampled_from(["adam", "sgd"]),
    pair=st.tuples(FLOATS, st.integers()),
)
OUTER = st.builds(
    Outer,
    text=WORDS,
    maybe=st.none() | WORDS,
    words=st.lists(ITEMS).map(tuple).filter(lambda items: items != ("",)),  # that is ()
    path=TEXTS.filter(bool).map(Path),
    is_on=st.booleans(),
    first=INNER,
    second=INNER,
)
check = settings(derandomize=True, deadline=None, max_examples=50)


def read(*argv: str) -> Outer:
    return parse(Outer, None, argv, prog="", description="")


@check
@given(OUTER)
def test_json(config):
    text = json.dumps(to_dict(config), allow_nan=False)
    assert from_dict(Outer, json.loads(text)) == config


@check
@given(OUTER)
def test_toml(config):
    assert from_dict(Outer, tomllib.loads(to_toml(config))) == config


@check
@given(OUTER, OUTER)
def test_options(config, base):
    assert read(*to_arguments(base, Outer()), *to_arguments(config, base)) == config


@check
@given(OUTER, st.data())
def test_options_replace_what_they_name(config, data):
    values: dict[str, Any] = flattened(to_dict(config))
    names = data.draw(st.sets(st.sampled_from(sorted(values))))
    expected = replaced(Outer(), {name: values[name] for name in names})
    assert read(*to_arguments(expected, Outer())) == expected
    changed = flattened(to_dict(expected))
    assert {name: changed[name] for name in names} == {name: values[name] for name in names}
    assert replaced(expected, flattened(to_dict(Outer()))) == Outer()
