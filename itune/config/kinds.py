"""The types that a value of a configuration can have, and how each is read.

==================  ===========================  =========================  ====================
annotation          in TOML and JSON             on the command line        remark
==================  ===========================  =========================  ====================
``int``             integer                      ``3``
``float``           number                       ``3``, ``1e-5``            finite
``bool``            boolean                      ``true``, ``false``
``str``             string                       as it stands
``Path``            string                       as it stands               ``~`` expanded
``Literal[…]``      one of the values            one of the values
``X | None``        as X; ``"none"``, ``null``   as X; ``none``
``tuple[X, ...]``   array                        ``a,b``; nothing if empty  no commas in an item
``tuple[X, Y]``     array of that length         ``a,b``
==================  ===========================  =========================  ====================
"""

import math
import types
import typing
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

from itune.errors import as_path


class Kind(NamedTuple):
    """How values of one type are read; both functions raise ValueError at what is none.

    ``read`` turns a word of the command line into what TOML would hold, ``check`` that into the
    value. ``expected`` is the type as a phrase, such as "an integer".
    """

    expected: str
    metavar: str
    read: Callable[[str], Any]
    check: Callable[[Any], Any]


def make_kind(annotation: Any) -> Kind:
    """Return how values of an annotation are read; TypeError if it is not in the table above."""
    if annotation in _SIMPLE:
        return _SIMPLE[annotation]
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Literal:
        return _choice_kind(arguments)
    others = [argument for argument in arguments if argument is not types.NoneType]
    if origin in (types.UnionType, typing.Union) and len(others) == 1:
        return _optional_kind(make_kind(others[0]))
    if origin is tuple and len(arguments) == 2 and arguments[1] is ...:
        return _list_kind(make_kind(arguments[0]))
    if origin is tuple and arguments:
        return _fixed_kind([make_kind(argument) for argument in arguments])
    raise TypeError(f"a configuration cannot hold a {annotation}")


def _instance(
    accepted: type | tuple[type, ...], convert: Callable[[Any], Any]
) -> Callable[[Any], Any]:
    def check(value: Any) -> Any:
        if not isinstance(value, accepted) or (isinstance(value, bool) and accepted is not bool):
            raise ValueError
        return convert(value)

    return check


def _finite(value: float) -> float:
    value = float(value)
    if not math.isfinite(value):
        raise ValueError
    return value


def _path(text: str) -> Path:
    if not text:
        raise ValueError
    return as_path(text)


def _read_bool(text: str) -> bool:
    try:
        return {"true": True, "false": False}[text]
    except KeyError:
        raise ValueError from None


_SIMPLE: dict[Any, Kind] = {
    int: Kind("an integer", "INT", int, _instance(int, int)),
    float: Kind("a finite number", "FLOAT", float, _instance((int, float), _finite)),
    bool: Kind("true or false", "true|false", _read_bool, _instance(bool, bool)),
    str: Kind("a string", "STR", str, _instance(str, str)),
    Path: Kind("a path", "PATH", str, _instance((str, Path), lambda v: _path(str(v)))),
}


def _choice_kind(choices: Sequence[Any]) -> Kind:
    names = {str(choice): choice for choice in choices}

    def check(value: Any) -> Any:
        if not any(value == choice and type(value) is type(choice) for choice in choices):
            raise ValueError
        return value

    expected = " or ".join(filter(None, [", ".join(list(names)[:-1]), list(names)[-1]]))
    return Kind(expected, "|".join(names), lambda text: names.get(text, text), check)


def _optional_kind(kind: Kind) -> Kind:
    def read(text: str) -> Any:
        return None if text == "none" else kind.read(text)

    def check(value: Any) -> Any:
        return None if value is None or value == "none" else kind.check(value)

    return Kind(f"{kind.expected} or none", f"{kind.metavar}|none", read, check)


def _list_kind(item: Kind) -> Kind:
    def read(text: str) -> list[Any]:
        return [item.read(part.strip()) for part in text.split(",")] if text else []

    def check(value: Any) -> tuple[Any, ...]:
        return tuple(map(item.check, _instance((list, tuple), list)(value)))

    return Kind(f"a list, each item {item.expected}", f"{item.metavar},…", read, check)


def _fixed_kind(items: Sequence[Kind]) -> Kind:
    def read(text: str) -> list[Any]:
        return [k.read(part.strip()) for k, part in zip(items, text.split(","), strict=True)]

    def check(value: Any) -> tuple[Any, ...]:
        values = _instance((list, tuple), list)(value)
        return tuple(kind.check(v) for kind, v in zip(items, values, strict=True))

    expected = f"a list of {len(items)} ({', '.join(kind.expected for kind in items)})"
    return Kind(expected, ",".join(kind.metavar for kind in items), read, check)
