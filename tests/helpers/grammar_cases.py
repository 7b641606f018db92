"""What every grammar must be."""

import re


def require_complete(rules, starts):
    """Every rule that is named exists, and every one of a subject is named; none is empty."""
    named = set(starts)
    for options in rules.values():
        assert options
        named |= {name for option in options for name in re.findall(r"<(@?\w+)>", option)}
    assert named <= set(rules)
    assert {name for name in rules if name.startswith("@")} <= named
