"""Numbers as the pages show them."""


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
