"""Features of two features: rows that have both."""

from collections.abc import Callable, Iterator
from itertools import combinations
from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_matrix, vstack

from itune.discovery.candidates import Candidates, gather, merge
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


def with_pairs(
    singles: Candidates,
    score: Callable[[Candidates], np.ndarray],
    *,
    minimum: int,
    most: int = 20,
) -> tuple[Candidates, np.ndarray]:
    """Score candidates, and add pairs of the strongest that score more than both their parts.

    Args:
      singles: Candidates, C of them.
      score: Function of any candidates that returns a number for each; the largest is the
        strongest.
      minimum: Rows that must have a pair, and of its rarer part those that lack the other.
      most: Single candidates, the strongest that differ, out of which pairs are made; of texts 16.

    Returns:
      All candidates, the single ones first, and their scores.
    """
    scores = score(singles)
    strongest = merge(singles, np.argsort(-scores, kind="stable"), most).places
    pairs = list(find_pairs(singles.take(strongest), minimum))
    if not pairs:
        return singles, scores
    of_pairs = gather(((pair.feature, pair.having) for pair in pairs), singles.rows.shape[1])
    scores_of_pairs = score(of_pairs)
    # What a part scores as well says nothing of the pair.
    parts = np.array([scores[strongest[list(pair.parts)]].max() for pair in pairs])
    stronger = np.flatnonzero(scores_of_pairs > parts)
    added = of_pairs.take(stronger)
    every = Candidates(
        [*singles.features, *added.features], csr_matrix(vstack([singles.rows, added.rows]))
    )
    return every, np.concatenate([scores, scores_of_pairs[stronger]])


def _pair(one: Feature, other: Feature) -> Feature:
    parts = [rf"(?=[\s\S]*?{feature.pattern})" for feature in (one, other)]
    settings = {**one.settings, "rule": f"regex:\\A{''.join(parts)}"}
    pattern = f"{one.pattern}|{other.pattern}"
    surface = f"{one.surface} {other.surface}".strip()
    name = f"{one.name} and {other.name}"
    return Feature("pairs", name, settings, surface, pattern, parts=(one, other))
