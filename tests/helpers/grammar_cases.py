"""What every grammar must satisfy."""

import re


def require_sound(rules):
    """Fail unless each rule that is named exists and each alternative is well written.

    No alternative is empty, nothing but slots stands in angle brackets, and every "#" begins a
    range ``#a-b`` with a no greater than b.
    """
    for name, options in rules.items():
        assert options, f"{name} has no alternative"
        for option in options:
            assert option, f"{name} has an empty alternative"
            missing = _named(option) - set(rules)
            assert not missing, f"{name} names {missing}, which does not exist"
            rest = re.sub(r"<@?\w+>", "", option)
            ranges = re.findall(r"#(\d+)-(\d+)", rest)
            assert not re.search("[<>]", rest), option
            assert len(ranges) == rest.count("#"), option
            assert all(int(first) <= int(last) for first, last in ranges), option


def unused_rules(rules, starts):
    """Return the names of the rules that are neither a start nor named by a rule."""
    named = {name for options in rules.values() for option in options for name in _named(option)}
    return set(rules) - named - set(starts)


def _named(option):
    return set(re.findall(r"<(@?\w+)>", option))
