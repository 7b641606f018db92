"""Numbers as the pages show them."""

import math

from itune.analysis.render import MISSING


def signed(value: float, digits: int = 3) -> str:
    """A number that may be on either side of 0.

    >>> [signed(value) for value in (0.25, -0.0126, -0.0001, math.nan)]
    ['+0.250', '−0.013', '0.000', '–']
    """
    if math.isnan(value):
        return MISSING
    if round(value, digits) == 0:
        return f"{0:.{digits}f}"
    return f"{value:+.{digits}f}".replace("-", "−")


def percent(share: float, digits: int = 1) -> str:
    """A share in per cent.

    >>> percent(0.125)
    '12.5\\xa0%'
    """
    return f"{100 * share:.{digits}f}\N{NO-BREAK SPACE}%"


def p_value(p: float) -> str:
    """A probability.

    >>> [p_value(p) for p in (0.0004, 0.0251)]
    ['below 0.001', '0.025']
    """
    return "below 0.001" if p < 0.001 else f"{p:.3f}"


def interval(share: float, size: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share of so many.

    >>> [round(end, 3) for end in interval(0.5, 100)]
    [0.404, 0.596]
    """
    shrink = 1 + Z**2 / size
    middle = (share + Z**2 / (2 * size)) / shrink
    half = Z / shrink * math.sqrt(share * (1 - share) / size + Z**2 / (4 * size**2))
    return max(middle - half, 0.0), min(middle + half, 1.0)


Z = 1.959964
"""Standard errors in half of a 95 % interval."""
