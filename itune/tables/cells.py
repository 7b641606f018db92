"""One cell of a table as text, whatever type it came as."""

import contextlib
import datetime
import decimal
import math
from typing import Any

import numpy as np

from itune.errors import UserError
from itune.utils.text_files import brief

EXACT = 2**53
"""Whole floating-point numbers below this are written as integers are."""


def value_text(value: Any, name: str, where: str, *, is_text: bool) -> str | None:
    """Return a value as text: a string as it stands, a number in one spelling, 1.0 as 1.

    None, NaN and pandas' NA are missing, and None is returned. If ``is_text``, a list of words is
    joined by blanks. ``name`` is the column and ``where`` the row, for messages.
    """
    if isinstance(value, str):
        return _whole_text(str.__str__(value), name, where)  # of a member of an Enum too
    if hasattr(value, "item") and hasattr(value, "tolist"):  # an array, of NumPy or another library
        value = _unpacked(value)
    if isinstance(value, np.floating):
        return float_text(value)
    if isinstance(value, list | tuple):
        return _list_text(value, name, where, is_text=is_text)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return float_text(float(value))
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return None
    if isinstance(value, int):
        return str(int(value))
    if isinstance(value, decimal.Decimal | datetime.date):
        return str(value)
    if isinstance(value, str):
        return _whole_text(value, name, where)
    raise UserError(f"{where}: {name!r} is {brief(value)}; make it a string or a number")


def float_text(value: float | np.floating[Any]) -> str | None:
    """Return the shortest spelling of a number in its own precision; None for NaN."""
    if math.isnan(value):
        return None
    return str(int(value)) if abs(float(value)) < EXACT and value == int(value) else str(value)


def _unpacked(value: Any) -> Any:
    """Return an array as a list, or its one value: a float in its own precision, a date."""
    with contextlib.suppress(TypeError, RuntimeError):  # of what is not in this machine's memory
        value = np.asarray(value)
    if value.ndim:
        return value.tolist()
    value = value[()]
    if isinstance(value, np.datetime64 | np.timedelta64) and isinstance(value.item(), int):
        with contextlib.suppress(OverflowError):  # of NumPy 2.5, where others wrap around
            coarse = value.astype(f"{value.dtype.kind}8[us]")  # the finest that Python has
            if coarse.astype(value.dtype) == value and not isinstance(coarse.item(), int):
                return coarse.item()
        return value
    return value if isinstance(value, np.floating) else value.item()


def _list_text(value: list[Any] | tuple[Any, ...], name: str, where: str, *, is_text: bool) -> str:
    if not is_text:
        raise UserError(
            f"{where}: {name!r} is a list, {brief(value)}; one value a row is needed, so keep one "
            "of them, or give each a column"
        )
    if not all(isinstance(word, str) for word in value):
        raise UserError(f"{where}: {name!r} is {brief(value)}; make it a string or a number")
    return _whole_text(" ".join(value), name, where)


def _whole_text(value: str, name: str, where: str) -> str:
    r"""Refuse half a surrogate pair, which JSON can spell, ``\ud800``, but no text can hold."""
    try:
        value.isascii() or value.encode()
    except UnicodeEncodeError:
        raise UserError(
            f"{where}: {name!r} holds half a surrogate pair; write the character itself"
        ) from None
    return value
