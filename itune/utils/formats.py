"""Numbers, times and names as people read them."""

import math

MISSING = "–"
"""Stands for a number that there is none of."""


def signed(value: float, digits: int = 3) -> str:
    """Return a number that may be on either side of 0, with its sign.

    >>> [signed(value) for value in (0.25, -0.0126, -0.0001, math.nan)]
    ['+0.250', '-0.013', '0.000', '–']
    """
    if math.isnan(value):
        return MISSING
    if round(value, digits) == 0:
        return f"{0:.{digits}f}"
    return f"{value:+.{digits}f}"


def percent(share: float, digits: int = 1) -> str:
    """Return a share in per cent.

    >>> percent(0.125)
    '12.5%'
    """
    return f"{share:.{digits}%}"


def p_value(p: float) -> str:
    """Return a probability as a sentence shows it.

    >>> [p_value(p) for p in (0.0004, 0.0251)]
    ['below 0.001', '0.025']
    """
    return "below 0.001" if p < 0.001 else f"{p:.3f}"


def duration(minutes: float) -> str:
    """Return a time as people say it; a second at least, unless it is 0.

    >>> [duration(minutes) for minutes in (0, 0.001, 0.2, 1, 12.3, 200)]
    ['0 s', '1 s', '12 s', '1.0 min', '12 min', '3.3 h']
    """
    if minutes < 1:
        return f"{max(60 * minutes, minutes > 0):.0f} s"
    if minutes < 120:
        return f"{minutes:.1f} min" if minutes < 10 else f"{minutes:.0f} min"
    return f"{minutes / 60:.1f} h"


def method_title(method: str) -> str:
    """Return the name of a method in words, ``influence tuning`` for ``influence_tuning``."""
    return method.replace("_", " ")


def first_line(error: BaseException) -> str:
    """Return the first line of an error's message, or its type where it has none.

    >>> first_line(ValueError("no such thing\\nat all")), first_line(KeyError())
    ('no such thing', 'KeyError')
    """
    return next(filter(None, map(str.strip, str(error).splitlines())), type(error).__name__)
