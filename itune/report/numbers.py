"""Numbers as the pages show them."""

import math

from itune.analysis.render import MISSING


def signed(value: float, digits: int = 3) -> str:
    """A number that may be on either side of 0.

    >>> [signed(value) for value in (0.25, -0.0126, -0.0001, math.nan)]
    ['+0.250', '-0.013', '0.000', '–']
    """
    if math.isnan(value):
        return MISSING
    if round(value, digits) == 0:
        return f"{0:.{digits}f}"
    return f"{value:+.{digits}f}"


def percent(share: float, digits: int = 1) -> str:
    """A share in per cent.

    >>> percent(0.125)
    '12.5%'
    """
    return f"{share:.{digits}%}"


def p_value(p: float) -> str:
    """A probability.

    >>> [p_value(p) for p in (0.0004, 0.0251)]
    ['below 0.001', '0.025']
    """
    return "below 0.001" if p < 0.001 else f"{p:.3f}"
