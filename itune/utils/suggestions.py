"""Suggestions for misspelt names."""

import difflib
from collections.abc import Collection, Iterable

from itune.errors import UserError


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name closest to `name`, or with the closest last part, if one is close.

    >>> nearest("--model.hiden", ["--model.hidden", "--seed"])
    '--model.hidden'
    >>> nearest("--hiden", ["--model.hidden", "--seed"])
    '--model.hidden'
    >>> nearest("--colour", ["--model.hidden", "--seed"]) is None
    True
    """
    known = list(known)
    by_end = {option.lstrip("-").split(".")[-1]: option for option in reversed(known)}
    end = name.lstrip("-").split(".")[-1]
    near_ends = [by_end[near] for near in difflib.get_close_matches(end, by_end, n=1)]
    near_names = difflib.get_close_matches(name, known, n=1)
    if "." in name:
        return next(iter([*near_names, *near_ends]), None)
    return next(iter([*near_ends, *near_names]), None)


def hint(name: str, known: Iterable[str]) -> str:
    """Return what to do about an unknown name: the nearest known one, or where to look."""
    if near := nearest(name, known):
        return f"did you mean {near}?"
    is_option = name.startswith("--")
    return "--help lists the options" if is_option else f"use one of {', '.join(known)}"


def require_one_of(config: object, **known: Collection[str]) -> None:
    """Check that each of these fields of a configuration has one of its known values."""
    for name, values in known.items():
        require_known(name, getattr(config, name), values)


def require_known(name: str, value: object, known: Iterable[str]) -> None:
    """Raise a UserError, with the nearest known value, if a value of ``name`` is not known."""
    known = list(known)
    if value not in known:
        near = nearest(value, known) if isinstance(value, str) else None
        meant = f"; did you mean {near}?" if near else ""
        raise UserError(f"{name} must be one of {', '.join(known)}, got {value!r}{meant}")
