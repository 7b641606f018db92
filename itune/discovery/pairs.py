"""Features of two features: rows that have both."""

from collections.abc import Iterator
from itertools import combinations
from typing import NamedTuple

import numpy as np

from itune.discovery.candidates import Candidates
from itune.discovery.features.base import Feature, is_common

STRONGEST = 16
"""Features out of which pairs are made."""


class Pair(NamedTuple):
    """Two features as one, the rows that have both, and the places of the two."""

    feature: Feature
    having: np.ndarray
    parts: tuple[int, int]


def find_pairs(candidates: Candidates, minimum: int) -> Iterator[Pair]:
    """Yield pairs of features of one text that enough rows have, in any order and place."""
    usable = [n for n, feature in enumerate(candidates.features) if feature.pattern]
    size = candidates.rows.shape[1]
    for first, second in combinations(usable[:STRONGEST], 2):
        one, other = candidates.features[first], candidates.features[second]
        if one.settings.get("rule_on") != other.settings.get("rule_on"):
            continue
        of_first, of_second = candidates.having(first), candidates.having(second)
        having = np.intersect1d(of_first, of_second)
        fewer = min(len(of_first), len(of_second))
        if is_common(len(having), size, minimum) and fewer - len(having) >= minimum:
            yield Pair(_pair(one, other), having, (first, second))


def _pair(one: Feature, other: Feature) -> Feature:
    parts = [rf"(?=[\s\S]*?{feature.pattern})" for feature in (one, other)]
    settings = {**one.settings, "rule": f"regex:\\A{''.join(parts)}"}
    pattern = f"{one.pattern}|{other.pattern}"
    surface = f"{one.surface} {other.surface}".strip()
    return Feature("pairs", f"{one.name} and {other.name}", settings, surface, pattern)
